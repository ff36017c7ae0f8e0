"""Teams: a card in the envelope that a workflow wants, never too large, and what each answer means."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import message, news, send
from wattkeeper.flow.notify.channels.declared import Attempt, Message, Outcome
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.channels.teams.card import LARGEST_BYTES

WORKFLOW = "/workflows/abc/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=a-secret"


def post(endpoint: Endpoint, what: Message | None = None) -> Attempt:
    return send("teams", {"url": f"{endpoint.url}{WORKFLOW}"}, what)


def texts(card: Any) -> list[str]:
    """All that a card says, from the top."""
    if isinstance(card, dict):
        own = [card["text"]] if card.get("type") == "TextBlock" else []
        return own + [text for value in card.values() for text in texts(value)]
    return [text for one in card for text in texts(one)] if isinstance(card, list) else []


def test_a_card_is_posted_in_the_envelope_of_a_message(endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(202)]
    assert post(endpoint) == Attempt(outcome=Outcome.DELIVERED, detail="HTTP 202", status=202)
    (asked,) = endpoint.asked
    assert asked.path == WORKFLOW
    assert asked.headers["content-type"] == "application/json"
    assert asked.json["type"] == "message"
    (attachment,) = asked.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard"
    assert card["actions"][0]["url"] == "https://w.example/alerts/5/"
    said = "\n".join(texts(card))
    for words in ("New: CRITICAL", "BAT-1, North hall", "Temperature 61.2 °C, above 50 °C"):
        assert words in said


@pytest.mark.parametrize("count", [1, 20, 31, 1_000])
@pytest.mark.parametrize("length", [10, 5_000])
def test_it_is_never_too_large_and_says_what_it_leaves_out(count: int, length: int, endpoint: Endpoint) -> None:
    post(endpoint, message(*(news(message="ä*" * length, asset_key="k" * 200) for _ in range(count))))
    (asked,) = endpoint.asked
    assert len(asked.body) < LARGEST_BYTES
    said = texts(asked.json)
    shown = sum(text.startswith("New: CRITICAL") for text in said)
    assert shown == count or f"And {count - shown} more." in said


def test_what_is_too_large_for_them_is_sent_once_more_and_shorter(endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(413), Reply(202)]
    attempt = post(endpoint, message(*(news() for _ in range(30))))
    assert attempt.outcome is Outcome.DELIVERED
    first, second = (len(asked.body) for asked in endpoint.asked)
    assert second < first
    endpoint.replies = [Reply(413)]
    assert post(endpoint).outcome is Outcome.REFUSED
    assert len(endpoint.asked) == 4


@pytest.mark.parametrize(
    ("reply", "outcome", "retry_after"),
    [
        (Reply(401), Outcome.REFUSED, None),
        (Reply(404), Outcome.REFUSED, None),
        (Reply(429, headers={"Retry-After": "17"}), Outcome.LATER, 17),
        (Reply(502), Outcome.LATER, None),
    ],
    ids=["401", "404", "429", "502"],
)
def test_what_it_answers_counts(reply: Reply, outcome: Outcome, retry_after: float | None, endpoint: Endpoint) -> None:
    endpoint.replies = [reply]
    attempt = post(endpoint)
    assert (attempt.outcome, attempt.status, attempt.retry_after_seconds) == (outcome, reply.status, retry_after)


def test_what_things_are_called_cannot_become_a_link(endpoint: Endpoint) -> None:
    post(endpoint, message(news(asset_key="[free](https://evil.example)")))
    assert "[free](" not in "\n".join(texts(endpoint.asked[0].json))


@pytest.mark.parametrize(
    "url", ["https://north.webhook.office.com/webhookb2/x", "https://outlook.office.com/webhook/x", "", "workflow"]
)
def test_what_is_no_workflow_cannot_be_written(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        channel_types()["teams"].check({"url": url})
    assert list(caught.value.message_dict) == ["url"]


def test_where_it_goes_is_said_without_its_signature() -> None:
    kept = {"url": f"https://prod-1.logic.azure.com:443{WORKFLOW}"}
    assert channel_types()["teams"].whereto(kept) == "Workflow at prod-1.logic.azure.com"


def test_of_several_alerts_it_leads_to_the_list_of_them(endpoint: Endpoint) -> None:
    post(endpoint, message(news(), news(alert_id=6)))
    card = endpoint.asked[0].json["attachments"][0]["content"]
    assert [(one["title"], one["url"]) for one in card["actions"]] == [("Open the alerts", "https://w.example/alerts/")]
    assert card["version"] == "1.5"  # whose headings it has


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("- a", "\\- a"),
        ("1. a", "1\\. a"),
        ("{{DATE(now)}}", "{ {DATE\\(now\\)}}"),
        ("{{{a", "{ { {a"),
        ("<at>All</at>", "\u2039at>All\u2039/at>"),
        ("4.5 V, below -3 < 5", "4.5 V, below -3 < 5"),
    ],
)
def test_what_people_write_is_text_and_nothing_more(written: str, shown: str, endpoint: Endpoint) -> None:
    post(endpoint, message(news(message=written)))
    assert shown in texts(endpoint.asked[0].json)
