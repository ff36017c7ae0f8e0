"""What the rules say of readings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from tests.support.packs import NAMEPLATES, NOON, PACK, hot, judged, known, pack, rule, sample, told
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.flow.rules.actions import plans_outdate, rule_change, rule_enable, rule_remove
from wattkeeper.flow.rules.plans import books_of
from wattkeeper.flow.rules.verdicts import Verdict

pytestmark = pytest.mark.usefixtures("packs")


def test_a_breach_says_what_was_judged_and_by_what(tenant: Tenant) -> None:
    one, asset = rule(tenant, limit="0.5 * nominal"), pack(tenant, nameplate={"nominal": 100.0})
    [found] = judged(sample(asset, temperature=61.2))
    assert (found.rule.id, found.asset_id, found.at) == (one.pk, asset.pk, NOON)
    assert (found.verdict, found.value, found.limit) == (Verdict.BREACH, 61.2, "above 50")


def test_of_what_is_clear_nothing_is_said_unless_it_is_watched(tenant: Tenant) -> None:
    one, other, asset = rule(tenant), rule(tenant, name="Cold", condition="below", limit="0"), pack(tenant)
    fine = sample(asset, temperature=20)
    assert judged(fine) == []
    assert told(judged(fine, watched=[(one, asset)])) == [("Hot", "clear")]
    assert told(judged(fine, watched=[(one, asset), (other, asset)])) == [("Hot", "clear"), ("Cold", "clear")]


def test_a_missing_value_and_the_deadband_are_said_of_what_is_watched(tenant: Tenant) -> None:
    one, asset = rule(tenant, deadband=3.0), pack(tenant)
    for values in ({"temperature": None}, {}, {"temperature": 48}, {"temperature": "hot"}):
        assert judged(sample(asset, **values)) == []
        assert told(judged(sample(asset, **values), watched=[(one, asset)])) == [("Hot", "unsure")]


def test_what_has_breached_earlier_in_the_call_is_followed(tenant: Tenant) -> None:
    rule(tenant, deadband=3.0)
    first, second = pack(tenant), pack(tenant, "P2")
    found = judged(
        sample(first, 0, temperature=20),
        sample(first, 1, temperature=60),
        sample(first, 2, temperature=49),
        sample(first, 3, temperature=20),
        sample(second, 0, temperature=20),
    )
    assert [(one.asset_id, one.at - NOON, one.verdict.value) for one in found] == [
        (first.pk, timedelta(minutes=1), "breach"),
        (first.pk, timedelta(minutes=2), "unsure"),
        (first.pk, timedelta(minutes=3), "clear"),
    ]


def test_other_tenants_rules_never_judge(tenant: Tenant, other_tenant: Tenant) -> None:
    rule(tenant), rule(other_tenant, name="Theirs", limit="30")
    mine, theirs = pack(tenant), pack(other_tenant)
    assert told(judged(sample(mine, temperature=40))) == []
    found = judged(sample(mine, temperature=60), sample(theirs, temperature=60))
    assert [(one.rule.name, one.asset_id) for one in found] == [("Hot", mine.pk), ("Theirs", theirs.pk)]


def test_a_rule_is_about_its_kind_its_type_and_its_asset(tenant: Tenant) -> None:
    first, second = pack(tenant, type="Li-ion"), pack(tenant, "P2", type="NiMH")
    rule(tenant, name="All")
    rule(tenant, name="Type", type="Li-ion")
    rule(tenant, name="One", asset_id=second.pk)
    rule(tenant, name="Neither", type="Li-ion", asset_id=second.pk)
    rule(tenant, name="Vehicles", kind="vehicle", channel="speed", limit="1")
    found = judged(sample(first, temperature=60, speed=60), sample(second, temperature=60, speed=60))
    assert [(one.rule.name, one.asset_id) for one in found] == [
        ("All", first.pk),
        ("Type", first.pk),
        ("All", second.pk),
        ("One", second.pk),
    ]


def test_another_type_of_an_asset_takes_effect_at_the_next_reading(tenant: Tenant) -> None:
    asset = pack(tenant, type="Li-ion")
    one = rule(tenant, type="NiMH")
    assert judged(sample(asset, temperature=60)) == []
    Asset.objects.filter(pk=asset.pk).update(type="NiMH")
    assert told(judged(sample(asset, temperature=60))) == [("Hot", "breach")]
    Asset.objects.filter(pk=asset.pk).update(type="LTO")
    assert told(judged(sample(asset, temperature=60), watched=[(one, asset)])) == [("Hot", "clear")]


def test_a_change_of_a_rule_takes_effect_at_the_next_reading(tenant: Tenant) -> None:
    asset = pack(tenant)
    warm = sample(asset, temperature=40)
    assert judged(warm) == []
    one = rule(tenant, limit="30")
    assert told(judged(warm)) == [("Hot", "breach")]
    rule_change(one, fields=hot(limit="45"), actor="user:1")
    assert judged(warm) == []
    rule_change(one, fields=hot(limit="20"), actor="user:1")
    rule_enable(one, enabled=False, actor="user:1")
    assert judged(warm) == []
    rule_enable(one, enabled=True, actor="user:1")
    assert told(judged(warm)) == [("Hot", "breach")]
    rule_remove(one, actor="user:1")
    assert judged(warm) == []


def test_a_change_that_was_taken_back_judges_nothing(tenant: Tenant) -> None:
    asset = pack(tenant)
    one = rule(tenant)
    warm = sample(asset, temperature=40)
    with transaction.atomic():
        rule_change(one, fields=hot(limit="30"), actor="user:1")
        assert told(judged(warm)) == [("Hot", "breach")]
        transaction.set_rollback(True)
    assert judged(warm) == []


def test_another_nameplate_takes_effect_once_the_plans_are_outdated(tenant: Tenant) -> None:
    asset = pack(tenant, nameplate={"nominal": 100.0})
    rule(tenant, limit="0.5 * nominal")
    assert judged(sample(asset, temperature=40)) == []
    NAMEPLATES[asset.pk] = {"nominal": 60.0}
    plans_outdate(tenant.pk)
    assert told(judged(sample(asset, temperature=40))) == [("Hot", "breach")]


def test_a_limit_that_the_nameplate_does_not_give_is_unsure(tenant: Tenant) -> None:
    one = rule(tenant, limit="0.5 * nominal")
    for number, nameplate in enumerate([{}, {"nominal": None}]):
        asset = pack(tenant, f"P{number}", nameplate=nameplate)
        assert told(judged(sample(asset, temperature=1e5), watched=[(one, asset)])) == [("Hot", "unsure")]


def test_a_guard_looks_at_what_was_known_where_the_sample_does_not_say(tenant: Tenant) -> None:
    guarded = {"while_channel": "charge", "while_condition": "equals", "while_limit": "100"}
    rule(tenant, name="Full", channel="current", limit="0", **guarded)
    asset = pack(tenant)
    charging = sample(asset, current=1.0)
    assert judged(charging) == []
    assert judged(charging, before={asset.pk: known(charge=99.0)}) == []
    assert told(judged(charging, before={asset.pk: known(charge=100)})) == [("Full", "breach")]
    assert told(judged(sample(asset, current=1.0, charge=100.0), before={asset.pk: known(charge=5)})) == [
        ("Full", "breach")
    ]
    # What the first sample says is known of the second.
    assert told(judged(sample(asset, 0, charge=100), sample(asset, 1, current=1.0))) == [("Full", "breach")]
    assert judged(sample(asset, 0, charge=100), sample(asset, 1, charge=None), sample(asset, 2, current=1.0)) == []


def test_how_fast_a_value_changes_is_judged_from_sample_to_sample(tenant: Tenant) -> None:
    one = rule(tenant, name="Fast", condition="changes", limit="5")
    asset = pack(tenant)
    before = {asset.pk: known(-2, temperature=20.0)}
    assert judged(sample(asset, 0, temperature=29.0), before=before) == []
    [found] = judged(sample(asset, 0, temperature=32.0), before=before)
    assert (found.rule.id, found.value, found.limit) == (one.pk, 6.0, "changing faster than 5 a minute")
    climbing = [sample(asset, minute, temperature=20.0 + 6 * minute) for minute in range(1, 4)]
    assert told(judged(*climbing)) == [("Fast", "breach")] * 2
    assert judged(sample(asset, temperature=1e6)) == []


def test_a_reading_ends_a_silence_by_the_clock(tenant: Tenant) -> None:
    quiet = rule(tenant, name="Silent", condition="silent", channel="", limit="3 * usual_interval")
    asset, other = pack(tenant), pack(tenant, "P2")
    heard = sample(asset, temperature=60)
    assert judged(heard, sample(other)) == []
    [found] = judged(heard, sample(other), watched=[(quiet, asset)])
    assert (found.rule.condition, found.asset_id, found.verdict) == (Condition.SILENT, asset.pk, Verdict.CLEAR)
    assert found.at == heard.received_at


def test_nothing_is_asked_where_nothing_came(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert judged() == []


def test_once_the_plans_are_made_a_call_asks_the_database_one_question(
    tenant: Tenant, other_tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    samples = [sample(pack(one, key), temperature=20) for one in (tenant, other_tenant) for key in ("a", "b")]
    rule(tenant, limit="nominal"), rule(other_tenant)
    judged(*samples)
    with django_assert_num_queries(1):
        judged(*samples)


def test_things_alike_share_a_plan(tenant: Tenant) -> None:
    rule(tenant, limit="nominal")
    alike = [pack(tenant, f"P{number}", nameplate={"nominal": 3.7, "strongest": number}) for number in range(3)]
    special = pack(tenant, "S", nameplate={"nominal": 3.7})
    rule(tenant, name="Own", asset_id=special.pk)
    judged(*(sample(one) for one in (*alike, special)))
    plans = books_of(PACK, [tenant.pk])[tenant.pk].plans([one.pk for one in (*alike, special)])
    assert len({id(plans[one.pk]) for one in alike}) == 1
    assert plans[special.pk] is not plans[alike[0].pk]
