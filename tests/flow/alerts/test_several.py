"""What people do to several alerts at once, and the order in which alerts ask for somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.people import Person, person_make
from tests.support.alerts import NOON, apply, battery, breach, clear, opened, posted, rule_make, told
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts import actions
from wattkeeper.flow.alerts.models import Alert, Group, Transition
from wattkeeper.flow.alerts.queries import alerts_of, unresolved_count, urgent_counts, urgent_first
from wattkeeper.flow.rules.spec import RuleSpec

ANNA, BEN = "user:1", "user:2"


@pytest.fixture
def operator(tenant: Tenant) -> Person:
    return person_make("operator", tenant=tenant, name="olga")


def soon(hours: float = 1) -> Any:
    return clock.now() + timedelta(hours=hours)


def shelve(alerts: list[Alert], **values: Any) -> actions.Shelved:
    given = {"reason": "repair", "until": soon(), "tenant_id": alerts[0].tenant_id, "by": ANNA, **values}
    return actions.alerts_shelve([alert.pk for alert in alerts], **given)


class TestAssigning:
    def test_each_that_changes_is_noted_with_whose_it_was(self, asset: Asset, operator: Person) -> None:
        first, second = posted(asset), posted(asset)
        actions.alert_assign(second, user=operator.user, by=ANNA)
        ids = [first.pk, second.pk, 10**9]
        done = actions.alerts_assign(ids, user=operator.user, tenant_id=asset.tenant_id, by=BEN)
        assert done == actions.Assigned(assigned=[first.pk], already=[second.pk], unknown=[10**9])
        assert [told(first), told(second)] == [["opened", "assigned"]] * 2
        done = actions.alerts_assign(ids, user=None, tenant_id=asset.tenant_id, by=BEN)
        assert done.assigned == [first.pk, second.pk]
        last = Transition.objects.filter(alert=first).last()
        assert last is not None
        assert (last.by, last.detail) == (BEN, {"from": operator.user.pk, "to": None, "name": None})

    def test_nobody_gets_alerts_of_another_tenant(self, asset: Asset, other_tenant: Tenant, operator: Person) -> None:
        mine, strange = posted(asset), posted(battery(other_tenant))
        with pytest.raises(ValidationError):
            actions.alerts_assign([mine.pk, strange.pk], user=operator.user, tenant_id=None, by=ANNA)
        assert told(mine) == told(strange) == ["opened"]

    def test_who_may_not_take_care_of_them_gets_none(self, asset: Asset, colleague: Person) -> None:
        alert = posted(asset)
        with pytest.raises(ValidationError, match="may not take care"):
            actions.alerts_assign([alert.pk], user=colleague.user, tenant_id=asset.tenant_id, by=ANNA)
        assert told(alert) == ["opened"]

    def test_who_may_not_log_in_gets_none(self, asset: Asset, operator: Person) -> None:
        operator.user.is_active = False
        with pytest.raises(ValidationError):
            actions.alerts_assign([posted(asset).pk], user=operator.user, tenant_id=asset.tenant_id, by=ANNA)


class TestShelving:
    def test_what_is_over_is_left_as_it_is(self, asset: Asset, other_tenant: Tenant) -> None:
        first, over, strange = posted(asset), posted(asset), posted(battery(other_tenant))
        actions.alert_resolve(over, by=ANNA)
        until = soon()
        done = shelve([first, over, strange], until=until)
        expected = actions.Shelved(shelved=[first.pk], already=[], unknown=[strange.pk], over=[over.pk])
        assert done == expected
        assert shelve([first], until=until).already == [first.pk]
        assert told(first) == ["opened", "shelved"]

    @pytest.mark.parametrize("wrong", [{"reason": " "}, {"reason": "x" * 501}, {"until": NOON}])
    def test_a_reason_and_an_end_are_asked_for(self, wrong: dict[str, Any], asset: Asset) -> None:
        alert = posted(asset)
        with pytest.raises(ValidationError):
            shelve([alert], **wrong)
        assert told(alert) == ["opened"]


@pytest.mark.parametrize("what", ["acknowledge", "assign", "shelve"])
def test_many_cost_no_more_statements_than_few(what: str, asset: Asset, operator: Person) -> None:
    def cost(number: int) -> int:
        ids = [posted(asset).pk for _ in range(number)]
        with CaptureQueriesContext(connection) as asked:
            if what == "acknowledge":
                actions.alerts_acknowledge(ids, tenant_id=asset.tenant_id, by=ANNA)
            elif what == "assign":
                actions.alerts_assign(ids, user=operator.user, tenant_id=asset.tenant_id, by=ANNA)
            else:
                actions.alerts_shelve(ids, reason="x", until=soon(), tenant_id=asset.tenant_id, by=ANNA)
        return len(asked)

    assert cost(2) == cost(60)


class TestWhatAsksForSomebody:
    def test_new_before_known_before_over_before_shelved(self, tenant: Tenant, asset: Asset, rule: RuleSpec) -> None:
        over = opened(rule, asset)
        apply(clear(rule, asset, 9))
        known, shelved, new = posted(asset), posted(asset), posted(asset, level=Level.INFO)
        actions.alert_acknowledge(known, by=ANNA)
        shelve([shelved])
        shown = list(urgent_first(alerts_of(tenant.pk)))
        assert [one.pk for one in shown] == [new.pk, known.pk, over.pk, shelved.pk]
        assert [one.group for one in shown] == [Group.NEW, Group.KNOWN, Group.OVER, Group.SHELVED]

    def test_the_worst_comes_first_and_of_equals_the_newest(self, tenant: Tenant, asset: Asset) -> None:
        made = [posted(asset, level=level) for level in (Level.INFO, Level.CRITICAL, Level.WARNING, Level.CRITICAL)]
        shown = [one.pk for one in urgent_first(alerts_of(tenant.pk))]
        assert shown == [made[3].pk, made[1].pk, made[2].pk, made[0].pk]

    def test_what_has_cleared_stays_until_somebody_knows(self, tenant: Tenant, asset: Asset, rule: RuleSpec) -> None:
        alert = opened(rule, asset)
        apply(clear(rule, asset, 9))
        assert [one.pk for one in urgent_first(alerts_of(tenant.pk))] == [alert.pk]
        actions.alerts_acknowledge([alert.pk], tenant_id=tenant.pk, by=ANNA)
        assert list(urgent_first(alerts_of(tenant.pk))) == []

    def test_what_was_acknowledged_while_it_was_open_is_gone_when_it_clears(
        self, tenant: Tenant, asset: Asset, rule: RuleSpec
    ) -> None:
        actions.alert_acknowledge(opened(rule, asset), by=ANNA)
        apply(clear(rule, asset, 9))
        assert list(urgent_first(alerts_of(tenant.pk))) == []

    def test_what_people_resolve_or_hide_asks_for_nobody(self, tenant: Tenant, asset: Asset) -> None:
        actions.alert_resolve(posted(asset), by=ANNA)
        actions.alert_hide(posted(asset), by=ANNA)
        assert list(urgent_first(alerts_of(tenant.pk))) == []

    def test_it_is_counted_by_group_and_level(self, tenant: Tenant, asset: Asset, other_tenant: Tenant) -> None:
        posted(asset)
        posted(asset, level=Level.CRITICAL)
        actions.alert_acknowledge(posted(asset), by=ANNA)
        posted(battery(other_tenant))
        assert urgent_counts(tenant.pk) == {
            (Group.NEW, Level.WARNING): 1,
            (Group.NEW, Level.CRITICAL): 1,
            (Group.KNOWN, Level.WARNING): 1,
        }
        assert sum(urgent_counts(None).values()) == 4
        assert urgent_counts(tenant.pk, kind="vehicle") == urgent_counts(tenant.pk, site="nowhere") == {}

    def test_what_is_new_again_is_first_again(self, tenant: Tenant, asset: Asset) -> None:
        rule = rule_make(tenant)
        old = posted(asset, level=Level.CRITICAL)
        apply(breach(rule, asset, 0))
        actions.alert_acknowledge(old, by=ANNA)
        first = urgent_first(alerts_of(tenant.pk)).first()
        assert first is not None
        assert first.rule_id == rule.id


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks how SQLite goes about it")
def test_of_ten_thousand_an_index_has_the_order(tenant: Tenant, asset: Asset) -> None:
    now = clock.now()
    Alert.objects.bulk_create(
        [
            Alert(
                tenant=tenant,
                asset=asset,
                kind="battery",
                alert_type=AlertType.FAULT.value,
                level=list(Level)[number % 4].value,
                message="It is broken",
                created_at=now - timedelta(seconds=number),
                updated_at=now,
                opened_at=now,
                resolved_at=now if number % 3 else None,
            )
            for number in range(10_000)
        ],
        batch_size=2_000,
    )
    plan = urgent_first(alerts_of(tenant.pk))[:20].explain()
    assert "alert_urgent" in plan
    assert "TEMP B-TREE" not in plan
    assert sum(urgent_counts(tenant.pk).values()) == unresolved_count(tenant.pk) == 3_334
