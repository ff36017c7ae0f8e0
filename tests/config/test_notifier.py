"""The worker that tells people: in threads of its own, beside who makes the alerts; and in a real server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes
from email.policy import default as policy
from pathlib import Path
from typing import Any

import pytest

from tests.support.alerts import battery, opened, rule_make
from tests.support.endpoints import Asked, Endpoint, MailBox, Reply, mail_server
from tests.support.notify import SECRET, channel_make, route_make, states
from tests.support.servers import PATIENCE_SECONDS, Server, command, home_make, serving, wait_until
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core import clock
from wattkeeper.config.notifier import Notifier
from wattkeeper.flow.notify.channels.outside import connect, outside
from wattkeeper.flow.notify.channels.webhook import signature_of
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import Delivery


def arrived(endpoint: Endpoint) -> Asked:
    """The next request that the endpoint is sent."""
    assert endpoint.arrived.acquire(timeout=PATIENCE_SECONDS), "nothing arrived"
    return endpoint.asked[-1]


@pytest.mark.django_db(transaction=True)
class TestInThreads:
    @pytest.fixture(autouse=True)
    def _near(self, transactional_db: None) -> Iterator[None]:
        """Channels may reach this machine; what happens from now on is told."""
        before = outside()
        connect(replace(before, private_addresses=True, read_seconds=PATIENCE_SECONDS, total_seconds=PATIENCE_SECONDS))
        transitions_gather()
        yield
        connect(before)

    @pytest.fixture
    def notifier(self) -> Iterator[Notifier]:
        running = Notifier()
        running.start()
        yield running
        running.stop()

    def test_an_alert_arrives(self, tenant: Tenant, notifier: Notifier) -> None:
        with Endpoint() as endpoint:
            route_make(channel_make(tenant, endpoint.url))
            opened(rule_make(tenant), battery(tenant), now=clock.now())
            assert arrived(endpoint).json["news"][0]["what"] == "opened"
            wait_until(lambda: states() == ["sent"], "it is noted")

    def test_a_channel_that_hangs_holds_up_no_other(self, tenant: Tenant, notifier: Notifier) -> None:
        with Endpoint(Reply(hangs=True)) as hanging, Endpoint() as good:
            route_make(channel_make(tenant, hanging.url, "Hangs"), group_seconds=0)
            route_make(channel_make(tenant, good.url, "Good"), group_seconds=0)
            for number in range(3):
                opened(rule_make(tenant), battery(tenant, f"B-{number}"), now=clock.now())
                arrived(good)
            assert len(hanging.asked) == 1
            hanging.let_go.set()
            wait_until(lambda: set(states()) == {"sent"}, "the one that hung is through, and what waited for it")

    def test_two_workers_tell_everything_once(self, tenant: Tenant, notifier: Notifier) -> None:
        other = Notifier()
        other.start()
        try:
            with Endpoint() as endpoint:
                route_make(channel_make(tenant, endpoint.url), group_seconds=0)
                for number in range(20):
                    opened(rule_make(tenant), battery(tenant, f"B-{number}"), now=clock.now())
                wait_until(lambda: len(told(endpoint)) >= 20, "all are told")
                wait_until(lambda: set(states()) == {"sent"}, "all are noted")
                assert sorted(told(endpoint)) == sorted(set(told(endpoint)))
                assert Delivery.objects.count() == len(endpoint.asked)
        finally:
            other.stop()

    def test_it_stops_although_an_endpoint_hangs(self, tenant: Tenant) -> None:
        with Endpoint(Reply(hangs=True)) as hanging:
            notifier = Notifier(stop_seconds=0.1)
            notifier.start()
            route_make(channel_make(tenant, hanging.url))
            opened(rule_make(tenant), battery(tenant), now=clock.now())
            arrived(hanging)
            notifier.stop()  # it would take as long as a test may take
            assert states() == ["sending"]
            hanging.let_go.set()
            wait_until(lambda: states() == ["sent"], "the thread that hung has noted what became of it")
            wait_until(lambda: not notifier._sending, "its connection is closed")


def told(endpoint: Endpoint) -> list[int]:
    return [one["alert_id"] for asked in list(endpoint.asked) for one in asked.json["news"]]


BATTERY = {
    "serial_number": "BAT-1",
    "battery_type": "Li-ion",
    "capacity": 5000,
    "voltage_nominal": 3.7,
    "current_charge": 60,
    "current_voltage": 3.7,
    "current_temperature": 25,
    "health_percentage": 100,
    "max_discharge_current": 10,
    "max_charge_current": 5,
}

CHANNELS = """
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.flow.notify.models import NotifyChannel, Route
tenant = Tenant.objects.get()
for name, type_name, settings in {channels!r}:
    channel = NotifyChannel.objects.create(tenant=tenant, name=name, type=type_name, settings=settings)
    Route.objects.create(tenant=tenant, channel=channel, group_seconds=0)
"""


def channels_make(home: Path, *channels: tuple[str, str, dict[str, Any]]) -> None:
    """Channels of the only tenant, and a route for each, as an admin makes them."""
    command("shell", "--no-imports", "-c", CHANNELS.format(channels=list(channels)), home=home).check_returncode()


def heat(server: Server) -> None:
    """A battery says that it is too hot."""
    with server.client() as client:
        made = client.post(f"{server.url}/api/batteries/", json=BATTERY)
        assert made.status_code == 201, made.text
        path = f"{server.url}/api/batteries/{made.json()['id']}/update_status/"
        assert client.post(path, json={"current_temperature": 61.2}).status_code == 200


class TestInAServer:
    def test_a_reading_that_breaches_becomes_a_mail_and_a_signed_webhook(self, tmp_path: Path) -> None:
        home, box = tmp_path / "home", MailBox()
        key = home_make(home)
        with Endpoint() as endpoint, mail_server(box) as port:
            hook = ("Hook", "webhook", {"url": endpoint.url, "secret": SECRET})
            channels_make(home, ("Mail", "email", {"recipients": ["night@w.example"]}), hook)
            outside_of = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "MAIL_FROM": "Us <us@w.example>"}
            with serving(home, key=key, PUBLIC_URL="https://w.example", **outside_of) as server:
                heat(server)
                asked = arrived(endpoint)
                assert box.arrived.wait(PATIENCE_SECONDS)
                assert server.stop() == 0
        (news,) = asked.json["news"]
        assert (news["asset_key"], news["alert_type"], news["level"]) == ("BAT-1", "OVER_TEMPERATURE", "CRITICAL")
        stamp = int(asked.headers["x-wattkeeper-signature"].split(",")[0].removeprefix("t="))
        assert asked.headers["x-wattkeeper-signature"] == signature_of(SECRET, asked.body, at=stamp)
        assert box.letters[0].rcpt_tos == ["night@w.example"]
        letter = message_from_bytes(box.letters[0].content or b"", policy=policy)
        assert letter["Subject"] == "CRITICAL: Over temperature of BAT-1"
        text = letter.get_body(("plain",))
        assert text is not None and news["address"] in text.get_content()
        assert news["address"].startswith("https://w.example/alerts/")
        assert SECRET not in server.output

    def test_what_a_killed_server_was_sending_is_sent_again_as_the_same_event(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        key = home_make(home)
        with Endpoint(Reply(hangs=True), Reply()) as endpoint:
            channels_make(home, ("Hook", "webhook", {"url": endpoint.url, "secret": SECRET}))
            with serving(home, key=key) as server:
                heat(server)
                first = arrived(endpoint)
                server.kill_group()
                lease_over(home)
                server.start()
                second = arrived(endpoint)
                wait_until(lambda: noted(home) == [("sent", 2)], "the second attempt is noted")
                assert server.stop() == 0
        assert first.headers["x-wattkeeper-event"] == second.headers["x-wattkeeper-event"]
        assert first.body == second.body
        assert attempts(home) == [("later", None), ("delivered", 200)]

    def test_a_server_stops_although_an_endpoint_hangs(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        key = home_make(home)
        with Endpoint(Reply(hangs=True)) as endpoint:
            channels_make(home, ("Hook", "webhook", {"url": endpoint.url, "secret": SECRET}))
            with serving(home, key=key) as server:
                heat(server)
                arrived(endpoint)
                assert server.stop() == 0
        assert "Traceback" not in server.output
        assert noted(home) == [("sending", 1)]


def lease_over(home: Path) -> None:
    """As if a minute had passed."""
    with closing(sqlite3.connect(home / "wattkeeper.sqlite3")) as database, database:
        database.execute("UPDATE notify_notification SET claimed_until = '2000-01-01 00:00:00'")


def attempts(home: Path) -> list[tuple[str, int | None]]:
    with closing(sqlite3.connect(home / "wattkeeper.sqlite3", timeout=20)) as database:
        return database.execute("SELECT outcome, status FROM notify_delivery ORDER BY id").fetchall()


def noted(home: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(home / "wattkeeper.sqlite3", timeout=20)) as database:
        return database.execute("SELECT state, attempts FROM notify_notification").fetchall()
