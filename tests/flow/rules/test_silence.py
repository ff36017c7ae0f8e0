"""Things of which nothing is heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.support.packs import NAMEPLATES, hot, pack, rule
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.flow.rules.actions import rule_change, rule_enable
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.silence import silences
from wattkeeper.flow.rules.verdicts import Judged, Verdict

NOON = datetime(2024, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("packs")


@pytest.fixture(autouse=True)
def _no_other_kind(monkeypatch: pytest.MonkeyPatch, packs: Any) -> None:
    monkeypatch.setattr(registry, "_kinds", {packs.name: packs})


def heard(tenant: Tenant, key: str, seconds_ago: float | None, **own: Any) -> Asset:
    """A pack that was last heard of so long before NOON, and before that every minute."""
    last = None if seconds_ago is None else NOON - timedelta(seconds=seconds_ago)
    habit = {"usual_interval": 60.0, "readings_seen": 10}
    return pack(tenant, key, last_seen=last, **{**habit, **own})


def quiet(tenant: Tenant, limit: str = "3 * usual_interval", **fields: Any) -> Rule:
    return rule(tenant, **{"name": "Silent", "condition": "silent", "limit": limit, **fields})


def keys(found: list[Judged]) -> set[str]:
    return set(Asset.objects.filter(pk__in=[one.asset_id for one in found]).values_list("key", flat=True))


def test_a_silence_says_how_long_it_is_and_what_is_usual(tenant: Tenant) -> None:
    made, asset = quiet(tenant), heard(tenant, "P1", 200.25)
    [found] = silences(NOON)
    assert (found.rule.id, found.rule.condition, found.asset_id) == (made.pk, Condition.SILENT, asset.pk)
    assert (found.at, found.verdict) == (NOON, Verdict.BREACH)
    assert (found.value, found.limit) == (200.2, "silent for longer than 180 s")


def test_what_is_usual_is_each_things_own(tenant: Tenant) -> None:
    quiet(tenant)
    heard(tenant, "slow", 1_000, usual_interval=600.0)
    heard(tenant, "quick", 20, usual_interval=5.0)
    heard(tenant, "late", 181)
    heard(tenant, "well", 179)
    heard(tenant, "new", 9_999, readings_seen=9)
    heard(tenant, "unknown", 9_999, usual_interval=None)
    heard(tenant, "never", None)
    heard(tenant, "gone", 9_999, archived_at=NOON)
    assert keys(silences(NOON)) == {"quick", "late"}


def test_nothing_is_silent_that_was_heard_of_in_the_last_ten_seconds(tenant: Tenant) -> None:
    quiet(tenant)
    quiet(tenant, "2", name="Two seconds")
    heard(tenant, "nine", 9.9, usual_interval=1.0)
    heard(tenant, "ten", 10.1, usual_interval=1.0)
    found = silences(NOON)
    assert [(one.rule.name, one.limit) for one in found] == [
        ("Silent", "silent for longer than 10 s"),
        ("Two seconds", "silent for longer than 10 s"),
    ]
    assert keys(found) == {"ten"}


def test_a_limit_in_seconds_asks_for_no_habit(tenant: Tenant) -> None:
    quiet(tenant, "90")
    heard(tenant, "new", 91, readings_seen=1, usual_interval=None)
    heard(tenant, "well", 89)
    heard(tenant, "never", None)
    assert keys(silences(NOON)) == {"new"}


def test_a_limit_may_be_on_the_nameplate(tenant: Tenant) -> None:
    quiet(tenant, "2 * nominal")
    for key, nameplate in {"short": 30.0, "long": 3_000.0, "endless": 1e308, "none": None}.items():
        NAMEPLATES[heard(tenant, key, 100).pk] = {"nominal": nameplate}
    assert keys(silences(NOON)) == {"short"}


def test_a_silence_is_of_the_things_of_its_rule(tenant: Tenant, other_tenant: Tenant) -> None:
    mine = heard(tenant, "mine", 999, type="Li-ion")
    heard(tenant, "other", 999)
    heard(other_tenant, "theirs", 999)
    Asset.objects.create(tenant=tenant, kind="vehicle", key="V1", registered_by="test", last_seen=mine.last_seen)
    made = quiet(tenant, "60")
    assert keys(silences(NOON)) == {"mine", "other"}
    rule_change(made, fields=hot(name="a", condition="silent", limit="60", type="Li-ion"), actor="user:1")
    assert keys(silences(NOON)) == {"mine"}
    rule_change(made, fields=hot(name="a", condition="silent", limit="60", asset_id=mine.pk), actor="user:1")
    assert keys(silences(NOON)) == {"mine"}
    rule_enable(made, enabled=False, actor="user:1")
    assert silences(NOON) == []


def test_however_many_things_are_silent_it_is_one_question_a_rule(
    tenant: Tenant, other_tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for one in (tenant, other_tenant):
        quiet(one)
        for number in range(20):
            heard(one, f"P{number}", 999)
    silences(NOON)
    with django_assert_num_queries(5):  # tenants, their defaults, rules; and two rules
        assert len(silences(NOON)) == 40
