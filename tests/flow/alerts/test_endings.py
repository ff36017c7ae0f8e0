"""Alerts that end without a person: with their rule, with their asset, and shelves by the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.alerts import apply, battery, breach, clear, open_alerts, opened, posted, rule_make, told
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core import clock
from wattkeeper.base.jobs.registry import periodics
from wattkeeper.flow.alerts.actions import (
    LONGEST_SHELF,
    alert_resolve,
    alert_shelve,
    alert_unshelve,
    asset_ended,
    rule_ended,
)
from wattkeeper.flow.alerts.endings import missed_end, shelves_end
from wattkeeper.flow.alerts.models import Alert, RuleState, Transition
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.spec import RuleSpec

HOUR = timedelta(hours=1)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], datetime]:
    """pass_time(an hour): it is so much later now."""
    present = clock.now()
    monkeypatch.setattr(clock, "now", lambda: present)

    def later(by: timedelta) -> datetime:
        nonlocal present
        present += by
        return present

    return later


class TestTheEndOfARule:
    def test_its_open_alerts_are_cleared_and_its_watches_dropped(self, tenant: Tenant, asset: Asset) -> None:
        ended, other, slow = rule_make(tenant), rule_make(tenant), rule_make(tenant, on=60)
        alert = opened(ended, asset)
        apply(breach(other, asset, 0), breach(slow, asset, 0))
        assert ended.id is not None and slow.id is not None
        (transition,) = rule_ended([ended.id, slow.id], by="user:1", why="rule disabled")
        assert (transition.kind, transition.by, transition.why) == ("cleared", "user:1", "rule disabled")
        alert.refresh_from_db()
        assert alert.cleared_at == alert.resolved_at is not None
        assert alert.resolved_by == "user:1"
        assert [state.rule_id for state in RuleState.objects.all()] == [other.id]
        assert [one.rule_id for one in open_alerts()] == [other.id]

    def test_what_is_over_already_stays_as_it_ended(self, rule: RuleSpec, asset: Asset) -> None:
        alert = opened(rule, asset)
        apply(clear(rule, asset, 1))
        assert rule.id is not None
        assert rule_ended([rule.id], by="user:1", why="rule removed") == []
        assert told(alert) == ["opened", "cleared"]

    def test_a_rule_that_is_enabled_again_opens_anew(self, rule: RuleSpec, asset: Asset) -> None:
        opened(rule, asset)
        assert rule.id is not None
        rule_ended([rule.id], by="user:1", why="rule disabled")
        assert [one.kind for one in apply(breach(rule, asset, 1))] == ["opened"]


class TestTheEndOfAnAsset:
    def test_all_its_alerts_are_cleared_those_too_that_people_posted(self, rule: RuleSpec, asset: Asset) -> None:
        by_rule, by_hand = opened(rule, asset), posted(asset)
        other = battery(asset.tenant, "BAT-2")
        apply(breach(rule, other, 0))
        asset_ended(asset.pk, by="user:1", why="asset archived")
        assert [one.asset_id for one in open_alerts()] == [other.pk]
        assert [state.asset_id for state in RuleState.objects.all()] == [other.pk]
        assert told(by_rule) == told(by_hand) == ["opened", "cleared"]


class TestWhatWasMissed:
    def test_nothing_is_ended_that_is_not_over(self, rule: RuleSpec, asset: Asset) -> None:
        opened(rule, asset)
        posted(asset)
        assert missed_end() == 0
        assert len(open_alerts()) == 2

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"enabled": False}, "rule disabled"),
            ({"enabled": False, "removed_at": clock.now()}, "rule removed"),
            ({"type": "Li-ion"}, "asset is of another type"),
        ],
    )
    def test_what_a_rule_left_is_cleared(
        self, change: dict[str, Any], why: str, rule: RuleSpec, asset: Asset, tenant: Tenant
    ) -> None:
        alert = opened(rule, asset)
        slow = rule_make(tenant, on=60, **change)
        apply(breach(slow, asset, 0))
        Rule.objects.filter(pk=rule.id).update(**change)
        assert missed_end() == 1
        assert missed_end() == 0
        last = Transition.objects.filter(alert=alert).latest("pk")
        assert (last.kind, last.by, last.why) == ("cleared", "clock", why)
        assert not RuleState.objects.exists()

    def test_a_rule_for_the_assets_type_is_not_over(self, tenant: Tenant) -> None:
        rule = rule_make(tenant, type="Li-ion")
        opened(rule, battery(tenant, type="Li-ion"))
        assert missed_end() == 0

    def test_what_an_asset_left_is_cleared(self, rule: RuleSpec, asset: Asset) -> None:
        opened(rule, asset)
        posted(asset)
        Asset.objects.update(archived_at=clock.now())
        assert missed_end() == 2
        assert open_alerts() == []


class TestShelves:
    def shelve(self, alert: Alert, hours: float = 1, reason: str = "we know") -> None:
        alert_shelve(alert, reason=reason, until=clock.now() + timedelta(hours=hours), by="user:1")

    def test_what_is_open_at_its_end_is_announced(self, rule: RuleSpec, asset: Asset, pass_time: Any) -> None:
        alert = opened(rule, asset)
        self.shelve(alert)
        pass_time(HOUR - timedelta(seconds=1))
        assert shelves_end() == 0
        pass_time(timedelta(seconds=1))
        assert shelves_end() == 1
        assert shelves_end() == 0
        assert told(alert) == ["opened", "shelved", "unshelved", "announced"]
        alert.refresh_from_db()
        assert (alert.shelved_until, alert.shelve_reason, alert.shelved_by) == (None, "", "")

    def test_what_is_over_by_then_is_not(self, rule: RuleSpec, asset: Asset, pass_time: Any) -> None:
        alert = opened(rule, asset)
        self.shelve(alert)
        apply(clear(rule, asset, 1))
        pass_time(HOUR)
        assert shelves_end() == 1
        assert told(alert) == ["opened", "shelved", "cleared", "unshelved"]

    def test_what_opens_meanwhile_stays_on_the_shelf_until_its_end(
        self, rule: RuleSpec, asset: Asset, pass_time: Any
    ) -> None:
        first = opened(rule, asset)
        self.shelve(first)
        until = first.shelved_until
        apply(clear(rule, asset, 1))
        second = opened(rule, asset, 2, now=clock.now())
        assert (second.shelved_until, second.shelve_reason, second.shelved_by) == (until, "we know", "user:1")
        assert told(second) == ["opened", "shelved"]
        pass_time(HOUR)
        shelves_end()
        assert told(first)[-1] == "unshelved"
        assert told(second) == ["opened", "shelved", "unshelved", "announced"]

    def test_other_rules_and_other_assets_are_not_shelved(self, tenant: Tenant, asset: Asset) -> None:
        rule, other = rule_make(tenant), rule_make(tenant)
        self.shelve(opened(rule, asset))
        assert opened(other, asset, now=clock.now()).shelved_until is None
        assert opened(rule, battery(tenant, "BAT-2"), now=clock.now()).shelved_until is None

    def test_who_ends_it_early_ends_it_for_what_opens_later_too(self, rule: RuleSpec, asset: Asset) -> None:
        first = opened(rule, asset)
        self.shelve(first)
        apply(clear(rule, asset, 1))
        second = opened(rule, asset, 2, now=clock.now())
        alert_unshelve(second, by="user:2")
        assert told(second) == ["opened", "shelved", "unshelved", "announced"]
        apply(clear(rule, asset, 3))
        assert opened(rule, asset, 4, now=clock.now()).shelved_until is None

    def test_a_shelf_that_is_over_but_not_yet_ended_is_not_inherited(
        self, rule: RuleSpec, asset: Asset, pass_time: Any
    ) -> None:
        self.shelve(opened(rule, asset))
        apply(clear(rule, asset, 1))
        assert opened(rule, asset, 2, now=pass_time(LONGEST_SHELF)).shelved_until is None

    def test_what_a_person_resolves_is_not_announced(self, rule: RuleSpec, asset: Asset, pass_time: Any) -> None:
        alert = opened(rule, asset)
        self.shelve(alert)
        alert_resolve(alert, by="user:1")
        pass_time(HOUR)
        shelves_end()
        assert told(alert)[-1] == "unshelved"


def test_a_running_server_ends_shelves_and_what_was_missed_every_minute() -> None:
    every = {entry.function: entry.minutes for entry in periodics()}
    assert every[shelves_end] == every[missed_end] == 1
