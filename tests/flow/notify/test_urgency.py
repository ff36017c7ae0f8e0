"""What is critical is told at once, whoever else waits or hangs; what somebody has taken on, or is over, can wait."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest

from tests.flow.notify.conftest import Present
from tests.support.alerts import apply, battery, clear, opened, posted
from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import channel_make, route_make, waiting, work
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.actions import alert_acknowledge, alert_change, alert_resolve
from wattkeeper.flow.notify.deliver import MOST_OF_TENANT, claims_take
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import Notification, NotifyChannel, Route
from wattkeeper.flow.rules.spec import RuleSpec

pytestmark = pytest.mark.usefixtures("begun")


@pytest.fixture
def slow(channel: NotifyChannel) -> Route:
    """A route that gathers for ten minutes."""
    return route_make(channel, group_seconds=600)


def critical(tenant: Tenant, rule: RuleSpec, key: str) -> None:
    opened(rule, battery(tenant, key), now=clock.now())


def heard(endpoint: Endpoint) -> list[list[tuple[str, str]]]:
    return [[(one["what"], one["level"]) for one in asked.json["news"]] for asked in endpoint.asked]


class TestTheCritical:
    def test_more_of_it_waits_half_a_minute_however_long_the_route_gathers(
        self, slow: Route, tenant: Tenant, rule: RuleSpec, endpoint: Endpoint, present: Present
    ) -> None:
        critical(tenant, rule, "B-1")
        work()
        present.move(seconds=1)
        critical(tenant, rule, "B-2")
        assert work() == ["sent", "gathering"]
        present.move(seconds=29)
        assert work() == ["sent", "sent"]

    def test_a_message_without_it_does_not_hold_it_up(
        self, channel: NotifyChannel, tenant: Tenant, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(channel)
        posted(asset)
        work()
        present.move(seconds=30)
        assert work() == ["sent"]
        critical(tenant, rule, "B-2")
        assert work() == ["sent", "sent"]

    def test_that_it_is_over_holds_up_nothing(
        self, channel: NotifyChannel, tenant: Tenant, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(channel)
        opened(rule, asset, now=clock.now())
        work()
        apply(clear(rule, asset, 60), now=clock.now())
        present.move(minutes=5)
        assert work() == ["sent", "gathering"]  # nor is it urgent itself
        present.move(seconds=30)
        assert work() == ["sent", "sent"]
        critical(tenant, rule, "B-2")
        assert work() == ["sent"] * 3

    def test_in_a_channel_that_fails_a_storm_of_it_is_one_message_in_half_a_minute(
        self, channel: NotifyChannel, tenant: Tenant, rule: RuleSpec, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        endpoint.replies = [Reply(500)]
        for number in range(20):
            critical(tenant, rule, f"B-{number}")
            work()
            present.move(seconds=1)
        assert Notification.objects.count() == 2

    def test_it_is_taken_before_what_was_due_earlier(
        self, tenant: Tenant, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        channels = [channel_make(tenant, name=name) for name in ("First", "Second")]
        route_make(channels[0], least_level="WARNING")
        posted(asset)
        transitions_gather()
        Route.objects.update(least_level="CRITICAL", channel=channels[1])
        present.move(minutes=5)
        Notification.objects.update(route=None, is_test=True)
        critical(tenant, rule, "B-2")
        transitions_gather()
        assert [claim.channel_id for claim in claims_take({}, most=2)] == [channels[1].pk, channels[0].pk]

    def test_it_does_not_wait_for_a_tenants_channels_that_hang(self, tenant: Tenant, rule: RuleSpec) -> None:
        hanging = {channel_make(tenant, name=f"Hangs {number}").pk: tenant.pk for number in range(MOST_OF_TENANT)}
        good = channel_make(tenant, name="Good")
        route_make(good)
        critical(tenant, rule, "B-1")
        transitions_gather()
        Notification.objects.create(
            tenant=tenant, channel=channel_make(tenant, name="Other"), is_test=True, due_at=clock.now()
        )
        assert [claim.channel_id for claim in claims_take(hanging, most=10)] == [good.pk]


class TestALevelThatIsRaised:
    @pytest.fixture
    def picky(self, channel: NotifyChannel) -> Route:
        return route_make(channel, least_level="CRITICAL", repeat_minutes=0)

    def test_who_wants_it_now_is_told_once(
        self, picky: Route, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        alert = posted(asset)
        assert work() == []
        alert_change(alert, by="user:1", level=Level.CRITICAL)
        work()
        alert_change(alert, by="user:1", level=Level.ERROR)
        alert_change(alert, by="user:1", level=Level.CRITICAL)
        work()
        present.move(minutes=1)
        work()
        assert heard(endpoint) == [[("opened", "CRITICAL")]]

    def test_who_has_been_told_is_not_told_again(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        alert = posted(asset)
        work()
        present.move(minutes=1)
        work()
        alert_change(alert, by="user:1", level=Level.CRITICAL)
        present.move(minutes=1)
        assert work() == ["sent"]

    def test_what_waits_for_the_morning_is_told_in_the_night_and_not_again(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        present.at = datetime(2026, 6, 1, 23, tzinfo=UTC)
        route_make(channel, quiet_from=time(22), quiet_until=time(6), repeat_minutes=0)
        alert = posted(asset)
        assert work() == ["waiting"]
        alert_change(alert, by="user:1", level=Level.CRITICAL)
        assert work() == ["waiting", "sent"]
        present.move(hours=8)
        assert work() == ["dropped", "sent"]
        assert heard(endpoint) == [[("opened", "CRITICAL")]]

    @pytest.mark.parametrize("values", [{"level": Level.INFO}, {"message": "Other words"}], ids=str)
    def test_other_changes_are_no_news(self, values: Any, channel: NotifyChannel, asset: Asset) -> None:
        alert = posted(asset)
        transitions_gather()
        route_make(channel, least_level="INFO")
        alert_change(alert, by="user:1", **values)
        assert work() == []


class TestWhatSomebodyHas:
    def test_it_is_not_told_as_new(self, slow: Route, asset: Asset, endpoint: Endpoint, present: Present) -> None:
        alert = posted(asset)
        work()
        alert_acknowledge(alert, by="user:1")
        present.move(minutes=10)
        assert work() == ["dropped"]
        alert_resolve(alert, by="user:1")
        present.move(minutes=10)
        assert work() == ["dropped"]
        assert not endpoint.asked

    def test_it_is_told_where_it_may_have_been_told_already(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        endpoint.replies = [Reply(cuts=True), Reply()]
        alert = opened(rule, asset, now=clock.now())
        assert work() == ["waiting"]
        alert_acknowledge(alert, by="user:1")
        present.move(seconds=30)
        assert work() == ["sent"]


class TestTheNight:
    def test_that_the_critical_is_over_wakes_nobody(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        present.at = datetime(2026, 6, 1, 23, tzinfo=UTC)
        route_make(channel, quiet_from=time(22), quiet_until=time(6))
        opened(rule, asset, now=clock.now())
        assert work() == ["sent"]
        apply(clear(rule, asset, 60), now=clock.now())
        assert work() == ["sent", "waiting"]
        assert waiting()[0].due_at == datetime(2026, 6, 2, 6, tzinfo=UTC)

    def test_quiet_hours_with_seconds_hold_from_their_minute(
        self, channel: NotifyChannel, asset: Asset, present: Present
    ) -> None:
        present.at = datetime(2026, 6, 1, 22, 0, 45, tzinfo=UTC)
        route_make(channel, quiet_from=time(22, 0, 30), quiet_until=time(6, 0, 30))
        posted(asset)
        assert work() == ["waiting"]
        assert waiting()[0].due_at == datetime(2026, 6, 2, 6, tzinfo=UTC)
