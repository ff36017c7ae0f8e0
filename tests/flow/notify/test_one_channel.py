"""Several routes into one channel: it hears once of what happens once, as soon as any of them would tell it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.flow.notify.conftest import Present, goes_by
from tests.support.alerts import battery, opened, posted
from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import channel_make, heard, route_make, states, work
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.actions import (
    alert_acknowledge,
    alert_change,
    alert_resolve,
    alert_shelve,
    alert_unshelve,
)
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.actions import route_change, route_remove
from wattkeeper.flow.notify.models import NewsItem, Notification, NotifyChannel, Route
from wattkeeper.flow.notify.route_fields import fields_of
from wattkeeper.flow.rules.spec import RuleSpec

pytestmark = pytest.mark.usefixtures("begun")

NIGHT = {"quiet_from": time(22), "quiet_until": time(6)}
MORNING = datetime(2026, 6, 2, 6, tzinfo=UTC)


@pytest.fixture
def night(present: Present) -> None:
    present.at = MORNING - timedelta(hours=7)


def change(route: Route, **values: Any) -> None:
    route.refresh_from_db()
    route_change(route, fields=replace(fields_of(route), **values), actor="test")


class TestWhatOpens:
    def test_two_routes_tell_it_once(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint
    ) -> None:
        route_make(channel)
        route_make(channel)
        opened(rule, asset, now=clock.now())
        assert sorted(work()) == ["dropped", "sent"]
        assert heard(endpoint) == [["opened"]]
        assert Notification.objects.get(state="dropped").why == "The channel has heard it by another message already."

    def test_the_one_that_gathers_for_less_long_tells_it(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        slow, quick = route_make(channel, group_seconds=300), route_make(channel, group_seconds=60)
        posted(asset)
        work()
        present.move(seconds=60)
        work()
        assert heard(endpoint) == [["opened"]]
        assert Notification.objects.get(state="sent").route == quick
        goes_by(present, minutes=5)
        assert heard(endpoint) == [["opened"]]
        assert Notification.objects.get(route=slow).state == "dropped"

    def test_the_other_still_tells_what_only_it_wants(
        self, channel: NotifyChannel, tenant: Tenant, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, group_seconds=60)
        route_make(channel, group_seconds=10, site="North hall")
        both, one = posted(asset), posted(battery(tenant, "BAT-2", site="South hall"))
        goes_by(present, minutes=3)
        told = [[news["alert_id"] for news in asked.json["news"]] for asked in endpoint.asked]
        assert told == [[both.pk], [one.pk]]

    def test_two_channels_hear_it_each(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint
    ) -> None:
        route_make(channel)
        route_make(channel_make(channel.tenant, endpoint.url, "Other"))
        opened(rule, asset, now=clock.now())
        assert work() == ["sent", "sent"]

    def test_where_the_first_does_not_arrive_the_other_tells_it(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        endpoint.replies = [Reply(404), Reply()]
        route_make(channel)
        route_make(channel)
        opened(rule, asset, now=clock.now())
        assert work() == ["failed", "sent"]

    def test_a_shelf_that_ends_is_told_once(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        route_make(channel)
        alert = opened(rule, asset, now=clock.now())
        work()
        for _ in range(2):
            alert_shelve(alert, reason="known", until=clock.now() + timedelta(hours=1), by="user:1")
            present.move(minutes=10)
            alert_unshelve(alert, by="user:1")
            present.move(minutes=5)
            work()
        assert heard(endpoint) == [["opened"], ["announced"], ["announced"]]

    def test_a_level_that_is_raised_is_told_by_who_wants_it_since(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, repeat_minutes=0)
        route_make(channel, least_level="CRITICAL", repeat_minutes=0)
        route_make(channel, least_level="CRITICAL", repeat_minutes=0)
        alert = posted(asset)
        goes_by(present, minutes=2)
        alert_change(alert, by="user:1", level=Level.CRITICAL)
        goes_by(present, minutes=2)
        assert [asked.json["news"][0]["level"] for asked in endpoint.asked] == ["WARNING", "CRITICAL"]

    def test_what_was_told_with_its_level_is_not_told_for_the_level(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, group_seconds=60, repeat_minutes=0)
        route_make(channel, least_level="ERROR", group_seconds=300, repeat_minutes=0)
        alert = posted(asset)
        work()
        present.move(seconds=30)
        alert_change(alert, by="user:1", level=Level.ERROR)
        goes_by(present, minutes=10)
        assert [asked.json["news"][0]["level"] for asked in endpoint.asked] == ["ERROR"]


@pytest.mark.usefixtures("night")
class TestQuietHours:
    @pytest.mark.parametrize("quiet_first", [True, False], ids=["quiet one first", "loud one first"])
    def test_what_another_route_tells_in_the_night_is_not_told_in_the_morning(
        self, quiet_first: bool, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        for is_quiet in (quiet_first, not quiet_first):
            route_make(channel, repeat_minutes=0, **(NIGHT if is_quiet else {}))
        posted(asset)
        goes_by(present, minutes=1)
        assert heard(endpoint) == [["opened"]]
        present.at = MORNING
        goes_by(present, minutes=60)
        assert heard(endpoint) == [["opened"]]
        assert sorted(states()) == ["dropped", "sent"]

    def test_nor_as_still_open_before_the_morning_has_gone_on_for_a_pause(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, repeat_minutes=60, **NIGHT)
        route_make(channel, repeat_minutes=0)
        posted(asset)
        goes_by(present, minutes=1)
        present.at = MORNING
        goes_by(present, minutes=59)
        assert heard(endpoint) == [["opened"]]
        goes_by(present, minutes=2)
        assert heard(endpoint) == [["opened"], ["repeated"]]

    def test_what_is_over_in_the_night_is_told_once(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, **NIGHT)
        route_make(channel)
        alert = posted(asset)
        goes_by(present, minutes=1)
        alert_resolve(alert, by="user:1")
        goes_by(present, minutes=1)
        present.at = MORNING
        goes_by(present, minutes=1)
        assert heard(endpoint) == [["opened"], ["resolved"]]


class TestWhatIsOver:
    @pytest.mark.parametrize("which", [0, 1], ids=["the first says so", "the second says so"])
    def test_who_heard_of_it_by_one_route_hears_of_its_end_by_the_other(
        self, which: int, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        for number, seconds in enumerate((30, 300)):
            route_make(channel, group_seconds=seconds, tells_cleared=number == which)
        alert = posted(asset)
        goes_by(present, minutes=2)
        alert_resolve(alert, by="user:1")
        goes_by(present, minutes=6)
        assert heard(endpoint) == [["opened"], ["resolved"]]

    def test_both_tell_it_once(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        route_make(channel, group_seconds=60)
        alert = posted(asset)
        goes_by(present, minutes=2)
        alert_resolve(alert, by="user:1")
        goes_by(present, minutes=2)
        assert heard(endpoint) == [["opened"], ["resolved"]]

    def test_a_route_that_was_not_to_tell_of_it_does_not_tell_its_end(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, tells_cleared=False)
        route_make(channel, least_level="CRITICAL")
        alert = posted(asset)
        goes_by(present, minutes=1)
        alert_resolve(alert, by="user:1")
        goes_by(present, minutes=1)
        assert heard(endpoint) == [["opened"]]


class TestRepeating:
    @pytest.mark.parametrize(
        ("pauses", "expected"),
        [((60, 60), 3), ((60, 0), 3), ((0, 60), 3), ((30, 60), 6), ((60, 30), 6), ((60, 45), 4), ((0, 0), 0)],
        ids=str,
    )
    @pytest.mark.parametrize("level", [Level.WARNING, Level.CRITICAL])
    def test_it_is_repeated_as_often_as_the_most_eager_route_does(
        self,
        level: Level,
        pauses: tuple[int, int],
        expected: int,
        channel: NotifyChannel,
        asset: Asset,
        endpoint: Endpoint,
        present: Present,
    ) -> None:
        for pause in pauses:
            route_make(channel, repeat_minutes=pause)
        alert = posted(asset, level=level)
        goes_by(present, minutes=190)
        assert heard(endpoint) == [["opened"], *[["repeated"]] * expected]
        assert Notification.objects.filter(state="dropped").count() <= 1  # of the opening; nothing each hour
        alert_acknowledge(alert, by="user:1")
        goes_by(present, minutes=130)
        assert len(endpoint.asked) == 1 + expected

    @pytest.mark.parametrize("level", [Level.WARNING, Level.CRITICAL])
    def test_who_had_nothing_left_to_tell_goes_on_when_the_other_is_gone(
        self, level: Level, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        told, _ = route_make(channel), route_make(channel, group_seconds=60)
        posted(asset, level=level)
        goes_by(present, minutes=5)
        route_remove(told, actor="test")
        goes_by(present, minutes=60)
        assert heard(endpoint) == [["opened"], ["repeated"]]

    def test_a_route_that_begins_to_repeat_tells_what_another_has_told(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        routes = [route_make(channel, repeat_minutes=0) for _ in range(2)]
        opened(rule, asset, now=clock.now())
        assert work() == ["sent", "dropped"]
        change(routes[1], repeat_minutes=30)
        goes_by(present, minutes=31)
        assert heard(endpoint) == [["opened"], ["repeated"]]


class TestWhatIsOwed:
    @pytest.mark.parametrize("pause", [0, 60])
    def test_what_was_off_does_not_tell_what_another_has_told(
        self, pause: int, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        late, _ = route_make(channel, group_seconds=300, repeat_minutes=pause), route_make(channel, repeat_minutes=0)
        posted(asset)
        goes_by(present, minutes=1)
        change(late, enabled=False)
        goes_by(present, minutes=1)
        change(late, enabled=True)
        goes_by(present, minutes=20)
        assert heard(endpoint) == [["opened"]]

    def test_a_route_that_moves_to_a_channel_that_knows_says_nothing_new(
        self, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        moving = route_make(channel_make(channel.tenant, endpoint.url, "Other"), group_seconds=300, repeat_minutes=0)
        route_make(channel, repeat_minutes=0)
        posted(asset)
        goes_by(present, minutes=1)
        change(moving, channel_id=channel.pk)
        goes_by(present, minutes=10)
        assert heard(endpoint) == [["opened"]]


class TestWhateverHappens:
    """A day of chance: what a channel hears is what happened, each thing once."""

    @pytest.fixture(params=range(5))
    def chance(self, request: pytest.FixtureRequest) -> Iterator[random.Random]:
        yield random.Random(request.param)

    def test_a_channel_hears_of_each_thing_once(
        self, chance: random.Random, channel: NotifyChannel, tenant: Tenant, endpoint: Endpoint, present: Present
    ) -> None:
        present.at = datetime(2026, 6, 1, 18, tzinfo=UTC)
        routes = [
            route_make(
                channel,
                group_seconds=chance.choice([0, 30, 300]),
                repeat_minutes=chance.choice([0, 30, 60]),
                tells_cleared=chance.random() < 0.5,
                least_level=chance.choice(["WARNING", "WARNING", "CRITICAL"]),
                **(NIGHT if chance.random() < 0.5 else {}),
            )
            for _ in range(chance.randint(2, 4))
        ]
        things = [battery(tenant, f"B-{number}") for number in range(4)]
        alerts: list[Alert] = []
        for _ in range(80):
            now = chance.random()
            if now < 0.08:
                alerts.append(posted(chance.choice(things), level=chance.choice([Level.WARNING, Level.CRITICAL])))
            elif alerts and now < 0.12:
                alert_resolve(Alert.objects.get(pk=chance.choice(alerts).pk), by="user:1")
            elif alerts and now < 0.14:
                alert_acknowledge(Alert.objects.get(pk=chance.choice(alerts).pk), by="user:1")
            elif now < 0.16:
                route = chance.choice(routes)
                route.refresh_from_db()
                change(route, enabled=not route.enabled)
            work()
            present.move(minutes=chance.choice([0.1, 1, 10]))
        self._is_true(endpoint, min((route.repeat_minutes for route in routes if route.repeat_minutes), default=None))

    def _is_true(self, endpoint: Endpoint, pause: int | None) -> None:
        said: dict[int, list[tuple[str, datetime]]] = {}
        for asked in endpoint.asked:
            at = datetime.fromisoformat(asked.json["sent_at"])
            for one in asked.json["news"]:
                said.setdefault(one["alert_id"], []).append((one["what"], at))
        assert said
        for heard_of in said.values():
            words = [what for what, _ in heard_of]
            counted = Counter(words)
            assert words[0] == "opened"
            assert counted["opened"] == 1
            assert counted["resolved"] <= 1
            assert "resolved" not in words[:-1]
            times = [at for what, at in heard_of if what != "resolved"]
            apart = [after - before for before, after in pairwise(times)]
            assert not apart or (pause and min(apart) >= timedelta(minutes=pause))


def test_one_that_hears_of_it_by_several_has_one_item_a_route(
    channel: NotifyChannel, rule: RuleSpec, asset: Asset
) -> None:
    routes = [route_make(channel) for _ in range(3)]
    opened(rule, asset, now=clock.now())
    work()
    assert NewsItem.objects.count() == len(routes)
    assert NewsItem.objects.exclude(told_as="").count() == 1
