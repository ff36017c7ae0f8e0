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
from wattkeeper.flow.notify.channels.sms.alphabets import GSM_7, UCS_2
from wattkeeper.flow.notify.channels.sms.text import text_of

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
        assert form(first)["Body"].startswith("CRITICAL BAT-1, North hall: Temperature 61.2 C, above 50 C")

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

    @pytest.mark.parametrize(
        ("replies", "may_have_arrived"), [([Reply(cuts=True), Reply(503)], True), ([Reply(503)], False)], ids=str
    )
    def test_what_one_number_may_have_is_known_of_all(
        self, replies: list[Reply], may_have_arrived: bool, endpoint: Endpoint
    ) -> None:
        endpoint.replies = replies
        attempt = send("sms", TWILIO)
        assert (attempt.outcome, attempt.may_have_arrived) == (Outcome.LATER, may_have_arrived)

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

    @pytest.mark.parametrize(
        ("reply", "may_have_arrived"),
        [(vonage("5"), False), (vonage("0", "1"), True), (Reply(200, body=b"not json"), True), (Reply(429), False)],
        ids=["none of it", "a part of it", "it does not say", "not now"],
    )
    def test_what_it_may_have_sent_may_have_arrived(
        self, reply: Reply, may_have_arrived: bool, endpoint: Endpoint
    ) -> None:
        endpoint.replies = [reply]
        assert send("sms", VONAGE).may_have_arrived is may_have_arrived


class TestTheText:
    def test_it_says_what_where_and_how_to_see_it(self) -> None:
        text = text_of(message())
        assert text == "CRITICAL BAT-1, North hall: Temperature 61.2 C, above 50 C https://w.example/alerts/5/"

    def test_what_is_nowhere_has_no_site(self) -> None:
        assert text_of(message(news(site=""))).startswith("CRITICAL BAT-1: Temperature")

    def test_of_several_it_says_the_first_and_how_many_more(self) -> None:
        assert " (+2 more) " in text_of(message(news(), news(), news()))

    def test_what_is_over_says_so(self) -> None:
        assert text_of(message(news(what="cleared"))).startswith("Cleared: CRITICAL BAT-1")

    @pytest.mark.parametrize("sign", ["x", "[", "ä", "€", "ж", "電", "🔋"])
    @pytest.mark.parametrize("length", [0, 5, 10, 20, 40, 100, 1_000])
    @pytest.mark.parametrize("field", ["message", "asset_key", "site", "alert"])
    def test_it_is_never_more_than_one_and_always_says_where_to_look(self, sign: str, length: int, field: str) -> None:
        long = sign * length
        one = news(message=long, asset_key=long, site=long) if field == "alert" else news(**{field: long})
        text = text_of(message(one, news()))
        alphabet = GSM_7 if GSM_7.has(text) else UCS_2
        assert alphabet.length(text) <= {GSM_7: 160, UCS_2: 70}[alphabet]
        assert text.endswith(" (+1 more) https://w.example/alerts/5/")
        assert text.startswith("CRITICAL ")

    def test_what_is_long_leaves_room_for_the_rest(self) -> None:
        text = text_of(message(news(asset_key="K" * 200, site="S" * 200, message="M" * 200)))
        assert GSM_7.length(text) == 160
        assert "KKK..., SSS" in text and "SSS...: MMM" in text and "MMM... https" in text

    def test_in_other_alphabets_it_is_shorter_and_has_its_own_ellipsis(self) -> None:
        text = text_of(message(news(asset_key="Батарея", site="Цех", message="Температура слишком высокая")))
        assert text == "CRITICAL Батарея, Цех: Температура слишко… https://w.example/alerts/5/"
        assert UCS_2.length(text) <= 70

    def test_letters_that_are_cut_off_cost_nothing(self) -> None:
        text = text_of(message(news(message="M" * 160 + "ж")))
        assert GSM_7.has(text) and GSM_7.length(text) == 160

    def test_units_that_telephones_lack_do_not_halve_it(self) -> None:
        assert GSM_7.has(text_of(message(news(message="Temperature 61.2 °C \N{EN DASH} above 50 °C"))))

    def test_an_address_that_would_fill_it_is_left_out(self) -> None:
        text = text_of(message(news(address=f"https://w.example/{'a' * 100}/")))
        assert "https" not in text and "Temperature" in text

    @pytest.mark.parametrize(
        ("text", "septets"),
        [("", 0), ("abc", 3), ("@£$¥èéùìòÇ\nØø\rÅå", 16), ("ΔΦΓΛΩΠΨΣΘΞ", 10), ("^{}\\[~]|€", 18), ("ÄÖÑÜ§¿äöñüà", 11)],
    )
    def test_the_telephones_alphabet_is_counted_as_they_do(self, text: str, septets: int) -> None:
        assert GSM_7.has(text)
        assert GSM_7.length(text) == septets

    @pytest.mark.parametrize("sign", ["`", "°", "…", "ç", "ж", "🔋", "\N{EN DASH}"])
    def test_what_is_none_of_it_needs_the_other(self, sign: str) -> None:
        assert not GSM_7.has(f"a{sign}")
        assert UCS_2.length(sign) == (2 if sign == "🔋" else 1)


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
