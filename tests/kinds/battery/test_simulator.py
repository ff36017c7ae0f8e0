"""The simulated packs: plausible, repeatable, most of them well and a few not."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wattkeeper.flow.readings.normalise import normalise
from wattkeeper.flow.readings.reading import Row
from wattkeeper.kinds.battery.simulator import fleet
from wattkeeper.kinds.battery.simulator.lives import Status
from wattkeeper.kinds.battery.simulator.packs import HISTORY_SECONDS, LIVE_SECONDS, Pack
from wattkeeper.kinds.battery.simulator.troubles import Sample, Trouble
from wattkeeper.kinds.battery.streams import STATUS

ORIGIN = datetime(2026, 3, 2, 8, 30, 0, 250_000, tzinfo=UTC)
WEEK = timedelta(days=7)
FLEET = 200
SECONDS = st.integers(0, 14 * 86_400)

# --- Builders ---


def pack(number: int = 1, *, origin: datetime = ORIGIN, seed: int = 20) -> Pack:
    return Pack(number, seed=seed, origin=origin)


def samples(
    of: Pack, count: int = 2_000, *, every: int = LIVE_SECONDS, after: timedelta = timedelta(0)
) -> list[Sample]:
    return list(islice(of.samples(every=every, since=ORIGIN + after), count))


def week(of: Pack, *, every: int = HISTORY_SECONDS) -> list[Sample]:
    end = (ORIGIN + WEEK).timestamp()
    return list(takewhile(lambda sample: sample.second < end, of.samples(every=every, since=ORIGIN)))


def troubled(trouble: Trouble) -> Pack:
    return next(one for one in fleet.packs(FLEET, origin=ORIGIN) if one.trouble is trouble)


def healthy() -> list[Pack]:
    return [one for one in fleet.packs(FLEET, origin=ORIGIN) if one.trouble is None]


def wrong(of: Pack, rows: Sequence[Sample]) -> set[str]:
    """What the contract's default alerts would say of these samples, but for silence."""
    make, found = of.make, set[str]()
    for row in rows:
        found |= {
            name
            for name, true in {
                "LOW_CHARGE": row.charge < 10,
                "OVERCHARGE": row.voltage > 1.15 * make.voltage_nominal,
                "OVER_TEMPERATURE": row.temperature > 50,
                "UNDER_VOLTAGE": row.voltage < 0.8 * make.voltage_nominal,
                "OVER_CURRENT": not -make.max_discharge_current <= row.current <= make.max_charge_current,
                "FAULT": row.status is Status.FAULT,
            }.items()
            if true
        }
    return found


def worn(of: Pack) -> set[str]:
    return {"HEALTH_DEGRADATION"} if of.wear(ORIGIN + WEEK).health < 80 else set()


def written(**options: datetime) -> list[list[str]]:
    """The lines of a history of five packs, without the header."""
    out = io.StringIO()
    window = {"since": ORIGIN, "until": ORIGIN + timedelta(hours=3), **options}
    rows = fleet.history_write(out, size=5, origin=ORIGIN, **window)
    lines = list(csv.reader(io.StringIO(out.getvalue())))
    assert lines[0] == list(STATUS.columns)
    assert rows == len(lines) - 1
    return lines[1:]


def live(count: int, **options: datetime) -> list[Row]:
    return list(islice(fleet.present(size=5, origin=ORIGIN, **{"since": ORIGIN, **options}), count))


# --- What a pack does ---


def test_no_sample_of_a_week_is_refused_or_flagged() -> None:
    for row in islice(fleet.present(size=FLEET, origin=ORIGIN, since=ORIGIN), 40_000):
        assert row.flags == ()
    for number in range(1, FLEET + 1, 3):
        for sample in week(pack(number), every=3_600):
            told = {"serial_number": "a", "logged_at": "2026-03-02T08:30:00Z", **fleet.values_of(sample)}
            row = normalise(STATUS, told, now=ORIGIN)
            assert isinstance(row, Row) and row.flags == (), (number, sample, row)


def test_a_healthy_pack_gives_no_reason_for_an_alert() -> None:
    for one in healthy():
        assert wrong(one, week(one)) | worn(one) == set(), one.serial_number


def test_a_pack_charges_works_and_rests() -> None:
    for one in healthy()[:40]:
        rows = week(one)
        assert {row.status for row in rows} == {Status.CHARGING, Status.DISCHARGING, Status.IDLE}
        assert max(row.charge for row in rows) - min(row.charge for row in rows) > 40


@given(number=st.integers(1, 1_000), seed=st.integers(0, 1_000))
@settings(max_examples=40, deadline=None)
@example(number=307, seed=0)  # it falls silent, and has been at work when it is heard of again
def test_charge_rises_while_charging_falls_at_work_and_stays_at_rest(number: int, seed: int) -> None:
    for one, two in pairwise(samples(pack(number, seed=seed), 3_000)):
        if one.status is two.status and two.second - one.second <= LIVE_SECONDS:  # after a silence it is another day
            change = two.charge - one.charge
            assert (change >= 0) if one.status is Status.CHARGING else (change <= 0)
            assert change == 0 or one.status not in (Status.IDLE, Status.FAULT)
        signs = {Status.CHARGING: two.current > 0, Status.DISCHARGING: two.current < 0}
        assert signs.get(two.status, two.current == 0)


def test_the_charge_agrees_with_the_current() -> None:
    for one in healthy()[:20]:
        rows = samples(one, 8_640)
        hours = LIVE_SECONDS / 3_600
        for status in (Status.CHARGING, Status.DISCHARGING):
            pairs = [(a, b) for a, b in pairwise(rows) if a.status is b.status is status]
            by_charge = sum(b.charge - a.charge for a, b in pairs) / 100
            by_current = sum(a.current * hours for a, _ in pairs) / one.make.ampere_hours
            assert by_current == pytest.approx(by_charge, rel=0.05, abs=0.01), (one.serial_number, status)


def test_voltage_and_temperature_follow_the_load() -> None:
    for one in healthy()[:40]:
        rows = week(one)
        full = [row.voltage for row in rows if row.charge > 80]
        empty = [row.voltage for row in rows if row.charge < 40]
        assert min(full) > max(empty) or sum(full) / len(full) > sum(empty) / len(empty)
        working = [row.temperature for row in rows if row.status is not Status.IDLE]
        resting = [row.temperature for row in rows if row.status is Status.IDLE]
        assert sum(working) / len(working) > sum(resting) / len(resting)


def test_nothing_jumps_between_two_samples() -> None:
    for one in healthy()[:20]:
        for a, b in pairwise(samples(one, 8_640)):
            assert abs(b.charge - a.charge) <= 1
            assert abs(b.temperature - a.temperature) <= 1.5
            assert abs(b.voltage - a.voltage) <= 0.05 * one.make.voltage_nominal


def test_use_wears_a_pack_out_slowly() -> None:
    for one in fleet.packs(40, origin=ORIGIN):
        ages = [one.wear(ORIGIN + timedelta(days=day)) for day in range(15)]
        assert all(a.health >= b.health and a.cycles <= b.cycles for a, b in pairwise(ages))
        assert 0 <= ages[0].health - ages[-1].health < 3
    assert ages[-1].cycles > ages[0].cycles


# --- What is wrong with some ---


def test_one_in_twenty_is_in_trouble_and_each_in_another() -> None:
    found = [one.trouble for one in fleet.packs(FLEET, origin=ORIGIN) if one.trouble]
    assert found == list(Trouble)


@pytest.mark.parametrize(
    ("trouble", "alert"),
    [
        (Trouble.OVERHEATS, "OVER_TEMPERATURE"),
        (Trouble.LOW_CHARGE, "LOW_CHARGE"),
        (Trouble.WEAK_VOLTAGE, "UNDER_VOLTAGE"),
        (Trouble.OVER_CURRENT, "OVER_CURRENT"),
        (Trouble.FAULTS, "FAULT"),
        (Trouble.FLAPS, "OVER_TEMPERATURE"),
        (Trouble.WORN, "HEALTH_DEGRADATION"),
        (Trouble.WORN_OUT, "HEALTH_DEGRADATION"),
        (Trouble.OVERCHARGED, "OVERCHARGE"),
    ],
)
def test_a_trouble_gives_reason_for_its_alert_and_no_other(trouble: Trouble, alert: str) -> None:
    one = troubled(trouble)
    assert wrong(one, week(one, every=LIVE_SECONDS)) | worn(one) == {alert}


@pytest.mark.parametrize("trouble", [Trouble.OVERHEATS, Trouble.WEAK_VOLTAGE, Trouble.OVER_CURRENT, Trouble.FAULTS])
def test_what_comes_now_and_then_goes_again(trouble: Trouble) -> None:
    one = troubled(trouble)
    bad = [bool(wrong(one, [row])) for row in week(one, every=LIVE_SECONDS)]
    assert sum(a != b for a, b in pairwise(bad)) >= 6


def test_a_pack_that_falls_silent_says_nothing_for_an_hour_and_speaks_again() -> None:
    gaps = [b.second - a.second for a, b in pairwise(samples(troubled(Trouble.FALLS_SILENT)))]
    assert set(gaps) == {LIVE_SECONDS, 3_600 + LIVE_SECONDS}


def test_a_flapping_pack_crosses_the_limit_every_half_minute() -> None:
    hot = [row.temperature > 50 for row in samples(troubled(Trouble.FLAPS), 360)]
    assert sum(a != b for a, b in pairwise(hot)) > 80


# --- Always the same ---


@given(number=st.integers(1, 1_000), after=SECONDS)
@settings(max_examples=50, deadline=None)
def test_a_life_is_the_same_wherever_one_begins_to_look(number: int, after: int) -> None:
    later = samples(pack(number), 20, after=timedelta(seconds=after))
    assert all(sample.second >= (ORIGIN + timedelta(seconds=after)).timestamp() for sample in later)
    every = {sample.second: sample for sample in samples(pack(number), 30, after=timedelta(seconds=after - 60))}
    assert all(every[sample.second] == sample for sample in later)


@given(after=SECONDS)
@settings(max_examples=20, deadline=None)
def test_what_a_history_holds_the_present_would_tell_in_the_same_words(after: int) -> None:
    """So that what was sent before a crash is known, and not stored twice."""
    since = ORIGIN + timedelta(seconds=after)
    told = {
        (row.asset_key, row.at.isoformat(), *(str(value) for value in row.values.values()))
        for row in live(5 * 130, since=since)
    }
    lines = written(since=since, until=since + timedelta(minutes=20))
    assert len(lines) > 5
    assert {tuple(line) for line in lines} <= told


def test_the_present_comes_in_the_order_of_time() -> None:
    rows = live(5_000)
    assert all(a.at <= b.at for a, b in pairwise(rows))
    assert len({(row.asset_key, row.at) for row in rows}) == len(rows)
    assert rows[-1].at - rows[0].at == pytest.approx(timedelta(seconds=10_000), abs=timedelta(seconds=30))


def test_histories_that_touch_are_as_good_as_one() -> None:
    middle = ORIGIN + timedelta(hours=1, seconds=7)
    parts = [*written(until=middle), *written(since=middle)]
    assert sorted(parts) == sorted(written())


def test_a_larger_fleet_begins_with_the_smaller_one() -> None:
    for small, large in zip(fleet.packs(3, origin=ORIGIN), fleet.packs(FLEET, origin=ORIGIN), strict=False):
        assert (small.serial_number, small.site, small.make) == (large.serial_number, large.site, large.make)
        assert samples(small, 50) == samples(large, 50)


def test_another_seed_is_another_fleet() -> None:
    assert samples(pack(seed=1), 10) != samples(pack(seed=2), 10)


def test_another_process_gives_the_same_rows() -> None:
    script = (
        "import sys, django; django.setup(); from datetime import UTC, datetime;"
        "from wattkeeper.kinds.battery.simulator.fleet import history_write;"
        "history_write(sys.stdout, size=5, origin=datetime(2026, 3, 2, 8, 30, 0, 250_000, tzinfo=UTC),"
        " since=datetime(2026, 3, 3, tzinfo=UTC), until=datetime(2026, 3, 3, 1, tzinfo=UTC))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    env["DJANGO_SETTINGS_MODULE"] = "wattkeeper.config.settings"
    ran = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    here = written(since=datetime(2026, 3, 3, tzinfo=UTC), until=datetime(2026, 3, 3, 1, tzinfo=UTC))
    assert list(csv.reader(io.StringIO(ran.stdout)))[1:] == here


def test_the_fleet_is_of_several_makes_at_several_places() -> None:
    fleet_of = fleet.packs(FLEET, origin=ORIGIN)
    assert len({one.make.battery_type for one in fleet_of}) == 5
    assert len({one.site for one in fleet_of}) >= 8
    assert len({one.serial_number for one in fleet_of} | {one.name for one in fleet_of}) == 2 * FLEET
