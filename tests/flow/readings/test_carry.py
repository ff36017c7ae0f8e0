from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.base.assets.states import KnownState
from wattkeeper.flow.readings.carry import carried_forward, measured
from wattkeeper.flow.readings.reading import Reading, Row, Value
from wattkeeper.kinds.battery.streams import STATUS

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [channel.name for channel in STATUS.channels]


def reading(minute: int, asset_id: int = 1, **values: Value) -> Reading:
    return Reading(1, asset_id, Row("B", START + timedelta(minutes=minute), {name: values.get(name) for name in NAMES}))


def known(minute: int | None, **values: Value) -> dict[int, KnownState]:
    return {1: KnownState(None if minute is None else START + timedelta(minutes=minute), values)}


def test_what_a_reading_leaves_out_stays_as_it_was_and_is_flagged() -> None:
    (filled,) = carried_forward(
        STATUS, [reading(5, current_charge=40.0)], known(1, current_charge=50, current_voltage=3.6)
    )
    assert filled.row.values["current_charge"] == 40
    assert filled.row.values["current_voltage"] == 3.6
    assert filled.row.values["current_temperature"] is None
    assert filled.row.flags == ("current_voltage_carried",)


def test_a_reading_carries_on_from_the_one_before_it_in_the_same_batch() -> None:
    batch = [reading(5, current_charge=40.0), reading(6, current_voltage=3.5), reading(7)]
    last = carried_forward(STATUS, batch, known(1, current_charge=50.0, current_voltage=3.6))[-1]
    assert (last.row.values["current_charge"], last.row.values["current_voltage"]) == (40.0, 3.5)


def test_a_late_reading_is_left_as_it_came() -> None:
    late = reading(1, current_charge=40.0)
    assert carried_forward(STATUS, [late], known(2, current_voltage=3.6)) == [late]


def test_what_stands_before_the_first_reading_is_carried_too() -> None:
    (filled,) = carried_forward(STATUS, [reading(5)], known(None, current_voltage=3.6))
    assert filled.row.values["current_voltage"] == 3.6


def test_what_was_carried_was_not_measured() -> None:
    (filled,) = carried_forward(STATUS, [reading(5, current_charge=40.0)], known(1, current_voltage=3.6))
    assert measured(STATUS, filled.row.values, filled.row.flags).get("current_voltage") is None
    assert measured(STATUS, filled.row.values, filled.row.flags)["current_charge"] == 40


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 2), st.one_of(st.none(), st.floats(0, 100))), max_size=20))
def test_what_was_sent_is_never_altered(sent: list[tuple[int, int, float | None]]) -> None:
    batch = [reading(minute, asset_id, current_charge=charge) for minute, asset_id, charge in sent]
    for before, after in zip(batch, carried_forward(STATUS, batch, known(3, current_charge=1.0)), strict=True):
        assert (after.asset_id, after.row.at) == (before.asset_id, before.row.at)
        for name, value in before.row.values.items():
            assert value is None or after.row.values[name] == value
