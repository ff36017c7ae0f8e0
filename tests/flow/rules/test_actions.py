"""What becomes of rules that someone adds, changes, switches off or takes away."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from tests.support.packs import PACK, hot, pack, rule
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.flow.rules import actions
from wattkeeper.flow.rules.actions import defaults_ensure, rule_change, rule_enable, rule_remove
from wattkeeper.flow.rules.fields import fields_changed, fields_of
from wattkeeper.flow.rules.models import Revision, Rule
from wattkeeper.flow.rules.queries import rule_by_id, rules_of, silent_specs, specs_of

pytestmark = pytest.mark.usefixtures("packs")


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, str, str]]]:
    """Which rules have ended, why, and by whom."""
    heard: list[tuple[int, str, str]] = []
    monkeypatch.setattr(actions, "_ended", [])
    actions.connect(lambda rule_id, why, by: heard.append((rule_id, why, by)))
    yield heard


def number(tenant: Tenant) -> int:
    return Revision.objects.get(tenant=tenant).number


def test_a_new_rule_is_kept_and_noted(tenant: Tenant) -> None:
    made = rule(tenant, name=" Hot ", limit=" 50 ")
    found = Rule.objects.get(pk=made.pk)
    assert (found.name, found.limit, found.enabled, found.is_default) == ("Hot", "50", True, False)
    assert (found.created_by, found.changed_by, found.created_at) == ("user:1", "user:1", found.changed_at)
    entry = AuditEntry.objects.get(action="rule_add")
    assert (entry.tenant, entry.actor, entry.target) == (tenant, "user:1", f"rule:{made.pk} Hot")
    assert entry.detail["limit"] == "50"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"kind": "boat"}, {"kind"}), ({"kind": ""}, {"kind"}), ({"asset_id": 1}, {"asset"}), ({"limit": "x"}, {"limit"})],
)
def test_a_rule_that_means_nothing_is_not_kept(tenant: Tenant, fields: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        rule(tenant, **fields)
    assert set(caught.value.message_dict) == wrong
    assert not Rule.objects.exists()
    assert not Revision.objects.exists()


def test_a_rule_is_of_a_thing_of_its_tenant_and_kind_that_is_in_use(tenant: Tenant, other_tenant: Tenant) -> None:
    theirs, gone = pack(other_tenant), pack(tenant, "gone", archived_at=datetime(2024, 5, 1, tzinfo=UTC))
    other = Asset.objects.create(tenant=tenant, kind="vehicle", key="V1", registered_by="test")
    for asset in (theirs, gone, other):
        with pytest.raises(ValidationError, match="There is no such pack"):
            rule(tenant, asset_id=asset.pk)
    mine = pack(tenant, "mine")
    made = rule(tenant, asset_id=mine.pk)
    Asset.objects.filter(pk=mine.pk).update(archived_at=datetime(2024, 5, 1, tzinfo=UTC))
    rule_change(made, fields=replace(fields_of(made), limit="51"), actor="user:1")  # that it is of is not asked again


def test_a_change_is_kept_and_noted(tenant: Tenant) -> None:
    made = rule(tenant)
    before = number(tenant)
    rule_change(made, fields=hot(limit="55", deadband=2.0), actor="key:9")
    for one in (made, Rule.objects.get()):
        assert (one.limit, one.deadband, one.changed_by, one.created_by) == ("55", 2.0, "key:9", "user:1")
        assert one.changed_at > one.created_at
    assert number(tenant) != before
    entry = AuditEntry.objects.get(action="rule_change")
    assert entry.detail == {"limit": ["50", "55"], "deadband": [0.0, 2.0]}


def test_what_is_as_it_was_is_not_noted(tenant: Tenant) -> None:
    made = rule(tenant)
    before = number(tenant)
    rule_change(made, fields=hot(name=" Hot "), actor="key:9")
    rule_enable(made, enabled=True, actor="key:9")
    assert number(tenant) == before
    assert AuditEntry.objects.filter(actor="key:9").count() == 0


def test_a_rule_stays_with_its_kind(tenant: Tenant) -> None:
    made = rule(tenant)
    with pytest.raises(ValidationError) as caught:
        rule_change(made, fields=hot(kind="vehicle", channel="speed"), actor="user:1")
    assert set(caught.value.message_dict) == {"kind"}


def test_of_two_people_who_change_a_rule_at_once_the_second_hears_of_it(tenant: Tenant) -> None:
    rule(tenant)
    first, second, third = (Rule.objects.get() for _ in range(3))
    rule_change(first, fields=hot(condition="below"), actor="user:1")
    with pytest.raises(ConflictError):
        rule_change(second, fields=hot(limit="60"), actor="user:2")
    with pytest.raises(ConflictError):
        rule_remove(third, actor="user:3")
    kept = Rule.objects.get()
    assert (kept.condition, kept.limit, kept.removed_at) == ("below", "50", None)


def test_a_rule_that_asks_something_else_has_ended(tenant: Tenant, ended: list[Any]) -> None:
    made = rule(tenant)
    rule_change(made, fields=hot(limit="55", level="INFO", on_delay_seconds=5), actor="user:2")
    assert ended == []
    rule_change(made, fields=fields_changed(fields_of(made), {"type": "Li-ion"}), actor="user:2")
    rule_change(made, fields=fields_changed(fields_of(made), {"channel": "current", "enabled": False}), actor="user:2")
    rule_enable(made, enabled=True, actor="user:2")
    rule_enable(made, enabled=False, actor="user:3")
    rule_enable(made, enabled=False, actor="user:4")
    rule_remove(made, actor="user:5")
    assert ended == [
        (made.pk, "rule changed", "user:2"),
        (made.pk, "rule disabled", "user:2"),
        (made.pk, "rule disabled", "user:3"),
        (made.pk, "rule removed", "user:5"),
    ]


def test_a_removed_rule_is_gone_for_all_but_its_alerts(tenant: Tenant) -> None:
    made = rule(tenant)
    rule_remove(made, actor="user:1")
    assert rule_by_id(made.pk, tenant_id=tenant.pk) is None
    assert made not in rules_of(tenant.pk)
    assert specs_of(tenant.pk, PACK) == []
    assert Rule.objects.get(pk=made.pk).removed_at is not None
    with pytest.raises(ConflictError):
        rule_change(made, fields=hot(limit="1"), actor="user:1")


class TestDefaults:
    def test_come_into_being_for_whoever_asks(self, tenant: Tenant, other_tenant: Tenant) -> None:
        kinds = [kind for kind in registry.kinds() if kind.default_rules]
        wanted = sum(len(kind.default_rules) for kind in kinds)
        assert rules_of(tenant.pk).count() == wanted
        assert rules_of(None).count() == 2 * wanted
        assert AuditEntry.objects.filter(action="rule_defaults_add").count() == 2 * len(kinds)
        assert rules_of(None).count() == 2 * wanted

    def test_come_into_being_for_what_judges(self, tenant: Tenant) -> None:
        battery = registry.kind("battery")
        assert [spec.name for spec in specs_of(tenant.pk, battery)] == [one.label for one in battery.default_rules]
        assert not Rule.objects.filter(kind="vehicle").exists()

    def test_come_into_being_for_what_listens_for_silence(self, tenant: Tenant) -> None:
        assert [spec.tenant_id for spec in silent_specs() if spec.kind == "battery"] == [tenant.pk]

    def test_are_there_once(self, tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        battery = registry.kind("battery")
        defaults_ensure(tenant.pk, battery)
        before = number(tenant)
        with django_assert_num_queries(1):
            defaults_ensure(tenant.pk, battery)
        assert number(tenant) == before

    def test_that_are_new_are_added_and_what_people_changed_stays(self, tenant: Tenant) -> None:
        battery = registry.kind("battery")
        fewer = replace(battery, default_rules=battery.default_rules[:3])
        defaults_ensure(tenant.pk, fewer)
        mine = Rule.objects.get(default_name="low_charge")
        rule_change(mine, fields=replace(fields_of(mine), limit="20", name="Empty"), actor="user:1")
        defaults_ensure(tenant.pk, battery)
        assert Rule.objects.count() == 10
        assert Rule.objects.get(default_name="low_charge").name == "Empty"

    def test_can_be_disabled_but_not_removed(self, tenant: Tenant) -> None:
        battery = registry.kind("battery")
        defaults_ensure(tenant.pk, battery)
        mine = Rule.objects.get(default_name="fault")
        with pytest.raises(ConflictError, match="disable it"):
            rule_remove(mine, actor="user:1")
        rule_enable(mine, enabled=False, actor="user:1")
        assert len(specs_of(tenant.pk, battery)) == 9
        assert rules_of(tenant.pk, enabled=False).get() == mine

    def test_are_as_the_kind_declares_them(self, tenant: Tenant, packs: Kind) -> None:
        battery = registry.kind("battery")
        defaults_ensure(tenant.pk, battery)
        full = Rule.objects.get(default_name="overcharge_current")
        assert (full.name, full.kind, full.limit) == ("Goes on charging when full", "battery", "0")
        assert (full.while_channel, full.while_condition, full.while_limit) == ("current_charge", "equals", "100")
        assert (full.on_delay_seconds, full.level, full.enabled) == (1800, "ERROR", True)
        assert (full.created_by, full.is_default) == (actions.NOBODY, True)


def test_a_rule_that_no_longer_means_anything_judges_nothing(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    made, other = rule(tenant), rule(tenant, name="Cold")
    Rule.objects.filter(pk=made.pk).update(channel="of_old")
    assert [spec.id for spec in specs_of(tenant.pk, PACK)] == [other.pk]
    assert "of_old" in caplog.text
    rule_enable(made := Rule.objects.get(pk=made.pk), enabled=False, actor="user:1")  # it can still be switched off
    rule_remove(made, actor="user:1")


def test_rules_are_found_by_what_they_are(tenant: Tenant) -> None:
    first = rule(tenant, name="Hot", text="Cool it down")
    second = rule(
        tenant, name="Empty", channel="charge", condition="below", limit="5", alert_type="LOW_CHARGE", enabled=False
    )
    mine = rules_of(tenant.pk, kind="pack")

    def found(**asked: Any) -> list[Rule]:
        return list(rules_of(tenant.pk, **{"kind": "pack", **asked}))

    assert list(mine) == [first, second]
    assert found(channel="charge") == [second]
    assert found(enabled=True) == [first]
    assert found(search="COOL") == found(search=" hot\0") == [first]
    assert found(search="low_ch") == [second]
    assert found(search="%") == []
    assert found(ordering="name") == found(ordering="-created_at") == [second, first]


def test_a_change_that_is_taken_back_leaves_the_number_as_it_was(tenant: Tenant) -> None:
    made = rule(tenant)
    before = number(tenant)
    with transaction.atomic():
        rule_enable(made, enabled=False, actor="user:1")
        shown = number(tenant)
        transaction.set_rollback(True)
    assert number(tenant) == before
    rule_enable(Rule.objects.get(pk=made.pk), enabled=False, actor="user:1")
    assert number(tenant) not in {before, shown}


@pytest.mark.django_db(transaction=True)
def test_whoever_asks_for_the_defaults_at_the_same_moment_finds_each_once() -> None:
    tenant = Tenant.objects.create(slug="crowded", name="Crowded")
    battery, start = registry.kind("battery"), Barrier(4)

    def ask(_: int) -> int:
        start.wait()
        try:
            return len(specs_of(tenant.pk, battery))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [10] * 4
    assert Rule.objects.filter(tenant=tenant).count() == 10
    assert AuditEntry.objects.filter(action="rule_defaults_add").count() == 1
