"""What happens to alerts becomes notifications: each thing once, together with what comes at the same time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.flow.notify.conftest import Present
from tests.support.alerts import apply, battery, breach, clear, opened, posted, rule_make
from tests.support.endpoints import Endpoint
from tests.support.notify import channel_make, heard, route_make, states, waiting, work
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.actions import alert_acknowledge, alert_resolve, alert_shelve, alert_unshelve
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify import gather, joining
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import GatherMark, NewsItem, Notification, NotifyChannel, Route
from wattkeeper.flow.notify.repeat import news_repeat
from wattkeeper.flow.rules.spec import RuleSpec

pytestmark = pytest.mark.usefixtures("begun")


@pytest.fixture
def route(channel: NotifyChannel) -> Route:
    """All from WARNING on, in groups of 30 s, again each hour."""
    return route_make(channel)


@pytest.fixture
def warning(asset: Asset) -> Callable[..., Alert]:
    return lambda **values: posted(values.pop("asset", asset), **values)


class TestWhatIsTold:
    def test_an_alert_that_opens_is_told_to_who_wants_it(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint
    ) -> None:
        alert = opened(rule, asset, now=clock.now())
        assert work() == ["sent"]
        (asked,) = endpoint.asked
        (news,) = asked.json["news"]
        assert (news["alert_id"], news["what"], news["level"]) == (alert.pk, "opened", "CRITICAL")
        assert (news["asset_key"], news["site"]) == ("BAT-1", "North hall")
        assert news["address"] == f"https://w.example/alerts/{alert.pk}/"
        assert asked.json["title"] == "CRITICAL: Over temperature of BAT-1"

    def test_nothing_of_what_was_before_the_first_start_is_told(
        self, route: Route, rule: RuleSpec, asset: Asset
    ) -> None:
        GatherMark.objects.all().delete()
        opened(rule, asset, now=clock.now())
        assert work() == []
        opened(rule_make(asset.tenant), asset, now=clock.now())
        assert work() == ["sent"]
        assert NewsItem.objects.count() == 1

    @pytest.mark.parametrize(
        "values",
        [
            {"kind": "vehicle"},
            {"site": "South hall"},
            {"least_level": "CRITICAL"},
            {"enabled": False},
            {"removed_at": datetime(2026, 1, 1, tzinfo=UTC)},
        ],
        ids=str,
    )
    def test_a_route_tells_nothing_else(self, values: Any, channel: NotifyChannel, warning: Any) -> None:
        route_make(channel, **values)
        warning()
        assert work() == []

    @pytest.mark.parametrize("values", [{"kind": "battery"}, {"site": "North hall"}, {"least_level": "INFO"}], ids=str)
    def test_a_route_tells_what_it_names(
        self, values: Any, channel: NotifyChannel, warning: Any, present: Present
    ) -> None:
        route_make(channel, **values)
        warning()
        work()
        present.move(seconds=30)
        assert work() == ["sent"]

    def test_another_tenants_alerts_are_not_told(
        self, route: Route, other_tenant: Tenant, warning: Any, endpoint: Endpoint
    ) -> None:
        warning(asset=battery(other_tenant))
        assert work() == []

    @pytest.mark.parametrize("values", [{"enabled": False}, {"removed_at": datetime(2026, 1, 1, tzinfo=UTC)}], ids=str)
    def test_through_a_channel_that_is_off_nothing_is_told(self, values: Any, tenant: Tenant, warning: Any) -> None:
        route_make(channel_make(tenant, **values))
        warning()
        assert work() == []

    def test_each_route_tells_it_once_however_often_it_is_looked_at(
        self, route: Route, rule: RuleSpec, asset: Asset
    ) -> None:
        opened(rule, asset, now=clock.now())
        assert [work(), work(), work()] == [["sent"]] * 3
        GatherMark.objects.update(newest=0)  # as an old backup of the mark would have it
        work()
        assert NewsItem.objects.count() == 1

    def test_a_round_that_fails_has_not_happened(
        self, route: Route, rule: RuleSpec, asset: Asset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened(rule, asset, now=clock.now())
        join = gather.items_join

        def fail(*given: Any) -> None:
            join(*given)
            raise RuntimeError("killed here")

        with monkeypatch.context() as broken:
            broken.setattr(gather, "items_join", fail)
            with pytest.raises(RuntimeError):
                transitions_gather()
        assert states() == []
        assert work() == ["sent"]

    def test_more_than_a_round_takes_is_told_too(
        self, route: Route, warning: Any, monkeypatch: pytest.MonkeyPatch, present: Present, endpoint: Endpoint
    ) -> None:
        monkeypatch.setattr(gather, "_AT_ONCE", 3)
        for _ in range(10):
            warning()
        work()
        present.move(seconds=30)
        work()
        assert heard(endpoint) == [["opened"] * 10]


class TestWhatIsOver:
    def test_it_is_told_to_who_has_heard_of_its_opening(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        opened(rule, asset, now=clock.now())
        work()
        apply(clear(rule, asset, 60), now=clock.now())
        work()
        present.move(seconds=30)
        work()
        assert heard(endpoint) == [["opened"], ["cleared"]]
        (news,) = endpoint.asked[1].json["news"]
        assert news["message"] == "Temperature 25 °C, no longer above 50 °C"
        assert endpoint.asked[1].json["title"] == "Cleared: Over temperature of BAT-1"

    def test_what_a_person_ends_is_told_as_resolved(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        alert = opened(rule, asset, now=clock.now())
        work()
        alert_resolve(alert, by="user:1", why="The fan is new")
        work()
        present.move(seconds=30)
        work()
        assert heard(endpoint) == [["opened"], ["resolved"]]
        assert endpoint.asked[1].json["news"][0]["message"] == "The fan is new"

    def test_who_does_not_want_to_know_is_not_told(self, channel: NotifyChannel, rule: RuleSpec, asset: Asset) -> None:
        route_make(channel, tells_cleared=False)
        alert = opened(rule, asset, now=clock.now())
        work()
        alert_resolve(alert, by="user:1")
        assert work() == ["sent"]

    def test_who_has_not_heard_of_its_opening_is_not_told(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset
    ) -> None:
        alert = opened(rule, asset, now=clock.now())
        transitions_gather()
        route_make(channel)
        alert_resolve(alert, by="user:1")
        assert work() == []

    def test_what_was_over_before_its_message_was_due_is_not_told(
        self, route: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        alert = warning()
        work()
        alert_resolve(alert, by="user:1")
        work()
        present.move(seconds=30)
        assert work() == ["dropped"]
        assert not endpoint.asked
        assert "before it was sent" in Notification.objects.get().why

    def test_what_opened_and_ended_before_it_was_looked_at_is_not_told(self, route: Route, warning: Any) -> None:
        alert_resolve(warning(), by="user:1")
        assert work() == []


class TestAShelf:
    def test_what_opens_on_a_shelf_is_told_when_the_shelf_ends(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        alert = opened(rule, asset, now=clock.now())
        alert_shelve(alert, reason="maintenance", until=clock.now() + timedelta(hours=1), by="user:1")
        assert work() == []
        alert_unshelve(alert, by="user:1")
        assert work() == ["sent"]
        assert heard(endpoint) == [["announced"]]

    def test_what_is_shelved_before_its_message_is_sent_is_not_told(
        self, route: Route, warning: Any, present: Present
    ) -> None:
        alert = warning()
        work()
        alert_shelve(alert, reason="maintenance", until=clock.now() + timedelta(hours=1), by="user:1")
        present.move(seconds=30)
        assert work() == ["dropped"]


class TestGroups:
    def test_what_comes_within_the_time_is_one_message(
        self, route: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        for _ in range(3):
            warning()
            assert work() == ["gathering"]
            present.move(seconds=9)
        present.move(seconds=3)
        work()
        assert heard(endpoint) == [["opened"] * 3]
        assert endpoint.asked[0].json["title"] == "3 WARNING new at North hall"

    def test_the_next_group_begins_after_it(
        self, route: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        for _ in range(3):
            warning()
            work()
            present.move(seconds=30)
            work()
        assert heard(endpoint) == [["opened"]] * 3

    def test_the_critical_takes_along_what_waits_and_goes_at_once(
        self, route: Route, warning: Any, rule: RuleSpec, asset: Asset, endpoint: Endpoint
    ) -> None:
        warning()
        work()
        opened(rule, asset, now=clock.now())
        assert work() == ["sent"]
        assert heard(endpoint) == [["opened", "opened"]]
        assert [one["level"] for one in endpoint.asked[0].json["news"]] == ["CRITICAL", "WARNING"]

    def test_a_storm_of_the_critical_is_one_message_in_the_time(
        self, route: Route, tenant: Tenant, rule: RuleSpec, present: Present, endpoint: Endpoint
    ) -> None:
        for number in range(60):
            opened(rule, battery(tenant, f"B-{number}"), now=clock.now())
            work()
            present.move(seconds=1)
        work()
        assert [len(one) for one in heard(endpoint)] == [1, 30, 29]

    def test_each_route_groups_by_itself(
        self, tenant: Tenant, route: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        route_make(channel_make(tenant, endpoint.url, "Other"), group_seconds=5)
        warning()
        work()
        present.move(seconds=5)
        assert sorted(work()) == ["gathering", "sent"]

    def test_what_is_too_much_for_one_message_is_several(
        self, route: Route, warning: Any, present: Present, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(joining, "MOST_NEWS", 4)
        for _ in range(10):
            warning()
            work()
        present.move(seconds=30)
        work()
        assert [len(one) for one in heard(endpoint)] == [4, 4, 2]


class TestRepeating:
    def test_it_is_told_again_until_somebody_acknowledges_it(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        alert = opened(rule, asset, now=clock.now())
        work()
        for _ in range(3):
            present.move(minutes=59)
            work()
            present.move(minutes=1)
            work()
        assert heard(endpoint) == [["opened"], *[["repeated"]] * 3]
        assert endpoint.asked[1].json["title"] == "CRITICAL: Over temperature of BAT-1 is still open"
        assert alert_acknowledge(alert, by="user:1")
        present.move(hours=2)
        work()
        assert len(endpoint.asked) == 4
        assert not NewsItem.objects.filter(repeat_at__isnull=False).exists()

    @pytest.mark.parametrize("how", ["resolved", "shelved"])
    def test_what_is_taken_care_of_is_not_told_again(
        self, how: str, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, tells_cleared=False)
        alert = opened(rule, asset, now=clock.now())
        work()
        if how == "resolved":
            alert_resolve(alert, by="user:1")
        else:
            alert_shelve(alert, reason="known", until=clock.now() + timedelta(hours=8), by="user:1")
        present.move(hours=2)
        work()
        assert heard(endpoint) == [["opened"]]

    def test_a_route_may_tell_once_and_never_again(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, repeat_minutes=0)
        opened(rule, asset, now=clock.now())
        work()
        present.move(days=3)
        work()
        assert len(endpoint.asked) == 1

    def test_what_is_announced_again_is_told_again_only_once_in_the_time(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        alert = opened(rule, asset, now=clock.now())
        work()
        present.move(minutes=30)
        alert_shelve(alert, reason="known", until=clock.now() + timedelta(hours=1), by="user:1")
        alert_unshelve(alert, by="user:1")
        work()
        for _ in range(60):
            present.move(minutes=1)
            work()
        assert heard(endpoint) == [["opened"], ["announced"], ["repeated"]]

    def test_a_route_that_is_off_for_a_while_goes_on_afterwards(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        opened(rule, asset, now=clock.now())
        work()
        Route.objects.update(enabled=False)
        present.move(hours=1)
        work()
        Route.objects.update(enabled=True)
        present.move(hours=1)
        work()
        assert heard(endpoint) == [["opened"], ["repeated"]]

    def test_two_workers_repeat_it_once(
        self, route: Route, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        opened(rule, asset, now=clock.now())
        work()
        present.move(hours=1)
        assert [news_repeat(), news_repeat()] == [1, 0]
        work()
        assert heard(endpoint) == [["opened"], ["repeated"]]


class TestQuietHours:
    @pytest.fixture
    def quiet(self, channel: NotifyChannel, present: Present) -> Route:
        """From 22 to 6 in Berlin, but for the critical; it is 23 o'clock there."""
        channel.tenant.time_zone = "Europe/Berlin"
        channel.tenant.save()
        present.at = datetime(2026, 6, 1, 21, tzinfo=UTC)
        return route_make(channel, quiet_from=time(22), quiet_until=time(6), repeat_minutes=0)

    def test_what_waits_is_told_at_their_end_in_one_message(
        self, quiet: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        for _ in range(3):
            warning()
            assert work() == ["waiting"]
            present.move(hours=1)
        (found,) = waiting()
        assert found.due_at == datetime(2026, 6, 2, 4, tzinfo=UTC)
        present.at = found.due_at
        assert work() == ["sent"]
        assert heard(endpoint) == [["opened"] * 3]

    def test_what_was_over_by_then_is_not_told(
        self, quiet: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        gone, stays = warning(), warning()
        work()
        alert_resolve(gone, by="user:1")
        work()
        present.move(hours=7)
        work()
        assert [[one["alert_id"] for one in asked.json["news"]] for asked in endpoint.asked] == [[stays.pk]]

    def test_the_critical_is_told_at_once_and_wakes_nobody_for_the_rest(
        self, quiet: Route, warning: Any, rule: RuleSpec, asset: Asset, endpoint: Endpoint
    ) -> None:
        warning()
        work()
        opened(rule, asset, now=clock.now())
        assert work() == ["waiting", "sent"]
        assert [asked.json["news"][0]["level"] for asked in endpoint.asked] == ["CRITICAL"]

    def test_that_something_is_over_waits_too(
        self, quiet: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        present.move(hours=-2)
        alert = warning()
        work()
        present.move(seconds=30)
        work()
        present.move(hours=2)
        alert_resolve(alert, by="user:1")
        assert work() == ["sent", "waiting"]
        present.move(hours=8)
        work()
        assert heard(endpoint) == [["opened"], ["resolved"]]

    def test_outside_of_them_nothing_waits(
        self, quiet: Route, warning: Any, present: Present, endpoint: Endpoint
    ) -> None:
        present.move(hours=-2)
        warning(level=Level.INFO)
        warning()
        assert work() == ["gathering"]


def test_the_mark_moves_with_what_nobody_wants(rule: RuleSpec, asset: Asset) -> None:
    opened(rule, asset, now=clock.now())
    assert transitions_gather() == 1
    assert transitions_gather() == 0


def test_several_things_in_one_transaction_are_told_in_one_message(
    route: Route, rule: RuleSpec, tenant: Tenant, endpoint: Endpoint
) -> None:
    with transaction.atomic():
        apply(*(breach(rule, battery(tenant, f"B-{number}"), 0) for number in range(50)), now=clock.now())
    work()
    assert heard(endpoint) == [["opened"] * 50]
    assert endpoint.asked[0].json["title"] == "50 CRITICAL new"
