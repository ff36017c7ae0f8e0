"""A counter's local days, as the engine finds them by each transport."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.counters import counted, days_by_hand
from tests.support.stores import AssetBook
from wattkeeper.flow.store.counters import CounterDay, counter_days, neighboured
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.meter.streams import MESSAGE

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
_tenants = itertools.count(5_000_000)


def asset() -> int:
    return AssetBook().register(["M"])["M"]


def days(
    store: Store, tenant_id: int, zone: ZoneInfo = BERLIN, *, doubt: str = "", **options: object
) -> list[CounterDay]:
    selection = Selection(tenant_id=tenant_id, **options)  # type: ignore[arg-type]
    return counter_days(store.engine, MESSAGE, selection, "volume", zone=zone, doubt=doubt)


def test_a_day_goes_from_local_midnight_to_local_midnight_also_where_it_has_23_or_25_hours(
    any_store: Store, tenant_id: int
) -> None:
    one = asset()
    for start, hours in ((datetime(2026, 3, 28, 23, tzinfo=UTC), 23), (datetime(2026, 10, 24, 22, tzinfo=UTC), 25)):
        times = [start - HOUR / 2 + hour * HOUR for hour in range(hours + 2)]
        any_store.write(MESSAGE, [counted(tenant_id, one, at, volume=float(at.timestamp() // 3600)) for at in times])
    found = {day.day: day.risen for day in days(any_store, tenant_id)}
    assert (found[date(2026, 3, 29)], found[date(2026, 10, 25)]) == (22.0, 24.0)
    assert set(found) == {date(2026, 3, day) for day in (28, 29, 30)} | {date(2026, 10, day) for day in (24, 25, 26)}


def test_a_message_without_the_value_is_no_sample(any_store: Store, tenant_id: int) -> None:
    one, at = asset(), datetime(2026, 5, 1, 10, tzinfo=UTC)
    any_store.write(
        MESSAGE,
        [
            counted(tenant_id, one, at + hour * HOUR, volume=value)
            for hour, value in enumerate((None, 3.0, None, 5.0, None))
        ],
    )
    assert days(any_store, tenant_id) == [CounterDay(one, date(2026, 5, 1), at + HOUR, 3.0, at + 3 * HOUR, 5.0, 2.0, 0)]


def test_of_one_time_the_message_that_came_last_is_the_day_s_last(any_store: Store, tenant_id: int) -> None:
    one, at = asset(), datetime(2026, 5, 1, 10, tzinfo=UTC)
    for minutes, volume in ((9, 7.0), (1, 5.0)):
        any_store.write(
            MESSAGE, [counted(tenant_id, one, at, volume=volume, received_at=at + timedelta(minutes=minutes))]
        )
    assert [(day.first, day.last, day.risen) for day in days(any_store, tenant_id)] == [(5.0, 7.0, 2.0)]


def test_a_row_that_lies_there_twice_counts_once(any_store: Store, tenant_id: int) -> None:
    one, at = asset(), datetime(2026, 5, 1, 10, tzinfo=UTC)
    for value in (9_999.0, 5.0, 6.0):
        at += HOUR
        any_store.write(MESSAGE, [counted(tenant_id, one, at, volume=value)])
    with any_store.engine.client() as client:
        client.command(f"INSERT INTO meter_message SELECT * FROM meter_message WHERE tenant_id = {tenant_id}")
    assert [(day.risen, day.falls) for day in days(any_store, tenant_id)] == [(7.0, 1)]


@pytest.mark.parametrize(
    ("values", "risen", "falls"),
    [
        ((500.0, 3.0, 10.0), 10.0, 1),  # begun anew
        ((9_990.0, 20.0), 30.0, 1),  # run over
        ((9_990.0, 2_000.0), 2_000.0, 1),  # too far for that
        ((995.0, 2.0), 2.0, 1),  # no counter has three digits
        ((100.0, 99.5, 100.0, 101.0), 1.0, 0),  # water that flowed back
        ((100.0, 91.0, 83.0, 100.0, 102.0), 2.0, 0),
        ((0.0, 0.0), 0.0, 0),
        ((-5.0, -6.0, -5.5), 0.5, 1),
        ((-5.0, -6.0, -4.0), 1.0, 0),  # below both of its neighbours: a fault of transmission
        ((1_000.0, 999_999.0, 1_001.0, 1_002.0), 2.0, 0),  # far above both, which are close: another
        ((10.0, 500.0, 20.0), 510.0, 1),  # these are not
    ],
)
def test_a_fall_is_understood(
    any_store: Store, tenant_id: int, values: tuple[float, ...], risen: float, falls: int
) -> None:
    one, at = asset(), datetime(2026, 5, 1, 10, tzinfo=UTC)
    any_store.write(MESSAGE, [counted(tenant_id, one, at + hour * HOUR, volume=v) for hour, v in enumerate(values)])
    assert [(day.risen, day.falls) for day in days(any_store, tenant_id)] == [(risen, falls)]


ERROR = (0, 0, 1, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("values", "risen", "falls"),
    [
        ((12_345.0, 12_346.0, 0.0, 0.0, 0.0, 12_346.0, 12_347.0), 2.0, 0),  # nothing was used
        ((100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0), 60.0, 0),  # it counts all the same
        ((100.0, 110.0, 0.0, 5.0, 6.0, 7.0, 8.0), 18.0, 1),  # it has begun anew meanwhile
    ],
)
def test_of_a_thing_in_error_what_lies_below_its_last_sound_value_is_no_sample(
    any_store: Store, tenant_id: int, values: tuple[float, ...], risen: float, falls: int
) -> None:
    one, at = asset(), datetime(2026, 5, 1, 10, tzinfo=UTC)
    rows = [
        counted(tenant_id, one, at + hour * HOUR, volume=value, error=error)
        for hour, (value, error) in enumerate(zip(values, ERROR, strict=True))
    ]
    any_store.write(MESSAGE, rows)
    assert [(day.risen, day.falls) for day in days(any_store, tenant_id, doubt="error")] == [(risen, falls)]


def test_what_begins_in_error_begins_with_the_first_sound_value(any_store: Store, tenant_id: int) -> None:
    one, at = asset(), datetime(2026, 5, 1, 10, tzinfo=UTC)
    rows = [counted(tenant_id, one, at + hour * HOUR, volume=v, error=e) for hour, v, e in ((0, 0, 1), (1, 9, 0))]
    any_store.write(MESSAGE, rows)
    (day,) = days(any_store, tenant_id, doubt="error")
    assert (day.first, day.last, day.risen) == (9.0, 9.0, 0.0)


def test_a_sound_neighbour_is_found_beyond_those_in_error(any_store: Store, tenant_id: int) -> None:
    one, start = asset(), datetime(2026, 1, 1, tzinfo=UTC)
    times = [start + timedelta(days=day) for day in (0, 1, 2, 3)]
    rows = [counted(tenant_id, one, at, volume=1.0, error=error) for at, error in zip(times, (0, 1, 0, 1), strict=True)]
    any_store.write(MESSAGE, rows)
    meant = Selection(tenant_id=tenant_id, asset_ids=[one], since=times[2], until=times[3])
    assert neighboured(any_store.engine, MESSAGE, meant, "volume").since == times[1]
    assert neighboured(any_store.engine, MESSAGE, meant, "volume", doubt="error").since == times[0]


def test_meters_and_tenants_are_told_apart(any_store: Store, tenant_id: int) -> None:
    one, two, at = asset(), asset(), datetime(2026, 5, 1, 10, tzinfo=UTC)
    stranger = next(_tenants)
    for hour in range(3):
        any_store.write(
            MESSAGE,
            [
                counted(tenant_id, one, at + hour * HOUR, volume=hour * 1.0),
                counted(tenant_id, two, at + hour * HOUR, volume=hour * 10.0),
                counted(stranger, asset(), at + hour * HOUR, volume=hour * 100.0),
            ],
        )
    assert [(day.asset_id, day.risen) for day in days(any_store, tenant_id)] == [(one, 2.0), (two, 20.0)]
    assert [day.asset_id for day in days(any_store, tenant_id, asset_ids=[two])] == [two]
    assert days(any_store, tenant_id, asset_ids=[]) == []


def test_the_nearest_samples_around_a_window_are_found(any_store: Store, tenant_id: int) -> None:
    one, start = asset(), datetime(2026, 1, 1, tzinfo=UTC)
    times = [start + timedelta(days=day) for day in (0, 10, 50, 90, 120)]
    any_store.write(MESSAGE, [counted(tenant_id, one, at, volume=1.0) for at in times])
    any_store.write(MESSAGE, [counted(tenant_id, one, start + timedelta(days=49), energy=1.0)])
    meant = Selection(tenant_id=tenant_id, asset_ids=[one], since=times[2] - HOUR, until=times[2] + HOUR)
    found = neighboured(any_store.engine, MESSAGE, meant, "volume")
    assert (found.since, found.until) == (times[1], times[3] + timedelta(microseconds=1))
    alone = Selection(tenant_id=tenant_id, asset_ids=[one], since=times[0], until=times[4] + HOUR)
    assert neighboured(any_store.engine, MESSAGE, alone, "volume") == alone


_zones = st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Chatham", "UTC", "Australia/Lord_Howe"])
_values = st.one_of(st.integers(0, 20_000), st.sampled_from([999, 1_000, 9_000, 8_999, 9_999, 10_000, 99_999])).map(
    float
)


@given(st.lists(st.tuples(st.integers(1, 40), _values), min_size=1, max_size=30), _zones)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_engine_counts_as_plain_python_does(
    embedded_store: Store, steps: list[tuple[int, float]], name: str
) -> None:
    tenant_id, one, zone = next(_tenants), asset(), ZoneInfo(name)
    at, samples, last = datetime(2026, 10, 20, 1, 30, tzinfo=UTC), [], None
    for hours, value in steps:
        at += hours * HOUR
        if last is None or value >= last or value < 0.9 * last:
            samples.append((at, value))
            last = value
    embedded_store.write(MESSAGE, [counted(tenant_id, one, when, volume=value) for when, value in samples])
    assert days(embedded_store, tenant_id, zone) == days_by_hand(one, samples, zone)
