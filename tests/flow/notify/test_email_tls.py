"""Mail over TLS: to the server that it is meant for, encrypted, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.flow.notify.conftest import Present
from tests.support.alerts import posted
from tests.support.certificates import Certificate, certificate_make
from tests.support.endpoints import MailBox, mail_server
from tests.support.notify import channel_make, route_make, work
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.flow.notify.channels.outside import Smtp, connect, outside
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import Delivery

pytestmark = pytest.mark.needs("openssl")

PASSWORD = "a-password-of-our-own"
TO = "shift@w.example"
WAYS = ["smtps", "starttls"]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_make(tmp_path_factory.mktemp("ours"), "localhost")


@pytest.fixture(scope="module")
def of_another_name(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_make(tmp_path_factory.mktemp("other"), "mail.example")


@pytest.fixture(autouse=True)
def _news(db: None, present: Present, tenant: Tenant, asset: Asset) -> None:
    """Something that is to be told by mail at once."""
    transitions_gather()
    route_make(channel_make(tenant, type="email", settings={"recipients": [TO]}))
    posted(asset, level=Level.CRITICAL)


@contextmanager
def serving(way: str, shown: Certificate, *, trusted: Certificate, monkeypatch: Any, **login: str) -> Iterator[MailBox]:
    """A mail server at `localhost` that shows the one certificate, to a machine that trusts the other."""
    box = MailBox()
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.path))
    tls = {"tls" if way == "smtps" else "starttls": shown.context()}
    with mail_server(box, password=login.get("password", ""), **tls) as port:
        server = Smtp(host="localhost", port=port, is_tls=way == "smtps", **login)
        connect(replace(outside(), smtp=server))
        yield box


@pytest.mark.parametrize("way", WAYS)
class TestACertificate:
    def test_that_is_good_carries_the_mail(self, way: str, ours: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(way, ours, trusted=ours, monkeypatch=monkeypatch) as box:
            assert work() == ["sent"]
        assert [letter.rcpt_tos for letter in box.letters] == [[TO]]
        assert box.in_clear == []

    @pytest.mark.filterwarnings("ignore:Requiring AUTH")
    def test_that_is_good_carries_a_password(
        self, way: str, ours: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        login = {"user": "us", "password": PASSWORD}
        with serving(way, ours, trusted=ours, monkeypatch=monkeypatch, **login) as box:
            assert work() == ["sent"]
        assert len(box.letters) == 1

    def test_of_another_name_carries_nothing(
        self, way: str, of_another_name: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(way, of_another_name, trusted=of_another_name, monkeypatch=monkeypatch) as box:
            self._is_refused(box, "Hostname mismatch, certificate is not valid for 'localhost'.")

    def test_that_nobody_trusts_carries_nothing(
        self, way: str, ours: Certificate, of_another_name: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(way, ours, trusted=of_another_name, monkeypatch=monkeypatch) as box:
            self._is_refused(box, "self-signed certificate")

    def _is_refused(self, box: MailBox, reason: str) -> None:
        """It is in the log, with its reason, and tried again: whoever runs the mail server may mend it."""
        assert work() == ["waiting"]
        assert (box.letters, box.in_clear) == ([], [])
        (attempt,) = Delivery.objects.all()
        assert attempt.outcome == "later"
        assert attempt.detail == f"The mail server's certificate is not valid: {reason}"


class TestWhatCannotBeEncrypted:
    def test_a_server_that_takes_back_its_offer_gets_nothing(self) -> None:
        class Fickle(MailBox):
            async def handle_EHLO(
                self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
            ) -> list[str]:
                session.host_name = hostname
                return [*responses[:-1], "250-STARTTLS", responses[-1]]

        box = Fickle()
        with mail_server(box) as port:
            connect(replace(outside(), smtp=Smtp(host="localhost", port=port)))
            assert work() == ["waiting"]
        assert (box.letters, box.in_clear) == ([], [])
        assert "454 TLS not available" in Delivery.objects.get().detail

    def test_a_server_without_tls_gets_nothing_where_it_is_to_have_it(self) -> None:
        box = MailBox()
        with mail_server(box) as port:
            connect(replace(outside(), smtp=Smtp(host="localhost", port=port, is_tls=True)))
            assert work() == ["waiting"]
        assert (box.letters, box.in_clear) == ([], [])
        assert Delivery.objects.get().detail.startswith("No encryption could be agreed on with the mail server: ")
