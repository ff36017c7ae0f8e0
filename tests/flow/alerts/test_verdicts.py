"""What verdicts make of alerts in the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.alerts import LATER, NOON, apply, at, battery, breach, clear, judged, opened, rule_make, told, unsure
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.alerts import actions, verdicts
from wattkeeper.flow.alerts.machine import CHATTER_OPENINGS, Phase
from wattkeeper.flow.alerts.models import Alert, RuleState, Transition
from wattkeeper.flow.alerts.queries import watched_of
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.rules.verdicts import Judged, Verdict


class TestOneAlert:
    def test_it_opens_with_what_was_judged_and_says_who_when_and_why(self, rule: RuleSpec, asset: Asset) -> None:
        (transition,) = apply(breach(rule, asset, 7))
        alert = Alert.objects.get()
        assert (alert.tenant_id, alert.asset_id, alert.rule_id, alert.kind) == (
            asset.tenant_id,
            asset.pk,
            rule.id,
            "battery",
        )
        assert (alert.alert_type, alert.level) == ("OVER_TEMPERATURE", "CRITICAL")
        assert alert.message == "Temperature 61.2 °C, above 50 °C"
        assert (alert.value, alert.limit) == ("61.2 °C", "above 50 °C")
        assert (alert.opened_at, alert.created_at, alert.resolved_at) == (at(7), LATER, None)
        assert (transition.alert_id, transition.kind, transition.by) == (alert.pk, "opened", "rule")
        assert (transition.at, transition.event_at, transition.why) == (LATER, at(7), alert.message)
        assert transition.detail == {"value": 61.2, "limit": "above 50 °C", "since": "2026-05-01T12:00:07Z"}

    def test_it_says_since_when_the_breach_that_opened_it_lasts(self, tenant: Tenant, asset: Asset) -> None:
        slow = rule_make(tenant, on=300)
        assert apply(breach(slow, asset, 0)) == []
        assert apply(breach(slow, asset, 299)) == []
        (transition,) = apply(breach(slow, asset, 300))
        assert transition.detail["since"] == "2026-05-01T12:00:00Z"
        assert Alert.objects.get().message == "Temperature 61.2 °C, above 50 °C for 5 min"

    def test_there_is_one_however_long_the_breach_goes_on(self, rule: RuleSpec, asset: Asset) -> None:
        for second in range(10):
            apply(breach(rule, asset, second, 60.0 + second))
        alert = Alert.objects.get()
        assert told(alert) == ["opened"]
        assert alert.value == "69 °C", "the newest"

    def test_it_clears_by_itself_after_the_off_delay(self, tenant: Tenant, asset: Asset) -> None:
        slow = rule_make(tenant, off=60)
        alert = opened(slow, asset)
        assert apply(clear(slow, asset, 10), clear(slow, asset, 69)) == []
        (transition,) = apply(clear(slow, asset, 70, 47.5))
        alert.refresh_from_db()
        assert (alert.cleared_at, alert.resolved_at, alert.resolved_by) == (at(70), LATER, "rule")
        assert (transition.kind, transition.why) == ("cleared", "Temperature 47.5 °C, no longer above 50 °C")
        assert not RuleState.objects.exists(), "what is clear is not kept"

    def test_a_value_in_the_deadband_changes_nothing(self, rule: RuleSpec, asset: Asset) -> None:
        alert = opened(rule, asset)
        assert apply(unsure(rule, asset, 1)) == []
        assert told(alert) == ["opened"]

    def test_a_late_reading_never_closes_a_newer_alert(self, rule: RuleSpec, asset: Asset) -> None:
        alert = opened(rule, asset, 100)
        assert apply(clear(rule, asset, 99)) == []
        assert apply(clear(rule, asset, 100)) == [], "nor one of the same time"
        alert.refresh_from_db()
        assert alert.resolved_at is None

    def test_nothing_that_is_clear_costs_a_question(self, db: None, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert verdicts.verdicts_apply([], watched={}, now=LATER) == []


class TestOneCall:
    def test_a_pair_may_open_clear_and_open_again_in_one_call(self, rule: RuleSpec, asset: Asset) -> None:
        made = apply(breach(rule, asset, 0), clear(rule, asset, 1), breach(rule, asset, 2), unsure(rule, asset, 3))
        first, second = Alert.objects.order_by("pk")
        assert [(one.alert_id, one.kind) for one in made] == [
            (first.pk, "opened"),
            (first.pk, "cleared"),
            (second.pk, "opened"),
        ]
        assert (first.cleared_at, second.resolved_at) == (at(1), None)
        assert RuleState.objects.get().alert_id == second.pk

    def test_what_breaches_again_after_it_has_cleared_has_no_alert_yet(self, tenant: Tenant, asset: Asset) -> None:
        slow = rule_make(tenant, on=10)
        apply(breach(slow, asset, 0), breach(slow, asset, 10), clear(slow, asset, 11), breach(slow, asset, 12))
        state = RuleState.objects.get()
        assert (state.phase, state.alert_id) == ("pending", None)
        assert told(Alert.objects.get()) == ["opened", "cleared"]

    def test_an_alert_of_before_may_clear_and_another_open_in_one_call(self, rule: RuleSpec, asset: Asset) -> None:
        before = opened(rule, asset)
        apply(clear(rule, asset, 1), breach(rule, asset, 2))
        after = Alert.objects.get(resolved_at=None)
        assert after.pk != before.pk
        assert told(before) == ["opened", "cleared"]
        assert RuleState.objects.get().alert_id == after.pk

    def test_what_is_late_within_a_call_changes_nothing(self, rule: RuleSpec, asset: Asset) -> None:
        apply(breach(rule, asset, 5), clear(rule, asset, 6), breach(rule, asset, 4), breach(rule, asset, 6))
        assert told(Alert.objects.get()) == ["opened", "cleared"]

    def test_rules_and_assets_do_not_disturb_one_another(self, tenant: Tenant, asset: Asset) -> None:
        rules, assets = [rule_make(tenant), rule_make(tenant)], [asset, battery(tenant, "BAT-2")]
        apply(*(breach(rule, one, 0) for rule in rules for one in assets))
        apply(clear(rules[0], assets[0], 1))
        left = Alert.objects.filter(resolved_at=None).values_list("rule_id", "asset_id")
        assert set(left) == {(r.id, a.pk) for r in rules for a in assets} - {(rules[0].id, assets[0].pk)}

    def test_it_costs_the_same_for_many_as_for_few(self, tenant: Tenant, rule: RuleSpec) -> None:
        assets = [battery(tenant, f"BAT-{number}") for number in range(22)]

        def cost(some: Sequence[Asset], verdict: Callable[..., Judged], second: int) -> int:
            with CaptureQueriesContext(
                connection,
            ) as asked:
                apply(*(verdict(rule, one, second) for one in some))
            return len(asked)

        for second, verdict in enumerate((breach, breach, clear)):
            assert cost(assets[:2], verdict, second) == cost(assets[2:], verdict, second) <= 10


class TestFlapping:
    def swing(self, rule: RuleSpec, asset: Asset, *, times: int, every: int = 60) -> None:
        for number in range(times):
            apply(breach(rule, asset, number * every))
            apply(clear(rule, asset, number * every + every // 2))

    def test_a_value_that_swings_about_its_limit_does_not_flood_anybody(self, rule: RuleSpec, asset: Asset) -> None:
        self.swing(rule, asset, times=50)
        assert Alert.objects.count() == CHATTER_OPENINGS
        last = Alert.objects.get(resolved_at=None)
        why = Transition.objects.get(alert=last).why
        assert why.endswith("Opened 4 times within an hour: it closes only after an hour without a breach.")

    def test_nor_does_it_in_one_call(self, rule: RuleSpec, asset: Asset) -> None:
        apply(*(verdict(rule, asset, n) for n in range(100) for verdict in ([breach, clear][n % 2],)))
        assert Alert.objects.count() == CHATTER_OPENINGS

    def test_it_closes_after_an_hour_without_a_breach(self, rule: RuleSpec, asset: Asset) -> None:
        self.swing(rule, asset, times=5)
        start = 4 * 60 + 30
        assert apply(clear(rule, asset, start + 3599)) == []
        assert [one.kind for one in apply(clear(rule, asset, start + 3600))] == ["cleared"]
        assert not RuleState.objects.exists()

    def test_what_opens_rarely_does_not_chatter(self, rule: RuleSpec, asset: Asset) -> None:
        self.swing(rule, asset, times=10, every=1300)
        assert Alert.objects.count() == 10
        assert not RuleState.objects.exists()

    def test_who_resolves_it_again_and_again_does_not_bring_it_back(self, rule: RuleSpec, asset: Asset) -> None:
        for second in range(0, 600, 2):
            apply(breach(rule, asset, second), clear(rule, asset, second + 1))
            for alert in Alert.objects.filter(resolved_at=None):
                actions.alert_resolve(alert, by="user:1")
        assert Alert.objects.count() == CHATTER_OPENINGS


class TestResolvedByAPerson:
    def test_it_opens_again_only_after_it_has_been_clear(self, rule: RuleSpec, asset: Asset) -> None:
        actions.alert_resolve(opened(rule, asset), by="user:1")
        assert apply(breach(rule, asset, 1), breach(rule, asset, 2)) == []
        assert apply(clear(rule, asset, 3)) == [], "it is over already"
        assert [one.kind for one in apply(breach(rule, asset, 4))] == ["opened"]

    def test_it_waits_for_the_off_delay_that_has_begun(self, tenant: Tenant, asset: Asset) -> None:
        slow = rule_make(tenant, off=60)
        alert = opened(slow, asset)
        apply(clear(slow, asset, 1))
        actions.alert_resolve(alert, by="user:1")
        assert RuleState.objects.get().phase == Phase.LEAVING
        apply(clear(slow, asset, 61))
        assert not RuleState.objects.exists()
        assert told(alert) == ["opened", "resolved"]


class TestOvertaken:
    """What `watched` says is what was read; another process may have been there since."""

    def test_an_alert_that_somebody_resolved_meanwhile_is_not_cleared_too(self, rule: RuleSpec, asset: Asset) -> None:
        alert = opened(rule, asset)
        watched = watched_of([asset.pk])
        actions.alert_resolve(alert, by="user:1")
        assert verdicts.verdicts_apply([clear(rule, asset, 1)], watched=watched, now=LATER) == []
        assert told(alert) == ["opened", "resolved"]
        assert not RuleState.objects.exists(), "it was clear, so it may open again"

    def test_what_is_over_stays_as_it_ended_even_if_its_state_has_not_heard_of_it(
        self, rule: RuleSpec, asset: Asset
    ) -> None:
        alert = opened(rule, asset)
        Alert.objects.update(resolved_at=NOON, resolved_by="user:1")
        apply(breach(rule, asset, 1, 99.0), clear(rule, asset, 2))
        alert.refresh_from_db()
        assert (alert.resolved_at, alert.resolved_by, alert.cleared_at, alert.value) == (
            NOON,
            "user:1",
            None,
            "61.2 °C",
        )
        assert not RuleState.objects.exists()

    def test_an_alert_that_another_has_opened_meanwhile_is_not_opened_twice(self, rule: RuleSpec, asset: Asset) -> None:
        apply(breach(rule, asset, 0))
        assert verdicts.verdicts_apply([breach(rule, asset, 1, 70.0)], watched={}, now=LATER) == []
        assert Alert.objects.get().value == "70 °C"

    def test_a_breach_that_another_has_noted_meanwhile_is_not_noted_twice(self, tenant: Tenant, asset: Asset) -> None:
        slow = rule_make(tenant, on=60)
        apply(breach(slow, asset, 0))
        verdicts.verdicts_apply([breach(slow, asset, 30)], watched={}, now=LATER)
        assert RuleState.objects.get().since == at(0)

    def test_what_another_has_cleared_meanwhile_opens_anew(self, rule: RuleSpec, asset: Asset) -> None:
        apply(breach(rule, asset, 0))
        watched = watched_of([asset.pk])
        apply(clear(rule, asset, 1))
        (transition,) = verdicts.verdicts_apply([breach(rule, asset, 2)], watched=watched, now=LATER)
        assert transition.kind == "opened"

    def test_what_another_has_seen_later_stays(self, rule: RuleSpec, asset: Asset) -> None:
        apply(breach(rule, asset, 0))
        watched = watched_of([asset.pk])
        apply(breach(rule, asset, 9))
        assert verdicts.verdicts_apply([clear(rule, asset, 5)], watched=watched, now=LATER) == []
        assert RuleState.objects.get().at == at(9)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delay", [0, 60])
def test_of_two_that_judge_the_same_at_once_one_opens_it(delay: int, tenant: Tenant, asset: Asset) -> None:
    rule = rule_make(tenant, on=delay)
    together = threading.Barrier(2)
    heard: list[list[Transition]] = []
    failed: list[BaseException] = []

    def judge(second: int) -> None:
        try:
            for verdict in (breach(rule, asset, second), breach(rule, asset, second + 100)):
                watched = watched_of([asset.pk])
                together.wait(timeout=30)
                heard.append(verdicts.verdicts_apply([verdict], watched=watched, now=LATER))
                together.wait(timeout=30)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=judge, args=(second,)) for second in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert told(Alert.objects.get()) == ["opened"]
    assert sum(map(len, heard)) == 1
    assert RuleState.objects.get().at in {at(100), at(101)}


swings = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(1, 40), st.sampled_from(Verdict)), max_size=30
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(swings, st.sets(st.integers(1, 29)), st.sampled_from([0, 15]), st.sampled_from([0, 15]))
def test_readings_one_by_one_come_to_what_they_come_to_in_any_batches(
    tenant: Tenant, steps: Sequence[tuple[int, int, int, Verdict]], cuts: set[int], on: int, off: int
) -> None:
    found = []
    for cut_at in (set(range(30)), cuts, set[int]()):
        with transaction.atomic():
            found.append(_outcome(tenant, steps, cut_at, on=on, off=off))
            transaction.set_rollback(True)
    assert found[0] == found[1] == found[2]
    openings, states, unresolved = found[0]
    assert all(kinds in (["opened"], ["opened", "cleared"]) for *_, kinds in openings)
    assert unresolved == sum(phase in {"open", "clearing"} for *_, phase, _, _, _ in states)


def _outcome(
    tenant: Tenant, steps: Sequence[tuple[int, int, int, Verdict]], cuts: set[int], *, on: int, off: int
) -> tuple[list[Any], list[Any], int]:
    """Alerts, states and the number of unresolved alerts after the steps, cut into batches before those numbers."""
    rules = [rule_make(tenant, on=on, off=off), rule_make(tenant)]
    assets = [battery(tenant, "BAT-1"), battery(tenant, "BAT-2")]
    name = {**{rule.id: n for n, rule in enumerate(rules)}, **{-asset.pk: n for n, asset in enumerate(assets)}}
    batch: list[Judged] = []
    second = 0
    for number, (which_rule, which_asset, gap, verdict) in enumerate(steps):
        if number in cuts:
            _ = batch and apply(*batch)
            batch = []
        second += gap
        batch.append(judged(rules[which_rule], assets[which_asset], second, verdict, float(second)))
    _ = batch and apply(*batch)
    alerts = sorted(
        (name[one.rule_id], name[-one.asset_id], one.opened_at, one.cleared_at, one.value, told(one))
        for one in Alert.objects.filter(tenant=tenant)
    )
    states = sorted(
        (name[one.rule_id], name[-one.asset_id], one.phase, one.since, one.at, one.chattering)
        for one in RuleState.objects.all()
    )
    return alerts, states, Alert.objects.filter(resolved_at=None).count()
