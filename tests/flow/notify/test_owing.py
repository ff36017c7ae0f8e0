"""What is dropped before it was told, while its alert is open: its route owes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.flow.notify.conftest import Present
from tests.support.alerts import opened, posted
from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import channel_make, heard, route_make, states, work
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.actions import alert_acknowledge, alert_resolve
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.actions import channel_change, channel_remove, route_change, route_remove
from wattkeeper.flow.notify.models import NewsItem, Notification, NotifyChannel, Route
from wattkeeper.flow.notify.route_fields import fields_of
from wattkeeper.flow.rules.spec import RuleSpec

pytestmark = pytest.mark.usefixtures("begun")


@pytest.fixture
def elsewhere() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture(params=[0, 60], ids=["tells once", "repeats"])
def route(channel: NotifyChannel, request: pytest.FixtureRequest) -> Route:
    return route_make(channel, repeat_minutes=request.param)


@pytest.fixture
def waits(route: Route, asset: Asset) -> Alert:
    """A warning whose message is still gathering."""
    alert = posted(asset)
    assert work() == ["gathering"]
    return alert


def change(route: Route, **values: Any) -> None:
    route.refresh_from_db()
    route_change(route, fields=replace(fields_of(route), **values), actor="test")


def switch(channel: NotifyChannel, *, enabled: bool) -> None:
    channel.refresh_from_db()
    channel_change(channel, enabled=enabled, actor="test")


def a_while(present: Present) -> None:
    """Long enough for what waits, too short for what repeats."""
    for _ in range(4):
        present.move(seconds=30)
        work()


def test_a_route_that_moves_tells_it_where_it_leads_now(
    route: Route, waits: Alert, endpoint: Endpoint, elsewhere: Endpoint, present: Present
) -> None:
    change(route, channel_id=channel_make(route.tenant, elsewhere.url, "Other").pk)
    a_while(present)
    assert heard(elsewhere) == [["opened"]]
    assert not endpoint.asked
    alert_resolve(waits, by="user:1")
    a_while(present)
    assert heard(elsewhere) == [["opened"], ["resolved"]]


@pytest.mark.parametrize("which", ["route", "channel"])
def test_what_was_off_tells_it_when_it_is_on(
    which: str, route: Route, channel: NotifyChannel, waits: Alert, endpoint: Endpoint, present: Present
) -> None:
    switches = {"route": lambda on: change(route, enabled=on), "channel": lambda on: switch(channel, enabled=on)}
    switches[which](False)
    a_while(present)
    assert (states(), endpoint.asked) == (["dropped"], [])
    present.move(days=1)
    switches[which](True)
    a_while(present)
    assert heard(endpoint) == [["opened"]]


def test_it_is_owed_however_often_it_is_switched_off(
    route: Route, waits: Alert, endpoint: Endpoint, present: Present
) -> None:
    for _ in range(3):
        change(route, enabled=False)
        work()
        change(route, enabled=True)
        work()
    a_while(present)
    assert heard(endpoint) == [["opened"]]


@pytest.mark.parametrize("how", [alert_resolve, alert_acknowledge])
def test_what_is_taken_care_of_meanwhile_is_not_owed(
    how: Any, route: Route, waits: Alert, endpoint: Endpoint, present: Present
) -> None:
    change(route, enabled=False)
    how(waits, by="user:1")
    change(route, enabled=True)
    a_while(present)
    assert not endpoint.asked


@pytest.mark.parametrize("which", ["route", "channel"])
def test_what_is_removed_owes_nothing(
    which: str, route: Route, channel: NotifyChannel, waits: Alert, endpoint: Endpoint, present: Present
) -> None:
    if which == "route":
        route_remove(route, actor="test")
    else:
        channel_remove(channel, actor="test")
    a_while(present)
    assert not endpoint.asked
    assert not NewsItem.objects.filter(repeat_at__isnull=False).exists()


def test_what_was_told_is_not_owed(
    channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
) -> None:
    route = route_make(channel, repeat_minutes=0)
    opened(rule, asset, now=clock.now())
    assert work() == ["sent"]
    change(route, enabled=False)
    change(route, enabled=True)
    a_while(present)
    assert heard(endpoint) == [["opened"]]


def test_what_waits_for_another_attempt_goes_the_new_way(
    route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, elsewhere: Endpoint, present: Present
) -> None:
    endpoint.replies = [Reply(500)]
    opened(rule, asset, now=clock.now())
    assert work() == ["waiting"]
    # As somebody else's change is written while the attempt is under way: nothing waits then.
    Route.objects.update(channel=channel_make(route.tenant, elsewhere.url, "Other"))
    a_while(present)
    assert Notification.objects.order_by("pk")[0].why == "Its route leads to another channel now."
    assert (len(endpoint.asked), heard(elsewhere)) == (1, [["opened"]])


class TestARouteThatIsChanged:
    @pytest.fixture
    def told(self, channel: NotifyChannel, rule: RuleSpec, asset: Asset) -> Route:
        """It has told of a critical alert, and would tell it again in an hour."""
        made = route_make(channel)
        opened(rule, asset, now=clock.now())
        assert work() == ["sent"]
        return made

    @pytest.mark.parametrize("values", [{"kind": "vehicle"}, {"site": "South hall"}], ids=str)
    def test_one_that_is_narrowed_does_not_go_on_about_the_rest(
        self, values: Any, told: Route, endpoint: Endpoint, present: Present
    ) -> None:
        Route.objects.update(**values)
        present.move(hours=1)
        assert work() == ["sent"]

    def test_it_repeats_by_the_pause_that_it_has_now(self, told: Route, endpoint: Endpoint, present: Present) -> None:
        change(told, repeat_minutes=10)
        present.move(minutes=9)
        assert work() == ["sent"]
        present.move(minutes=1)
        assert work() == ["sent", "sent"]
        change(told, repeat_minutes=0)
        present.move(hours=3)
        assert work() == ["sent", "sent"]
        change(told, repeat_minutes=30)
        assert work() == ["sent"] * 3
        assert heard(endpoint) == [["opened"], ["repeated"], ["repeated"]]
