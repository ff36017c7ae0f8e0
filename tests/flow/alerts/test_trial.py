"""A rule that is tried says what it would have raised, had it judged each reading as it came."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.battery_history import Row, battery_make, history_load, moment
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.states import KnownState
from wattkeeper.base.catalog import registry
from wattkeeper.flow.alerts.machine import Step, advance, chatters
from wattkeeper.flow.alerts.trial import LISTED_MOST, Trial, rule_tried
from wattkeeper.flow.rules.conditions import compiled
from wattkeeper.flow.rules.fields import RuleFields, spec_of
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.rules.verdicts import Sample
from wattkeeper.flow.store.store import Store

UNTIL = moment(2 * 24 * 3600)
HOUR = 3600.0


class Past:
    """Batteries with a history, on which rules are tried."""

    def __init__(self, store: Store, tenant: Tenant, folder: Path) -> None:
        self.tenant, self._store, self._folder = tenant, store, folder

    def load(self, rows: Sequence[Row], assets: Sequence[Asset]) -> None:
        history_load(self._store, self._folder, rows, assets=assets)

    def temperatures(self, key: str, course: Mapping[float, float | None]) -> Asset:
        """A battery that was so hot at these seconds."""
        asset = battery_make(key, tenant=self.tenant)
        self.load([(key, at, degrees, 10.0, "IDLE") for at, degrees in course.items()], [asset])
        return asset

    def rule(self, **given: Any) -> RuleSpec:
        said = {"name": "Hot", "channel": "current_temperature", "condition": "above", **given}
        if said["condition"] != "outside":
            said.setdefault("limit", "50")
        fields = RuleFields(kind="battery", level="WARNING", alert_type="OVER_TEMPERATURE", **said)
        return spec_of(fields, kind=registry.kind("battery"), tenant_id=self.tenant.pk)

    def tried(self, *, until: datetime = UNTIL, **given: Any) -> Trial:
        return rule_tried(self.rule(**given), since=moment(0), until=until, now=UNTIL)


@pytest.fixture
def past(vehicle_store: Store, tenant: Tenant, tmp_path: Path) -> Past:
    return Past(vehicle_store, tenant, tmp_path)


def seconds_of(trial: Trial) -> list[tuple[float, float | None]]:
    """When each alert opened and cleared, the oldest first."""
    start = moment(0)
    return [
        ((one.opened_at - start).total_seconds(), one.cleared_at and (one.cleared_at - start).total_seconds())
        for one in reversed(trial.episodes)
    ]


# -- the same as one reading after the other ----------------------------------------------------------------------

LIMIT = st.sampled_from(["45", "50", "0.8 * voltage_nominal", "5 * voltage_nominal", "voltage_nominal"])
NUMERIC = st.fixed_dictionaries(
    {
        "channel": st.sampled_from(["current_temperature", "current_voltage"]),
        "condition": st.sampled_from(["above", "below", "equals", "changes"]),
        "limit": LIMIT,
        "deadband": st.sampled_from([0.0, 2.0]),
    }
)
OUTSIDE = st.fixed_dictionaries(
    {
        "channel": st.just("current_temperature"),
        "condition": st.just("outside"),
        "low": st.sampled_from(["40", "4 * voltage_nominal"]),
        "high": st.sampled_from(["50", "5 * voltage_nominal"]),
        "deadband": st.sampled_from([0.0, 3.0]),
    }
)
TEXTUAL = st.just({"channel": "current_status", "condition": "equals", "limit": "FAULT"})
GUARD = st.sampled_from(
    [
        {},
        {"while_channel": "current_status", "while_condition": "equals", "while_limit": "CHARGING"},
        {"while_channel": "current_voltage", "while_condition": "above", "while_limit": "voltage_nominal"},
    ]
)
DELAYS = st.fixed_dictionaries(
    {
        "on_delay_seconds": st.sampled_from([0, 0, 60, 600]),
        "off_delay_seconds": st.sampled_from([0, 0, 60, 5400]),
    }
)
RULE = st.tuples(st.one_of(NUMERIC, OUTSIDE, TEXTUAL), GUARD, DELAYS).map(
    lambda parts: {**parts[0], **parts[1], **parts[2]}
)
WILD_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["B1", "B2", "B3"]),
        # Minute by minute, so that rules chatter; and now and then hours later.
        st.integers(0, 90).map(lambda minute: 60.0 * minute) | st.integers(0, 150_000).map(float),
        st.none() | st.sampled_from([39.0, 40.0, 45.0, 47.5, 50.0, 50.01, 52.0, 61.2]),
        st.none() | st.sampled_from([7.99, 8.0, 9.0, 10.0, 10.5, 12.0]),
        st.none() | st.sampled_from(["IDLE", "CHARGING", "FAULT"]),
    ),
    min_size=1,
    max_size=90,
    unique_by=lambda row: row[:2],
)
Opened = tuple[int, datetime, datetime | None]


def replayed(rule: RuleSpec, asset: Asset, rows: Sequence[Row], nameplate: Mapping[str, float | None]) -> list[Opened]:
    """Every reading through the rule and the machine, as the pipeline does it."""
    one = compiled(rule, nameplate)
    known, watch, openings = KnownState(None, {}), None, []
    alerts: list[Opened] = []
    for _, at, temperature, voltage, status in sorted(rows, key=lambda row: row[1]):
        values = {"current_temperature": temperature, "current_voltage": voltage, "current_status": status}
        sample = Sample(rule.tenant_id, asset.pk, moment(at), moment(at), values)
        verdict, _ = one.verdict(sample, known)
        known = KnownState(sample.at, {**known.values, **{k: v for k, v in values.items() if v is not None}})
        watch, step = advance(watch, verdict, sample.at, on_delay=rule.on_delay, off_delay=rule.off_delay)
        if step is Step.OPEN:
            assert watch is not None
            watch = replace(watch, chattering=chatters(openings, sample.at))
            openings.append(sample.at)
            alerts.append((asset.pk, sample.at, None))
        elif step is Step.CLEAR:
            alerts[-1] = (asset.pk, alerts[-1][1], sample.at)
    return alerts


_runs = itertools.count()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=WILD_ROWS, asked=RULE)
def test_a_trial_raises_what_reading_after_reading_would_have(
    rows: list[Row], asked: dict[str, Any], past: Past
) -> None:
    run = next(_runs)
    own = [(f"{key}-{run}", *rest) for key, *rest in rows]
    nominals = {f"B1-{run}": 10.0, f"B2-{run}": 9.5, f"B3-{run}": None}
    assets = [
        battery_make(key, tenant=past.tenant, voltage_nominal=nominal, type=f"run {run}")
        for key, nominal in nominals.items()
    ]
    past.load(own, assets)
    rule = past.rule(type=f"run {run}", **asked)
    expected = [
        alert
        for asset in assets
        for alert in replayed(
            rule, asset, [row for row in own if row[0] == asset.key], {"voltage_nominal": nominals[asset.key]}
        )
    ]
    trial = rule_tried(rule, since=moment(0), until=UNTIL, now=UNTIL)
    found = sorted((one.asset_id, one.opened_at, one.cleared_at) for one in trial.episodes)
    assert [one[:2] for one in found] == [one[:2] for one in sorted(expected)]
    assert found == sorted(expected)
    assert trial.total == len(expected) == sum(trial.by_asset.values()) == sum(trial.by_day.values())
    assert trial.still_open == sum(cleared is None for _, _, cleared in expected)
    assert trial.assets == 3
    assert trial.assets_unsure + len({row[0] for row in own}) >= 1


# -- what people are told -----------------------------------------------------------------------------------------


def test_an_alert_opens_after_its_delay_and_closes_after_the_other(past: Past) -> None:
    past.temperatures("BAT-1", {0: 40, 60: 55, 120: 61.2, 400: 58, 500: 49, 560: 51, 700: 46, 1000: 46, 1100: 45})
    trial = past.tried(on_delay_seconds=300, off_delay_seconds=300, deadband=3.0)
    assert seconds_of(trial) == [(400.0, 1000.0)]
    (alert,) = trial.episodes
    assert (alert.worst, alert.seconds) == (61.2, 600.0)
    assert trial.keys == {alert.asset_id: "BAT-1"}
    assert trial.by_asset == {alert.asset_id: 1}
    assert (trial.assets, trial.assets_alerted, trial.readings, trial.total, trial.still_open) == (1, 1, 9, 1, 0)


def test_a_breach_that_no_reading_has_ended_is_still_open(past: Past) -> None:
    past.temperatures("BAT-1", {0: 40, 60: 55})
    trial = past.tried()
    assert seconds_of(trial) == [(60.0, None)]
    assert trial.still_open == 1
    assert trial.episodes[0].seconds == (UNTIL - moment(60)).total_seconds()


def test_of_what_was_too_low_the_least_is_the_worst(past: Past) -> None:
    past.temperatures("BAT-1", {0: 40, 60: -5, 120: -20, 180: 40, 240: 55, 300: 56})
    trial = past.tried(condition="outside", low="0", high="50")
    assert [one.worst for one in reversed(trial.episodes)] == [-20.0, 56.0]


def test_what_swings_about_its_limit_is_one_long_alert(past: Past) -> None:
    """As it is live: from the fourth opening within an hour on, an alert closes only after an hour of calm."""
    swings = {60.0 * minute: 55.0 if minute % 2 else 45.0 for minute in range(120)}
    past.temperatures("BAT-1", {**swings, 4 * HOUR: 45.0, 6 * HOUR: 45.0})
    assert seconds_of(past.tried()) == [(60, 120), (180, 240), (300, 360), (420, 6 * HOUR)]


def test_each_thing_is_held_to_its_own_nameplate(past: Past) -> None:
    weak = battery_make("WEAK", tenant=past.tenant, voltage_nominal=10.0)
    strong = battery_make("STRONG", tenant=past.tenant, voltage_nominal=12.0)
    blank = battery_make("BLANK", tenant=past.tenant, voltage_nominal=None)
    assets = [weak, strong, blank]
    past.load([(asset.key, 0, 20.0, 9.0, "IDLE") for asset in assets], assets)
    trial = past.tried(channel="current_voltage", condition="below", limit="0.8 * voltage_nominal")
    assert list(trial.by_asset) == [strong.pk]
    assert (trial.assets, trial.assets_unsure) == (3, 1)


@pytest.mark.parametrize(("scope", "expected"), [({}, {"A", "B"}), ({"type": "NiMH"}, {"B"}), ({"asset": "A"}, {"A"})])
def test_only_the_things_that_the_rule_is_about_are_tried(
    past: Past, scope: dict[str, str], expected: set[str]
) -> None:
    assets = {
        "A": battery_make("A", tenant=past.tenant),
        "B": battery_make("B", tenant=past.tenant, type="NiMH"),
        "GONE": battery_make("GONE", tenant=past.tenant),
    }
    past.load([(key, 0, 60.0, 9.0, "IDLE") for key in assets], list(assets.values()))
    Asset.objects.filter(key="GONE").update(archived_at=UNTIL)
    given = {"asset_id": assets[scope["asset"]].pk} if "asset" in scope else scope
    assert set(past.tried(**given).keys.values()) == expected


def test_another_tenants_readings_are_not_looked_at(past: Past, other_tenant: Tenant) -> None:
    asset = battery_make("THEIRS", tenant=other_tenant)
    past.load([("THEIRS", 0, 60.0, 9.0, "IDLE")], [asset])
    trial = past.tried()
    assert (trial.assets, trial.readings, trial.total) == (0, 0, 0)


def test_every_day_of_the_window_is_counted_in_the_zone_of_who_asks(past: Past) -> None:
    past.temperatures("BAT-1", {0: 40, 22.5 * HOUR: 55, 23 * HOUR: 40, 25 * HOUR: 55})
    rule = past.rule()
    days = {"since": moment(HOUR), "until": UNTIL, "now": UNTIL}
    assert rule_tried(rule, **days).by_day == {date(2024, 5, 1): 1, date(2024, 5, 2): 1}
    berlin = rule_tried(rule, **days, zone=ZoneInfo("Europe/Berlin")).by_day
    assert berlin == {date(2024, 5, 1): 0, date(2024, 5, 2): 2, date(2024, 5, 3): 0}


def test_of_very_many_alerts_the_newest_are_listed_and_all_are_counted(past: Past) -> None:
    course = {at * HOUR / 4: 55.0 if at % 2 == 0 else 45.0 for at in range(96)}
    assets = [battery_make(f"BAT-{number}", tenant=past.tenant) for number in range(6)]
    past.load([(asset.key, at, hot, 10.0, "IDLE") for asset in assets for at, hot in course.items()], assets)
    trial = past.tried()
    assert (trial.total, sum(trial.by_asset.values()), sum(trial.by_day.values())) == (288, 288, 288)
    assert len(trial.episodes) == LISTED_MOST
    opened = [one.opened_at for one in trial.episodes]
    assert opened == sorted(opened, reverse=True)
    assert opened[0] == moment(94 * HOUR / 4)


@pytest.mark.parametrize(
    "guard", [{}, {"while_channel": "cycle_count", "while_condition": "above", "while_limit": "5"}]
)
def test_what_is_written_and_not_measured_has_no_history(past: Past, guard: dict[str, str]) -> None:
    channel = {"channel": "current_temperature"} if guard else {"channel": "health_percentage"}
    trial = past.tried(**channel, **guard)
    assert "written, not measured" in trial.untestable
    assert (trial.total, trial.readings) == (0, 0)


# -- silence ------------------------------------------------------------------------------------------------------


def test_a_pause_longer_than_the_limit_would_have_been_an_alert(past: Past) -> None:
    past.temperatures("BAT-1", {0: 20, 60: 20, 120: 20, 1000: 20, 1060: 20})
    trial = past.tried(channel="", condition="silent", limit="100", until=moment(1100))
    assert seconds_of(trial) == [(220.0, 1000.0)]
    assert trial.episodes[0].worst == 880.0
    assert trial.readings == 5


def test_what_has_fallen_silent_is_still_silent(past: Past) -> None:
    past.temperatures("BAT-1", {0: 20, 60: 20})
    trial = past.tried(channel="", condition="silent", limit="100", on_delay_seconds=50)
    assert seconds_of(trial) == [(210.0, None)]


def test_silence_is_measured_by_a_things_own_habit(past: Past) -> None:
    often = {60.0 * minute: 20.0 for minute in range(30)}
    past.temperatures("OFTEN", {**often, 3 * HOUR: 20.0})
    past.temperatures("SELDOM", {hour * HOUR: 20.0 for hour in range(12)})
    past.temperatures("NEW", {0: 20.0, 60: 20.0})
    trial = past.tried(channel="", condition="silent", limit="3 * usual_interval", until=moment(3 * HOUR + 60))
    assert list(trial.keys.values()) == ["OFTEN"]
    assert seconds_of(trial) == [(29 * 60 + 180, 3 * HOUR)]
    assert trial.assets_unsure == 2  # four readings of the one, two of the other


def test_what_was_not_heard_of_in_the_whole_window_was_silent_from_its_beginning(past: Past) -> None:
    asset = battery_make("LOST", tenant=past.tenant)
    Asset.objects.filter(pk=asset.pk).update(last_seen=moment(-5 * HOUR), usual_interval=60.0, readings_seen=50)
    for limit in ("600", "3 * usual_interval"):
        trial = past.tried(channel="", condition="silent", limit=limit)
        assert seconds_of(trial) == [(0.0, None)]
        assert trial.episodes[0].worst == (UNTIL - moment(-5 * HOUR)).total_seconds()


def test_a_sign_of_life_that_is_no_reading_ends_a_silence(past: Past) -> None:
    asset = past.temperatures("BAT-1", {0: 20, 60: 20})
    Asset.objects.filter(pk=asset.pk).update(last_seen=moment(1000))
    trial = past.tried(channel="", condition="silent", limit="100", until=moment(1050))
    assert seconds_of(trial) == [(160.0, 1000.0)]


def test_the_future_is_not_silent_yet(past: Past) -> None:
    past.temperatures("BAT-1", {0: 20, 60: 20})
    rule = past.rule(channel="", condition="silent", limit="100")
    trial = rule_tried(rule, since=moment(0), until=UNTIL, now=moment(120))
    assert (trial.total, trial.until) == (0, moment(120))
