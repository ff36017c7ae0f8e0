"""What belongs together in a telegram, by name and storage and never by position; and what is measured mainly."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.meters import (
    DATE,
    ENERGY,
    TIME,
    VOLUME,
    Said,
    captured,
    documented,
    message,
    reading_of,
    record,
    understood,
)
from wattkeeper.kinds.meter.codes.dimensions import plain
from wattkeeper.kinds.meter.pairs import Pair, Pairs, pairs_of

NAMES = st.tuples(
    st.sampled_from([ENERGY, VOLUME, "Volume (1e-2  m^3)", "Flow temperature (deg C)", "Energy (0.1 MWh)"]),
    st.integers(0, 2),
    st.integers(0, 1),
    st.integers(0, 2),
)


def paired(*data: Said, due_storage: int = 1) -> Pairs:
    return pairs_of(understood(message(data)).records, due_storage=due_storage)


def now(value: object, dimension: str = ENERGY, **said: object) -> Said:
    return record(dimension, value, **said)


def due(value: object, dimension: str = ENERGY, storagenr: int = 1, **said: object) -> Said:
    return record(dimension, value, storagenr=storagenr, **said)


def test_the_documented_message_has_one_pair() -> None:
    said = pairs_of(understood(documented()).records)
    assert list(said.all) == [Pair(ENERGY, 0, 0, 29690, 16274)]
    assert said.main == said.all[0]
    assert said.due_date == datetime(2019, 9, 30)


class TestAPair:
    def test_is_of_one_dimension_tariff_and_subunit(self) -> None:
        said = paired(
            now(1), now(2, tariff=1), now(3, subunit=1), now(4, VOLUME),
            due(40, VOLUME), due(30, subunit=1), due(20, tariff=1), due(10),
        )  # fmt: skip
        assert [(pair.newest, pair.due) for pair in said.all] == [(1, 10), (2, 20), (3, 30), (4, 40)]

    def test_is_of_one_dimension_whatever_its_blanks(self) -> None:
        said = paired(now(5, "Volume (1e-2  m^3)"), due(3, " Volume ( 1e-2 m^3)"), now(7, "my  own"), due(6, "my own"))
        assert [(pair.dimension, pair.newest, pair.due) for pair in said.all] == [
            ("Volume (1e-2  m^3)", 5, 3),
            ("my  own", 7, 6),
        ]

    def test_with_a_side_missing_has_none_there_and_no_zero(self) -> None:
        said = paired(now(1), due(2, VOLUME))
        assert [(pair.newest, pair.due) for pair in said.all] == [(1, None), (None, 2)]

    def test_keeps_a_zero(self) -> None:
        assert paired(now(0), due(0)).main == Pair(ENERGY, 0, 0, 0, 0)

    def test_has_the_first_of_two_of_one_name_and_storage(self) -> None:
        assert list(paired(now(1), now(2), due(3), due(4)).all) == [Pair(ENERGY, 0, 0, 1, 3)]

    @pytest.mark.parametrize("function", ["Value during error state", "Maximum value", "Minimum value", "anything"])
    def test_has_no_extremes_and_no_value_of_an_error_state(self, function: str) -> None:
        said = paired(now(9, function=function), now(1), due(8, function=function), due(2))
        assert list(said.all) == [Pair(ENERGY, 0, 0, 1, 2)]

    def test_has_no_text(self) -> None:
        said = paired(now("Value during error state"), due(2), now(None, VOLUME))
        assert list(said.all) == [Pair(ENERGY, 0, 0, None, 2)]
        assert said.main == Pair(ENERGY, 0, 0, None, 2)  # what is billed is not lost

    def test_is_made_with_the_storage_that_the_makers_meters_use(self) -> None:
        data = [now(1), due(2), due(3, storagenr=8), record(DATE, "2021-01-01", storagenr=8)]
        assert paired(*data, due_storage=8).main == Pair(ENERGY, 0, 0, 1, 3)
        assert paired(*data, due_storage=8).due_date == datetime(2021, 1, 1)
        assert paired(*data, due_storage=5).main == Pair(ENERGY, 0, 0, 1, None)
        assert paired(*data).due_date is None

    @pytest.mark.parametrize("value", [2**31, 2**63, 2**70, 0.1, -3, 1e300])
    def test_keeps_any_number_as_it_is(self, value: float) -> None:
        main = paired(now(value), due(value)).main
        assert main is not None
        assert (main.newest, main.due) == (value, value)

    def test_of_nothing_is_none(self) -> None:
        assert paired() == Pairs([], None, None)

    @given(names=st.lists(NAMES, unique=True), seed=st.integers())
    def test_is_the_same_whatever_the_order_of_the_records(self, names: list[Any], seed: int) -> None:
        data = [
            record(dimension, number, tariff=tariff, subunit=subunit, storagenr=storage)
            for number, (dimension, tariff, subunit, storage) in enumerate(names)
        ]
        shuffled = random.Random(seed).sample(data, len(data))
        assert set(paired(*data).all) == set(paired(*shuffled).all)
        expected = {
            (dimension, tariff, subunit, side): number
            for number, (dimension, tariff, subunit, side) in enumerate(names)
            if side < 2
        }
        found = {
            (pair.dimension, pair.tariff, pair.subunit, side): value
            for pair in paired(*shuffled).all
            for side, value in enumerate((pair.newest, pair.due))
            if value is not None
        }
        assert found == expected


class TestTheMainMeasurement:
    def test_is_the_first_with_a_partner(self) -> None:
        main = paired(now(1, VOLUME), now(2), now(3, tariff=1), due(20), due(30, tariff=1)).main
        assert main == Pair(ENERGY, 0, 0, 2, 20)

    def test_is_the_first_newest_one_also_where_the_due_ones_come_before(self) -> None:
        assert paired(due(10), due(20, VOLUME), now(2, VOLUME), now(1)).main == Pair(VOLUME, 0, 0, 2, 20)

    def test_is_the_first_where_none_has_a_partner(self) -> None:
        assert paired(now(1, VOLUME), now(2)).main == Pair(VOLUME, 0, 0, 1, None)

    @pytest.mark.parametrize(
        "dimension", ["Fabrication number", "Operating time (days)", "On time (hours)", "Bus Address", TIME,
                      "Manufacturer specific", "Averaging Duration (hours)"]
    )  # fmt: skip
    def test_measures_something(self, dimension: str) -> None:
        said = paired(now(7, dimension), due(7, dimension), now(2))
        assert list(said.all) == [Pair(ENERGY, 0, 0, 2, None)] == [said.main]

    def test_is_of_the_table_rather_than_unknown_where_neither_has_a_partner(self) -> None:
        assert paired(now(1, "my own"), now(2)).main == Pair(ENERGY, 0, 0, 2, None)
        assert paired(now(1, "my own"), due(1, "my own"), now(2)).main == Pair("my own", 0, 0, 1, 1)
        assert paired(now(1, "my own"), due(1, "my own")).main == Pair("my own", 0, 0, 1, 1)

    def test_of_real_meters_is_what_they_say_first(self) -> None:
        mains = {}
        for source, said in captured().items():
            main = pairs_of(understood(said).records).main
            mains[source] = plain(main.dimension) if main else None
        assert mains["EFE_Engelmann-Elster-SensoStar-2.xml"] == "Volume (1e-1 m^3)"  # it says it before its energy
        assert mains["abb_f95.xml"] == "Energy (100 Wh)"
        assert mains["LGB_G350.xml"] == "Digital output (binary)"  # its volume is in storage 1 alone
        assert {source for source, main in mains.items() if main is None} == {"frame1.xml", "example_binary16_lvar.xml"}


class TestTheDueDate:
    @pytest.mark.parametrize(
        ("data", "date"),
        [
            ([due("2000-00-00", DATE), due("2021-01-01", DATE)], datetime(2021, 1, 1)),
            ([due("2021-01-01", DATE, function="Maximum value")], None),
            ([due("2021-01-01T00:00:00", TIME)], datetime(2021, 1, 1)),
            ([now("2021-01-01", DATE)], None),
            ([due(20210101, DATE)], None),
            ([due("2127-12-31", DATE)], None),
        ],
    )
    def test_is_the_first_that_is_set_of_its_storage(self, data: list[Said], date: datetime | None) -> None:
        assert paired(*data).due_date == date


class TestAReading:
    def test_has_the_main_measurement_as_it_was_sent(self) -> None:
        values = reading_of(documented(), tenant_id=1, asset_id=1).row.values
        assert (values["main_dimension"], values["main_value"], values["due_value"]) == (ENERGY, "29690", "16274")
        assert (values["energy"], values["due_date"]) == (29690.0, "2019-09-30 00:00:00")
        assert understood(documented()).raw.decode() == values["message"]

    @pytest.mark.parametrize("value", [10**15 + 1, 10**308, -(2**70), 1.5e308])
    def test_of_a_number_beyond_all_sense_is_kept_and_not_typed(self, value: float) -> None:
        values = reading_of(message([now(value, "Energy (10 kWh)")]), tenant_id=1, asset_id=1).row.values
        assert values["energy"] is None
        assert values["main_value"] == str(value)

    def test_names_what_is_in_no_table_once(self) -> None:
        said = message([now(1, "my own"), now(2, "my own"), now(3)], who={"type": 30, "manufacturer": 0})
        row = reading_of(said, tenant_id=1, asset_id=1).row
        assert row.values["unknown"] == ["manufacturer: 0", "medium: 30", "dimension: my own"]
        assert "unknown_code" in row.flags

    @pytest.mark.parametrize(
        ("status", "error", "alarm", "power_low"),
        [(0, 0, 0, 0), (1, 0, 0, 0), (2, 1, 0, 0), (3, 0, 1, 0), (4, 0, 0, 1), (8, 1, 0, 0), (16, 1, 0, 0),
         (39, 0, 1, 1), (224, 0, 0, 0)],
    )  # fmt: skip
    def test_has_the_bits_of_its_status(self, status: int, error: int, alarm: int, power_low: int) -> None:
        values = reading_of(message(who={"status": status}), tenant_id=1, asset_id=1).row.values
        assert [values[name] for name in ("status", "error", "alarm", "power_low")] == [
            status, error, alarm, power_low,
        ]  # fmt: skip
