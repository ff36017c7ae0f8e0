"""SMS: what fits into one, and what the services say became of it."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any
from urllib.parse import parse_qs

import pytest
from apprise.plugins.twilio import NotifyTwilio
from apprise.plugins.vonage import NotifyVonage
from django.core.exceptions import ValidationError

from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import message, news, send
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.channels.sms.text import LONGEST, text_of

TOKEN = "0123456789abcdef0123456789abcdef"
TWILIO = {
    "service": "twilio",
    "account": "AC" + "1" * 32,
    "token": TOKEN,
    "sender": "+1 500 555 0006",
    "numbers": ["+49 170 1234567", "+15005550009"],
}
VONAGE = {**TWILIO, "service": "vonage", "account": "abcd1234"}


@pytest.fixture(autouse=True)
def _services(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both services live at the endpoint; nothing else of apprise is another."""
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", f"{endpoint.url}/Accounts/{{sid}}/Messages.json")
    monkeypatch.setattr(NotifyVonage, "notify_url", f"{endpoint.url}/sms/json")


def form(asked: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def vonage(*statuses: str) -> Reply:
    return Reply(200, body=json.dumps({"messages": [{"status": status} for status in statuses]}).encode())


class TestTwilio:
    def test_each_number_is_sent_the_text(self, endpoint: Endpoint) -> None:
        endpoint.replies = [Reply(201)]
        attempt = send("sms", TWILIO)
        assert attempt.outcome is Outcome.DELIVERED
        assert attempt.reached == ("+49 170 1234567", "+15005550009")
        assert [form(asked)["To"] for asked in endpoint.asked] == ["+491701234567", "+15005550009"]
        first = endpoint.asked[0]
        assert first.path == f"/Accounts/{TWILIO['account']}/Messages.json"
        credentials = base64.b64decode(first.headers["authorization"].removeprefix("Basic ")).decode()
        assert credentials == f"{TWILIO['account']}:{TOKEN}"
        assert form(first)["From"] == "+15005550006"
        assert form(first)["Body"].startswith("CRITICAL BAT-1: Temperature 61.2 C, above 50 C")

    def test_a_number_that_has_it_is_not_sent_it_again(self, endpoint: Endpoint) -> None:
        attempt = send("sms", TWILIO, message(reached=frozenset({"+15005550009"})))
        assert [form(asked)["To"] for asked in endpoint.asked] == ["+491701234567"]
        assert attempt.outcome is Outcome.DELIVERED

    @pytest.mark.parametrize(
        ("replies", "outcome", "reached"),
        [
            ([Reply(400, body=b'{"code": 21211}')], Outcome.REFUSED, 0),
            ([Reply(401, body=b'{"code": 20003}')], Outcome.REFUSED, 0),
            ([Reply(429, headers={"Retry-After": "7"})], Outcome.LATER, 0),
            ([Reply(500, body=b"<html>")], Outcome.LATER, 0),
            ([Reply(201), Reply(400)], Outcome.DELIVERED, 1),
            ([Reply(400), Reply(201)], Outcome.DELIVERED, 1),
            ([Reply(201), Reply(503)], Outcome.LATER, 1),
        ],
        ids=["bad number", "bad token", "too fast", "broken", "one never", "the other never", "one later"],
    )
    def test_what_it_answers_for_each_counts(
        self, replies: list[Reply], outcome: Outcome, reached: int, endpoint: Endpoint
    ) -> None:
        endpoint.replies = replies
        attempt = send("sms", TWILIO)
        assert (attempt.outcome, len(attempt.reached)) == (outcome, reached)

    def test_its_own_number_of_the_error_is_kept_and_when_to_come_back(self, endpoint: Endpoint) -> None:
        endpoint.replies = [Reply(400, body=b'{"code": 21211, "message": "The number is not valid"}')]
        assert "HTTP 400, Twilio's error 21211" in send("sms", TWILIO).detail
        endpoint.replies = [Reply(429, headers={"Retry-After": "7"})]
        assert send("sms", TWILIO).retry_after_seconds == 7


class TestVonage:
    def test_each_number_is_sent_the_text(self, endpoint: Endpoint) -> None:
        endpoint.replies = [vonage("0")]
        assert send("sms", VONAGE).outcome is Outcome.DELIVERED
        said = form(endpoint.asked[0])
        assert (said["api_key"], said["api_secret"], said["from"]) == ("abcd1234", TOKEN, "15005550006")
        assert (said["to"], "type" in said) == ("491701234567", False)

    def test_other_alphabets_are_said_to_be_such(self, endpoint: Endpoint) -> None:
        endpoint.replies = [vonage("0")]
        send("sms", VONAGE, message(news(asset_key="Батарея")))
        assert form(endpoint.asked[0])["type"] == "unicode"

    @pytest.mark.parametrize(
        ("reply", "outcome"),
        [
            (vonage("4"), Outcome.REFUSED),  # with a status of 200: apprise would call it sent
            (vonage("1"), Outcome.LATER),
            (vonage("0", "1"), Outcome.LATER),
            (vonage("5"), Outcome.LATER),
            (Reply(200, body=b"not json"), Outcome.LATER),
            (Reply(200, body=b"[]"), Outcome.LATER),
            (Reply(200, body=b'{"messages": {}}'), Outcome.LATER),
            (Reply(200, body=b'{"messages": 5}'), Outcome.LATER),
            (Reply(401), Outcome.REFUSED),
            (Reply(429), Outcome.LATER),
        ],
    )
    def test_what_became_of_it_stands_in_the_body(self, reply: Reply, outcome: Outcome, endpoint: Endpoint) -> None:
        endpoint.replies = [reply]
        assert send("sms", VONAGE).outcome is outcome


class TestTheText:
    def test_it_says_what_where_and_how_to_see_it(self) -> None:
        text = text_of(message())
        assert text == "CRITICAL BAT-1: Temperature 61.2 C, above 50 C https://w.example/alerts/5/"

    def test_of_several_it_says_the_first_and_how_many_more(self) -> None:
        assert " (+2 more) " in text_of(message(news(), news(), news()))

    def test_what_is_over_says_so(self) -> None:
        assert text_of(message(news(what="cleared"))).startswith("Cleared: CRITICAL BAT-1")

    @pytest.mark.parametrize("length", [10, 100, 1_000])
    def test_it_is_never_longer_than_one(self, length: int) -> None:
        text = text_of(message(news(message="x" * length, asset_key="k" * length), news()))
        assert len(text) <= LONGEST
        assert text.endswith("https://w.example/alerts/5/")


class TestWhatIsWritten:
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"service": "pigeon"}, "service"),
            ({"service": ""}, "service"),
            ({"account": "not an account!"}, "account"),
            ({"token": ""}, "token"),
            ({"token": "not a token!"}, "token"),
            ({"sender": "nobody"}, "sender"),
            ({"numbers": []}, "numbers"),
            ({"numbers": ["+15005550009", "12"]}, "numbers"),
            ({"numbers": ["+15005550009, +15005550008"]}, "numbers"),
            ({"something": "else"}, "something"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("good", [TWILIO, VONAGE], ids=["twilio", "vonage"])
    def test_what_cannot_be_sent_with_is_named(
        self, good: Any, values: Any, field: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG), pytest.raises(ValidationError) as caught:
            channel_types()["sms"].check({**good, **values})
        assert list(caught.value.message_dict) == [field]
        assert "not a token!" not in f"{caught.value}{caplog.text}"

    def test_where_it_goes_is_said_without_the_token(self) -> None:
        kept = channel_types()["sms"].check(TWILIO)
        assert channel_types()["sms"].whereto(kept) == "+49 170 1234567, +15005550009"

    def test_nothing_secret_is_logged(self, endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            send("sms", TWILIO)
            send("sms", VONAGE)
        assert TOKEN not in caplog.text
