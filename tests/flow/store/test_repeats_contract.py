"""How every store knows a reading that comes again by what it says, whichever transport carries the questions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.meters import RECEIVED, as_bytes, message, reading_of, telegram_time
from wattkeeper.flow.readings.reading import Outcome, Reading, Receipt
from wattkeeper.flow.store import queries, writer
from wattkeeper.flow.store.arrivals import ArrivalClock
from wattkeeper.flow.store.counts import CountMemory
from wattkeeper.flow.store.keys import ReadingKey
from wattkeeper.flow.store.queries import Ordering, Selection, StoredRow
from wattkeeper.flow.store.store import Store
from wattkeeper.flow.store.writer import StreamWriter
from wattkeeper.kinds.meter.streams import MESSAGE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STORED, DUPLICATE = Outcome.STORED, Outcome.DUPLICATE
_assets = itertools.count(700_000_000)

Make = Callable[..., Reading]
Write = Callable[..., list[Receipt]]
Rows = Callable[..., list[StoredRow]]


@pytest.fixture
def asset_id() -> int:
    return next(_assets)


@pytest.fixture
def telegram(tenant_id: int, asset_id: int) -> Make:
    """telegram(value, at=own time or None, received_at=..., asset_id=...): a message as the store takes it."""

    def make(value: object = 1, *, at: datetime | str | None = RECEIVED - MINUTE, **options: Any) -> Reading:
        said = message(value=value, at=at, who=options.pop("who", {}))
        return reading_of(said, **{"tenant_id": tenant_id, "asset_id": asset_id, "received_at": RECEIVED, **options})

    return make


@pytest.fixture
def write(any_store: Store) -> Write:
    def _write(*readings: Reading) -> list[Receipt]:
        return any_store.write(MESSAGE, readings)

    return _write


@pytest.fixture
def rows(any_store: Store, tenant_id: int) -> Rows:
    def _rows(*, column: str = "timestamp", descending: bool = False, offset: int = 0, limit: int = 1_000) -> Any:
        chosen = Selection(tenant_id=tenant_id)
        ordering = Ordering(column=column, descending=descending)
        return queries.page(any_store.engine, MESSAGE, chosen, ordering=ordering, offset=offset, limit=limit)

    return _rows


def outcomes(receipts: Sequence[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


def key_of(receipt: Receipt) -> ReadingKey:
    """As the door names it in its answer."""
    row = receipt.reading.row
    return ReadingKey(receipt.reading.asset_id, row.at, row.values["digest"])


class TestAMessageWithATimeOfItsOwn:
    def test_is_stored_once_however_late_it_comes_again(self, telegram: Make, write: Write, rows: Rows) -> None:
        late = [MINUTE, HOUR, 47 * HOUR, 49 * HOUR, 400 * DAY]
        assert outcomes(write(telegram())) == [STORED]
        for delay in late:
            assert outcomes(write(telegram(received_at=RECEIVED + delay))) == [DUPLICATE]
        assert len(rows()) == 1

    def test_is_stored_once_also_behind_newer_ones_and_in_one_flush(
        self, telegram: Make, write: Write, rows: Rows
    ) -> None:
        newer = telegram(2, at=RECEIVED + DAY, received_at=RECEIVED + DAY)
        assert outcomes(write(telegram(), telegram(), newer, telegram())) == [STORED, DUPLICATE, STORED, DUPLICATE]
        assert outcomes(write(telegram(), newer)) == [DUPLICATE, DUPLICATE]
        assert len(rows()) == 2

    def test_that_comes_again_names_the_row_that_there_is(
        self, any_store: Store, telegram: Make, write: Write, tenant_id: int
    ) -> None:
        (first,) = write(telegram())
        (again,) = write(telegram(received_at=RECEIVED + 3 * DAY))  # by then its clock seems off
        assert again.outcome is DUPLICATE
        assert key_of(again) == key_of(first)
        assert (again.reading.row.at, again.reading.row.flags) == (RECEIVED - MINUTE, ())
        found = queries.row(any_store.engine, MESSAGE, key_of(again), tenant_id=tenant_id)
        assert found is not None and found.values["message"] == first.reading.row.values["message"]

    def test_and_another_of_the_same_minute_are_two(self, telegram: Make, write: Write, rows: Rows) -> None:
        readings = [telegram(value) for value in (3, 1, 2)]
        assert outcomes(write(*readings)) == [STORED] * 3
        assert {row.values["main_value"] for row in rows()} == {"1", "2", "3"}
        assert outcomes(write(*readings)) == [DUPLICATE] * 3

    def test_of_another_meter_is_another(self, telegram: Make, write: Write, rows: Rows) -> None:
        assert outcomes(write(telegram(), telegram(asset_id=next(_assets)))) == [STORED, STORED]
        assert len(rows()) == 2

    def test_is_known_again_in_the_hour_that_is_there_twice(self, telegram: Make, write: Write, rows: Rows) -> None:
        first = datetime.fromisoformat("2021-10-31T00:31:00+00:00")
        said: dict[str, Any] = {"at": "2021-10-31T02:30:00"}
        assert outcomes(write(telegram(received_at=first, **said))) == [STORED]
        assert outcomes(write(telegram(received_at=first + HOUR, **said))) == [DUPLICATE]
        assert len(rows()) == 1

    def test_is_known_again_when_its_site_has_another_zone(self, telegram: Make, write: Write) -> None:
        assert outcomes(write(telegram(at=RECEIVED - 3 * HOUR))) == [STORED]
        again = telegram(at=telegram_time(RECEIVED - 3 * HOUR), zone=ZoneInfo("UTC"))
        assert outcomes(write(again)) == [DUPLICATE]


class TestAMessageWithoutATime:
    def test_is_the_same_within_an_hour_and_another_after_it(self, telegram: Make, write: Write, rows: Rows) -> None:
        for delay, outcome in [
            (0 * MINUTE, STORED), (1 * MINUTE, DUPLICATE), (59 * MINUTE, DUPLICATE), (61 * MINUTE, STORED),
            (90 * MINUTE, DUPLICATE), (122 * MINUTE, STORED),
        ]:  # fmt: skip
            assert outcomes(write(telegram(at=None, received_at=RECEIVED + delay))) == [outcome], delay
        assert [row.key.at - RECEIVED for row in rows()] == [0 * MINUTE, 61 * MINUTE, 122 * MINUTE]

    def test_that_comes_again_names_the_row_that_there_is(self, telegram: Make, write: Write) -> None:
        first, again = (write(telegram(at=None, received_at=RECEIVED + delay))[0] for delay in (0 * MINUTE, MINUTE))
        assert (again.outcome, key_of(again)) == (DUPLICATE, key_of(first))
        assert again.reading.row.at == RECEIVED

    def test_of_more_than_an_hour_later_is_another_in_one_flush_too(
        self, telegram: Make, write: Write, rows: Rows
    ) -> None:
        times = [RECEIVED + number * 30 * MINUTE for number in range(7)]
        receipts = write(*(telegram(at=None, received_at=at) for at in times))
        assert outcomes(receipts) == [STORED, DUPLICATE, STORED, DUPLICATE, STORED, DUPLICATE, STORED]
        assert [receipt.reading.row.at for receipt in receipts] == [times[number // 2 * 2] for number in range(7)]
        assert len(rows()) == 4

    def test_of_long_ago_is_known_again_when_history_comes_twice(
        self, telegram: Make, write: Write, rows: Rows
    ) -> None:
        history = [telegram(number % 2, at=None, received_at=RECEIVED - number * DAY) for number in range(10)]
        assert outcomes(write(*history)) == [STORED] * 10
        assert outcomes(write(*history)) == [DUPLICATE] * 10
        assert outcomes(write(*reversed(history))) == [DUPLICATE] * 10
        assert len(rows()) == 10

    def test_that_says_something_else_is_another(self, telegram: Make, write: Write) -> None:
        accessnrs = [telegram(at=None, who={"accessnr": number}) for number in (1, 2, 2)]
        assert outcomes(write(*accessnrs)) == [STORED, STORED, DUPLICATE]


class TestAfterARestart:
    """A new writer over the same table knows nothing but what is in it."""

    @pytest.fixture
    def restarted(self, any_store: Store) -> Callable[[], StreamWriter]:
        def restart() -> StreamWriter:
            clock = ArrivalClock(newest_seen=queries.newest_arrival(any_store.engine, MESSAGE))
            fresh = StreamWriter(any_store.engine, MESSAGE, arrivals=clock, counts=CountMemory())
            fresh.start()
            return fresh

        return restart

    def test_what_was_stored_is_known_again(
        self, restarted: Callable[[], StreamWriter], telegram: Make, write: Write, rows: Rows
    ) -> None:
        other = next(_assets)
        said = [telegram(), telegram(2), telegram(at=None, asset_id=other)]
        write(*said)
        again = restarted()
        assert outcomes(again.write(said)) == [DUPLICATE] * 3
        later = RECEIVED + 2 * HOUR
        new = [
            telegram(3),
            telegram(at=RECEIVED + HOUR, received_at=later),
            telegram(at=None, asset_id=other, received_at=later),
        ]
        assert outcomes(again.write(new)) == [STORED] * 3
        assert len(rows()) == 6

    def test_the_newest_is_known_again_though_its_hour_is_there_twice(
        self, restarted: Callable[[], StreamWriter], telegram: Make, write: Write
    ) -> None:
        first = datetime.fromisoformat("2021-10-31T00:31:00+00:00")
        write(telegram(at="2021-10-31T02:30:00", received_at=first))
        again = telegram(at="2021-10-31T02:30:00", received_at=first + HOUR)
        assert outcomes(restarted().write([again])) == [DUPLICATE]

    def test_what_was_not_judged_is_found_in_its_order(
        self, any_store: Store, telegram: Make, write: Write, tenant_id: int
    ) -> None:
        said = [telegram(3), telegram(1), telegram(2, at=RECEIVED - DAY), telegram(4, at=None)]
        receipts = write(*said, telegram(1))
        later = queries.arrived_after(any_store.engine, MESSAGE, receipts[0].arrival - 1, limit=10_000)
        found = [one for one in later if one.tenant_id == tenant_id]
        assert [one.row.values["main_value"] for one in found] == ["3", "1", "2", "4"]
        assert [one.arrival for one in found] == [receipt.arrival for receipt in receipts[:4]]
        assert [one.row.key for one in found] == [key_of(receipt) for receipt in receipts[:4]]


class TestARow:
    def test_is_found_by_the_id_that_was_given_out(
        self, any_store: Store, telegram: Make, write: Write, tenant_id: int
    ) -> None:
        for receipt in write(telegram(1), telegram(2)):
            key = ReadingKey.from_public_id(key_of(receipt).public_id())
            assert key is not None
            found = queries.row(any_store.engine, MESSAGE, key, tenant_id=tenant_id)
            assert found is not None and found.key == key
            assert found.values["main_value"] == receipt.reading.row.values["main_value"]
            assert queries.row(any_store.engine, MESSAGE, key, tenant_id=tenant_id + 1) is None

    def test_is_not_found_without_its_digest(
        self, any_store: Store, telegram: Make, write: Write, tenant_id: int
    ) -> None:
        (receipt,) = write(telegram())
        key = key_of(receipt)
        for digest in (0, key.digest ^ 1):
            other = ReadingKey(key.asset_id, key.at, digest)
            assert queries.row(any_store.engine, MESSAGE, other, tenant_id=tenant_id) is None

    def test_keeps_what_was_said_to_the_last_digit(self, telegram: Make, write: Write, rows: Rows) -> None:
        write(telegram(2**70, who={"type": 30}))
        (row,) = rows()
        assert row.values["main_value"] == str(2**70)
        assert row.values["energy"] is None
        assert row.values["unknown"] == ["medium: 30"]
        assert row.values["message"] == as_bytes(message(value=2**70, who={"type": 30})).decode()
        assert (row.values["received_at"], row.values["own_time"]) == (RECEIVED, RECEIVED - MINUTE)


class TestPages:
    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("column", ["timestamp", "energy"])
    def test_have_messages_of_one_time_in_the_order_in_which_they_came(
        self, telegram: Make, write: Write, rows: Rows, column: str, descending: bool
    ) -> None:
        said = [
            telegram(1, who={"accessnr": number}, received_at=RECEIVED + number * timedelta(seconds=1))
            for number in range(8)
        ]
        write(*said)
        whole = rows(column=column, descending=descending)
        came = [row.values["received_at"] for row in whole]
        assert came == sorted(came, reverse=descending)
        pages = [rows(column=column, descending=descending, offset=start, limit=3) for start in (0, 3, 6)]
        assert list(itertools.chain(*pages)) == whole

    def test_show_once_what_two_processes_have_stored_at_once(
        self, any_store: Store, telegram: Make, tenant_id: int, rows: Rows
    ) -> None:
        """Two writers, none of which knows what the other does; their rows lie among others of the same time."""
        clock, counts = ArrivalClock(), CountMemory()
        first, second = (StreamWriter(any_store.engine, MESSAGE, arrivals=clock, counts=counts) for _ in range(2))
        said = [telegram(number, received_at=RECEIVED + number * timedelta(seconds=1)) for number in range(6)]
        first.write(said)
        again = [telegram(number, received_at=RECEIVED + (number + 10) * MINUTE) for number in range(6)]
        assert outcomes(second.write(again)) == [STORED] * 6
        for limit in (1, 2, 3, 4, 6, 20):
            found = rows(limit=limit)
            assert [row.values["main_value"] for row in found] == [str(number) for number in range(min(limit, 6))]
            assert {row.values["received_at"] - RECEIVED < MINUTE for row in found} == {True}


def test_many_readings_at_once_are_looked_up_in_pieces(
    telegram: Make, write: Write, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_LOOKED_UP_AT_ONCE", 7)
    said = [telegram(number, at=RECEIVED - number * MINUTE) for number in range(50)]
    assert outcomes(write(*said)) == [STORED] * 50
    assert outcomes(write(*said)) == [DUPLICATE] * 50
