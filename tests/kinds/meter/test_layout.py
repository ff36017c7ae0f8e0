"""What is worked out once for each shape of a telegram is what its records say one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.meters import BERLIN, DATE, ENERGY, RECEIVED, TIME, VOLUME, Said, message, record, understood
from wattkeeper.base.catalog.channels import Range
from wattkeeper.kinds.meter.codes.dimensions import NOT_MEASURED, Quantity, dimension_of, plain
from wattkeeper.kinds.meter.layout import CHANNEL_OF
from wattkeeper.kinds.meter.message import INSTANTANEOUS, Record
from wattkeeper.kinds.meter.pairs import Pair, pairs_of
from wattkeeper.kinds.meter.reading import row_of
from wattkeeper.kinds.meter.telegram_times import local_to_utc, moment_said

ANY = Range(-1e15, 1e15)
MEASURES = [
    ENERGY,
    VOLUME,
    "Energy (10 kWh)",
    "Volume (1e-2  m^3)",
    "Volume (1e-2 m^3)",
    "my own",
    "Fabrication number",
]
NUMBERS = st.integers(-5, 5) | st.sampled_from([2**70, 1e300, 0.5, None, "Value during error state"])
TIMES = st.sampled_from(
    ["2021-09-07T10:30:00", "2021-09-07", "2021-09-06T23:00:00", "2021-01-01", "2000-00-00", "no time", 20210101, None]
)
NAMES = {
    "storagenr": st.sampled_from([0, 0, 1, 1, 2]),
    "tariff": st.integers(0, 1),
    "subunit": st.sampled_from([0, 0, 0, 1]),
    "function": st.sampled_from(["", "", "Instantaneous value", "Maximum value"]),
}
RECORDS = st.builds(record, st.sampled_from(MEASURES), NUMBERS, **NAMES) | st.builds(
    record, st.sampled_from([TIME, DATE]), TIMES, **NAMES
)
TELEGRAMS = st.lists(RECORDS, max_size=8) | st.lists(RECORDS, min_size=30, max_size=36)


def by_tariff(records: list[Record]) -> list[Record]:
    return sorted(records, key=lambda one: (one.tariff, one.subunit))


def said_by(records: list[Record], quantity: Quantity, storage: int) -> list[datetime]:
    """The times that records of that quantity and storage name, those of no tariff first."""
    texts = [
        one.value
        for one in by_tariff(records)
        if (known := dimension_of(one.dimension)) and known.quantity is quantity and one.storagenr == storage
        if isinstance(one.value, str) and one.function in INSTANTANEOUS
    ]
    return [moment for text in texts if (moment := moment_said(text))]


def channels_of(records: list[Record], due_storage: int) -> dict[str, float]:
    """By tariff and subunit, and then first of what has a value of the due date."""
    due = {
        (plain(one.dimension), one.tariff, one.subunit)
        for one in records
        if one.number is not None and one.storagenr == due_storage != 0
    }

    def rank(one: Record) -> tuple[int, int, bool]:
        return one.tariff, one.subunit, (plain(one.dimension), one.tariff, one.subunit) not in due

    found: dict[str, float] = {}
    for one in sorted(records, key=rank):
        known, number = dimension_of(one.dimension), one.number
        channel = CHANNEL_OF.get(known.quantity) if known else None
        if known and channel and one.storagenr == 0 and number is not None and known.scaled(number) in ANY:
            found.setdefault(channel, known.scaled(number))
    return found


def measurements_of(records: list[Record], due_storage: int) -> list[tuple[Pair, bool]]:
    """By name, and whether there is a newest value, in their order: the newest ones first."""
    names: dict[tuple[str, int, int], None] = {}
    sides: dict[tuple[bool, tuple[str, int, int]], Record] = {}
    for is_due in (False, True):
        for one in records:
            known = dimension_of(one.dimension)
            is_side = one.storagenr == due_storage and one.storagenr != 0 if is_due else one.storagenr == 0
            if is_side and one.number is not None and (known is None or known.quantity not in NOT_MEASURED):
                name = plain(one.dimension), one.tariff, one.subunit
                names[name] = None
                sides.setdefault((is_due, name), one)
    found = []
    for name in names:
        newest, due = sides.get((False, name)), sides.get((True, name))
        first = newest or due
        assert first is not None
        pair = Pair(first.dimension, first.tariff, first.subunit, newest and newest.number, due and due.number)
        found.append((pair, newest is not None))
    return found


def test_the_channel_is_that_of_the_total_whatever_else_a_telegram_tells() -> None:
    total, of_tariff = record("Energy (kWh)", 50_001), record("Energy (kWh)", 300, tariff=1)
    due = record("Energy (kWh)", 250, tariff=1, storagenr=1)
    for data in ([total], [total, of_tariff, due], [due, of_tariff, total]):
        row = row_of(understood(message(data)), received_at=RECEIVED, zone=BERLIN, due_storage=1)
        assert row.values["energy"] == 50_001


def test_of_one_tariff_the_one_with_a_value_of_the_due_date_goes_first() -> None:
    data = [record("Energy (Wh)", 7_000), record("Energy (kWh)", 8), record("Energy (kWh)", 5, storagenr=1)]
    row = row_of(understood(message(data)), received_at=RECEIVED, zone=BERLIN, due_storage=1)
    assert row.values["energy"] == 8


def test_the_telegrams_own_time_is_of_no_tariff_wherever_it_stands() -> None:
    own, of_maximum = record(TIME, "2021-09-07T10:30:00"), record(TIME, "2021-09-06T23:00:00", tariff=1)
    for data in ([own, of_maximum], [of_maximum, own]):
        row = row_of(understood(message(data)), received_at=RECEIVED, zone=BERLIN, due_storage=1)
        assert row.values["own_time"] == datetime(2021, 9, 7, 8, 30, tzinfo=UTC)


@given(data=TELEGRAMS, again=st.randoms(use_true_random=False), due_storage=st.integers(0, 2))
def test_every_telegram_is_read_as_its_records_say(data: list[Said], again: Any, due_storage: int) -> None:
    for _ in range(2):
        check(data, due_storage)
        again.shuffle(data)


def check(data: list[Said], due_storage: int) -> None:
    said = understood(message(data))
    records = list(said.records)
    row = row_of(said, received_at=RECEIVED, zone=BERLIN, due_storage=due_storage)
    pairs = pairs_of(records, due_storage=due_storage)

    measured = measurements_of(records, due_storage)
    assert list(pairs.all) == [pair for pair, _ in measured]
    mains = [pair for pair, _ in measured]
    mains.sort(key=lambda pair: (pair.newest is None, pair.due is None, dimension_of(pair.dimension) is None))
    assert pairs.main == (mains[0] if mains else None)
    main = pairs.main
    assert row.values["main_dimension"] == (main.dimension if main else None)
    assert row.values["main_value"] == (str(main.newest) if main and main.newest is not None else None)
    assert row.values["due_value"] == (str(main.due) if main and main.due is not None else None)

    own = [*said_by(records, Quantity.DATE_AND_TIME, 0), *said_by(records, Quantity.DATE, 0)]
    assert row.values["own_time"] == (local_to_utc(own[0], BERLIN, received_at=RECEIVED) if own else None)
    dates = [
        moment_said(one.value)
        for one in by_tariff(records)
        if one.storagenr == due_storage and one.dimension in (TIME, DATE) and one.function in INSTANTANEOUS
        if isinstance(one.value, str)
    ]
    assert pairs.due_date == next((date for date in dates if date), None)
    assert row.values["due_date"] == (pairs.due_date.isoformat(sep=" ") if pairs.due_date else None)

    found = channels_of(records, due_storage)
    assert {name: row.values[name] for name in CHANNEL_OF.values()} == {
        name: found.get(name) for name in CHANNEL_OF.values()
    }
    unknown = dict.fromkeys(one.dimension for one in records if dimension_of(one.dimension) is None)
    assert row.values["unknown"] == [f"dimension: {dimension}" for dimension in unknown]
