"""Slack: what apprise makes of the news arrives at Slack's own address, and what that answers is told."""

from __future__ import annotations

import logging

import pytest
from apprise.plugins.slack import NotifySlack
from django.core.exceptions import ValidationError

from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import message, news, send
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.channels.registry import channel_types

SETTINGS = {"url": "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/abcdefghijklmnop"}
OK = Reply(200, body=b"ok")


@pytest.fixture(autouse=True)
def _slack(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifySlack, "webhook_url", f"{endpoint.url}/services")
    endpoint.replies = [OK]


def test_the_news_are_posted_to_the_webhook(endpoint: Endpoint) -> None:
    assert send("slack", SETTINGS).outcome is Outcome.DELIVERED
    (asked,) = endpoint.asked
    assert asked.path == "/services/T0123ABCD/B0123ABCD/abcdefghijklmnop"
    (attachment,) = asked.json["attachments"]
    assert attachment["title"] == "CRITICAL: Over temperature of BAT-1"
    assert attachment["text"] == (
        "*New: CRITICAL* <https://w.example/alerts/5/|Over temperature> of BAT-1, North hall\n"
        "Temperature 61.2 °C, above 50 °C"
    )


def test_each_level_has_its_colour_and_what_is_over_another(endpoint: Endpoint) -> None:
    for one in (news(), news(level="WARNING"), news(level="INFO"), news(what="cleared")):
        send("slack", SETTINGS, message(one))
    assert len({asked.json["attachments"][0]["color"] for asked in endpoint.asked}) == 4


def test_of_very_many_it_says_how_many_more_there_are(endpoint: Endpoint) -> None:
    send("slack", SETTINGS, message(*(news() for _ in range(200))))
    assert endpoint.asked[0].json["attachments"][0]["text"].endswith("And 180 more.")


def test_what_things_are_called_cannot_call_everyone(endpoint: Endpoint) -> None:
    send("slack", SETTINGS, message(news(asset_key="<!channel>"), title="<!here> & more"))
    said = endpoint.asked[0].body.decode()
    assert "<!channel>" not in said
    assert "<!here>" not in said


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("BAT-1", "BAT-1"),
        ("BAT_1_A", "BAT_1_A"),
        ("R&D <3>", "R&amp;D &lt;3&gt;"),
        ("&amp;", "&amp;amp;"),
        ("*bold*", "|*|bold|*|"),
        ("_it_", "|_|it|_|"),
        ("~gone~ for good", "|~|gone|~| for good"),
        ("a`b`c", "a|`|b|`|c"),
        ("```", "|`||`||`|"),
        ("2*3", "2*3"),
        ("2 * 3", "2 |*| 3"),
        ("x* and *y", "x|*| and |*|y"),
        ("a__b", "a|_||_|b"),
    ],
)
def test_what_things_are_called_formats_nothing(name: str, shown: str, endpoint: Endpoint) -> None:
    send("slack", SETTINGS, message(news(asset_key=name, site="", message=name)))
    said = endpoint.asked[0].json["attachments"][0]["text"].replace("\u200b", "|")
    assert said == f"*New: CRITICAL* <https://w.example/alerts/5/|Over temperature> of {shown}\n{shown}"


def test_what_is_said_is_no_quote(endpoint: Endpoint) -> None:
    send("slack", SETTINGS, message(news(message="> 50 °C")))
    assert "\n&gt;" not in endpoint.asked[0].json["attachments"][0]["text"]


def test_where_a_link_leads_stays_as_it_is(endpoint: Endpoint) -> None:
    send("slack", SETTINGS, message(news(address="https://w.example/_a_/?b=*c*&d=`")))
    assert "<https://w.example/_a_/?b=*c*&amp;d=`|" in endpoint.asked[0].json["attachments"][0]["text"]


def test_one_after_the_other_waits_for_nothing(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def slept(seconds: float) -> None:
        raise AssertionError(f"apprise slept for {seconds} s")

    monkeypatch.setattr("apprise.url.time.sleep", slept)
    for _ in range(3):
        send("slack", SETTINGS)
    assert len(endpoint.asked) == 3


@pytest.mark.parametrize(
    ("reply", "outcome", "retry_after"),
    [
        (Reply(400, body=b"invalid_payload"), Outcome.REFUSED, None),
        (Reply(403, body=b"invalid_token"), Outcome.REFUSED, None),
        (Reply(404, body=b"no_service"), Outcome.REFUSED, None),
        (Reply(410, body=b"channel_is_archived"), Outcome.REFUSED, None),
        (Reply(429, headers={"Retry-After": "30"}), Outcome.LATER, 30),
        (Reply(500), Outcome.LATER, None),
    ],
    ids=["400", "403", "404", "410", "429", "500"],
)
def test_what_it_answers_counts(reply: Reply, outcome: Outcome, retry_after: float | None, endpoint: Endpoint) -> None:
    endpoint.replies = [reply]
    attempt = send("slack", SETTINGS)
    assert (attempt.outcome, attempt.status, attempt.retry_after_seconds) == (outcome, reply.status, retry_after)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://hooks.slack.com/",
        "http://hooks.slack.com/services/T0123ABCD/B0123ABCD/abcdefghijklmnop",
        "https://hooks.slack.com.evil.example/services/T0123ABCD/B0123ABCD/abcdefghijklmnop",
        "https://hooks.slack.com/workflows/T0123ABCD/A1/1/abc",
        "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/abcdefghijklmnop?to=everyone",
        "xoxb-1234-1234-abcd",
    ],
)
def test_what_is_no_incoming_webhook_cannot_be_written(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ValidationError) as caught:
        channel_types()["slack"].check({"url": url})
    assert list(caught.value.message_dict) == ["url"]
    assert "abcdefghijklmnop" not in f"{caught.value}{caplog.text}"


def test_where_it_goes_and_what_is_logged_have_no_token_in_them(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        send("slack", SETTINGS)
    assert "abcdefghijklmnop" not in channel_types()["slack"].whereto(SETTINGS) + caplog.text
