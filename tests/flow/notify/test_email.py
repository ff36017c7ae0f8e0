"""Mail, to mail servers that take it, refuse it, want a password, or say nothing."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as policy
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.support.endpoints import MailBox, curt_mail_server, mail_server, silent_server
from tests.support.notify import EVENT, message, news, send
from tests.support.servers import free_port
from wattkeeper.flow.notify.channels.declared import Attempt, Message, Outcome
from wattkeeper.flow.notify.channels.outside import Smtp, connect, outside
from wattkeeper.flow.notify.channels.registry import channel_types

PASSWORD = "a-password-of-our-own"
TWO = ["one@w.example", "two@w.example"]


def mail(what: Message | None = None, recipients: list[str] | None = None) -> Attempt:
    return send("email", {"recipients": recipients or TWO}, what)


def through(port: int, **values: Any) -> None:
    """Mail goes through the server at that port."""
    connect(replace(outside(), smtp=Smtp(host="127.0.0.1", port=port, **values)))


def sent(box: MailBox) -> EmailMessage:
    (envelope,) = box.letters
    content = envelope.content
    assert isinstance(content, bytes)
    letter = message_from_bytes(content, policy=policy)
    assert isinstance(letter, EmailMessage)
    return letter


def taken(refused: Mapping[str, str] | None = None, what: Message | None = None) -> tuple[Attempt, MailBox]:
    box = MailBox(refused)
    with mail_server(box) as port:
        through(port)
        return mail(what), box


def test_it_arrives_as_text_and_as_html() -> None:
    attempt, box = taken()
    assert (attempt.outcome, attempt.reached) == (Outcome.DELIVERED, tuple(TWO))
    assert box.letters[0].rcpt_tos == TWO
    letter = sent(box)
    assert letter["From"] == "Wattkeeper <us@w.example>"
    assert letter["To"] == ", ".join(TWO)
    assert letter["Subject"] == "CRITICAL: Over temperature of BAT-1"
    assert letter["Message-ID"] == f"<{EVENT}@w.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None and html is not None
    for part in (text.get_content(), html.get_content()):
        for words in ("BAT-1", "North hall", "Temperature 61.2 °C, above 50 °C", "https://w.example/alerts/5/"):
            assert words in part


def test_what_things_are_called_cannot_become_a_part_of_the_page_or_of_the_header() -> None:
    name = '<img src=x onerror="alert(1)">'
    _, box = taken(what=message(news(asset_key=name, message=name), title="a\r\nBcc: all@w.example"))
    html = sent(box).get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content()
    assert sent(box)["Bcc"] is None
    assert sent(box)["Subject"] == "a Bcc: all@w.example"


def test_of_very_many_it_says_how_many_more_there_are() -> None:
    _, box = taken(what=message(*(news(alert_id=number) for number in range(2_000))))
    text = sent(box).get_body(("plain",))
    assert text is not None
    assert "And 1900 more." in text.get_content()


def test_who_has_it_already_is_not_sent_it_again() -> None:
    attempt, box = taken(what=message(reached=frozenset(TWO[:1])))
    assert box.letters[0].rcpt_tos == TWO[1:]
    assert attempt.reached == (TWO[1],)


@pytest.mark.parametrize(
    ("refused", "outcome", "reached"),
    [
        ({TWO[0]: "550 No such user"}, Outcome.DELIVERED, (TWO[1],)),
        ({TWO[0]: "451 Try again"}, Outcome.LATER, (TWO[1],)),
        (dict.fromkeys(TWO, "550 No such user"), Outcome.REFUSED, ()),
        (dict.fromkeys(TWO, "451 Try again"), Outcome.LATER, ()),
        ({TWO[0]: "550 No such user", TWO[1]: "451 Try again"}, Outcome.LATER, ()),
    ],
    ids=["one never", "one later", "all never", "all later", "one of each"],
)
def test_what_the_server_says_of_each_recipient_counts(
    refused: Mapping[str, str], outcome: Outcome, reached: tuple[str, ...]
) -> None:
    attempt, box = taken(refused)
    assert (attempt.outcome, attempt.reached) == (outcome, reached)
    assert [envelope.rcpt_tos for envelope in box.letters] == ([list(reached)] if reached else [])
    for who, said in refused.items():
        assert f"{who}: {said}" in attempt.detail


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
class TestALogin:
    def test_the_right_password_opens(self) -> None:
        with mail_server(MailBox(), password=PASSWORD) as port:
            through(port, user="us", password=PASSWORD)
            assert mail().outcome is Outcome.DELIVERED

    @pytest.mark.parametrize("values", [{}, {"user": "us", "password": "another-one"}], ids=["none", "wrong"])
    def test_without_it_it_is_refused(self, values: Any, caplog: pytest.LogCaptureFixture) -> None:
        with mail_server(MailBox(), password=PASSWORD) as port:
            through(port, **values)
            attempt = mail()
        assert attempt.outcome is Outcome.REFUSED
        assert attempt.status in (530, 535)
        assert "another-one" not in attempt.detail + caplog.text

    def test_a_password_does_not_travel_unencrypted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        find = socket.getaddrinfo

        def elsewhere(host: Any, *rest: Any, **options: Any) -> Any:
            return find("127.0.0.1" if host == "mail.example" else host, *rest, **options)

        monkeypatch.setattr(socket, "getaddrinfo", elsewhere)
        box = MailBox()
        with mail_server(box, password=PASSWORD) as port:
            connect(replace(outside(), smtp=Smtp(host="mail.example", port=port, user="us", password=PASSWORD)))
            attempt = mail()
        assert (attempt.outcome, box.letters) == (Outcome.REFUSED, [])
        assert "the password was not sent" in attempt.detail
        assert PASSWORD not in attempt.detail + repr(outside())


def test_where_nobody_listens_it_is_tried_later() -> None:
    through(free_port())
    assert mail() == Attempt(outcome=Outcome.LATER, detail="No connection to the mail server: Connection refused")


def test_a_server_that_says_nothing_is_asked_later() -> None:
    with silent_server() as port:
        through(port)
        connect(replace(outside(), read_seconds=0.2))
        assert mail() == Attempt(outcome=Outcome.LATER, detail="No answer from the mail server in time")


@pytest.mark.parametrize(
    ("said", "outcome", "may_have_arrived"),
    [
        ({"mail": ""}, Outcome.LATER, True),
        ({"mail": "what?"}, Outcome.LATER, True),
        ({"mail": "451 Not now"}, Outcome.LATER, False),
        ({"mail": "554 Spam"}, Outcome.REFUSED, False),
        ({"data": "451 Not now"}, Outcome.LATER, False),
        ({"from": ""}, Outcome.LATER, False),
    ],
    ids=["silence", "nonsense", "not now", "never", "not even heard", "silence before it"],
)
def test_a_mail_may_have_arrived_where_the_server_did_not_say_what_it_did_with_it(
    said: Mapping[str, str], outcome: Outcome, may_have_arrived: bool
) -> None:
    with curt_mail_server(**said) as port:
        through(port)
        connect(replace(outside(), read_seconds=0.3))
        attempt = mail()
    assert (attempt.outcome, attempt.may_have_arrived, attempt.reached) == (outcome, may_have_arrived, ())


@pytest.mark.parametrize("said", ["", "421 Too many"], ids=["silence", "an error"])
def test_what_the_server_says_to_a_goodbye_changes_nothing(said: str) -> None:
    with curt_mail_server(quit=said) as port:
        through(port)
        connect(replace(outside(), read_seconds=0.3))
        attempt = mail()
    assert (attempt.outcome, attempt.reached) == (Outcome.DELIVERED, tuple(TWO))


def test_where_the_server_goes_away_among_the_recipients_nobody_has_it() -> None:
    with curt_mail_server(rcpt="250 OK\n421 Too many") as port:
        through(port)
        attempt = mail()
    assert (attempt.outcome, attempt.reached, attempt.may_have_arrived) == (Outcome.LATER, (), False)


def test_without_a_server_it_is_printed_to_the_log_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    connect(replace(outside(), prints_mail=True))
    # The operator wants to read warnings only; what pytest's handler takes is of all levels.
    with caplog.at_level(logging.WARNING):
        caplog.handler.setLevel(logging.NOTSET)
        attempt = mail()
    assert attempt.outcome is Outcome.DELIVERED
    assert "Printed to the server's log" in attempt.detail
    assert "Temperature 61.2 °C, above 50 °C" in caplog.text
    assert TWO[0] in caplog.text


def test_in_production_without_a_server_it_is_refused_and_says_what_to_set(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        attempt = mail()
    assert (attempt.outcome, attempt.reached) == (Outcome.REFUSED, ())
    assert "SMTP_URL" in attempt.detail
    assert TWO[0] not in caplog.text


@pytest.mark.parametrize(
    "recipients", [None, [], ["  "], ["nobody"], ["a@b.example\r\nBcc: c@d.example"], [5], "a@b", [""] * 3]
)
def test_what_is_no_address_cannot_be_written(recipients: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        channel_types()["email"].check({"recipients": recipients})
    assert list(caught.value.message_dict) == ["recipients"]


def test_addresses_are_kept_once_and_trimmed() -> None:
    kept = channel_types()["email"].check({"recipients": [" a@b.example ", "", "a@b.example", "c@d.example"]})
    assert kept == {"recipients": ["a@b.example", "c@d.example"]}
    assert channel_types()["email"].whereto(kept) == "a@b.example, c@d.example"


def test_a_domain_is_kept_as_mail_servers_read_it() -> None:
    kept = channel_types()["email"].check({"recipients": ["a@M\u00fcnchen.de"]})
    assert kept == {"recipients": ["a@xn--mnchen-3ya.de"]}


@pytest.mark.parametrize("address", ["j\u00fcrgen@w.example", "a@stra\u00dfe.de", "a@\u00fc..de"])
def test_what_no_mail_server_would_read_so_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        channel_types()["email"].check({"recipients": [address]})


def test_an_address_that_cannot_be_sent_to_keeps_none_from_the_others() -> None:
    kept = {"recipients": ["a@m\u00fcnchen.de", "j\u00fcrgen@w.example", "a b@@c", TWO[0]]}
    box = MailBox()
    with mail_server(box) as port:
        through(port)
        attempt = channel_types()["email"].send(kept, message())
    assert (attempt.outcome, attempt.reached) == (Outcome.DELIVERED, ("a@m\u00fcnchen.de", TWO[0]))
    assert box.letters[0].rcpt_tos == ["a@xn--mnchen-3ya.de", TWO[0]]
    assert "j\u00fcrgen@w.example" in attempt.detail
