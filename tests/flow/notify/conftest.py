from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.support.alerts import battery, rule_make
from tests.support.endpoints import Endpoint
from tests.support.notify import channel_make, waiting, work
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channels.outside import Outside, connect, outside
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import NewsItem, Notification, NotifyChannel
from wattkeeper.flow.rules.spec import RuleSpec

PUBLIC_URL = "https://w.example"


@pytest.fixture(autouse=True)
def _near() -> Iterator[None]:
    """Channels may reach this machine, and wait for nobody long."""
    before = outside()
    near = Outside(
        public_url=PUBLIC_URL,
        mail_from="Wattkeeper <us@w.example>",
        private_addresses=True,
        connect_seconds=5,
        read_seconds=5,
        total_seconds=10,
    )
    connect(near)
    yield
    connect(before)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def asset(tenant: Tenant) -> Asset:
    return battery(tenant, site="North hall")


@pytest.fixture
def rule(tenant: Tenant) -> RuleSpec:
    """CRITICAL, when a battery is hotter than 50 °C."""
    return rule_make(tenant)


class Present:
    """The present moment, which stands until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def move(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


def goes_by(present: Present, **by: float) -> None:
    """Time, with the worker at work whenever there is something to do; `goes_by(present, minutes=5)`."""
    end = present.at + timedelta(**by)
    moment = present.at
    while moment < end:
        present.at = moment
        work()
        work()  # what the first look has left to be done at once
        moment = min(_moments(present.at), default=end)
    present.at = end
    work()


def _moments(now: datetime) -> list[datetime]:
    """When something is due, or somebody's lease ends."""
    found = [
        *NewsItem.objects.filter(repeat_at__gt=now).values_list("repeat_at", flat=True),
        *Notification.objects.filter(claimed_until__gt=now).values_list("claimed_until", flat=True),
        *(one.due_at for one in waiting()),
    ]
    return [one for one in found if one is not None and one > now]


@pytest.fixture
def channel(tenant: Tenant, endpoint: Endpoint) -> NotifyChannel:
    """A webhook to the endpoint."""
    return channel_make(tenant, endpoint.url)


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> Present:
    """The clock of all that asks for the time; `present.move(minutes=5)`."""
    now = Present(datetime.fromisoformat("2026-06-01T10:00:00+00:00"))
    monkeypatch.setattr(clock, "now", lambda: now.at)
    return now


@pytest.fixture
def begun(db: None, present: Present) -> None:
    """What happens from now on is told."""
    transitions_gather()
