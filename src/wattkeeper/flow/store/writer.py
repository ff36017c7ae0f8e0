"""Writes single readings to a stream, many at a time, and says what became of each."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.flow.readings.reading import Outcome, Reading, Receipt
from wattkeeper.flow.store.arrivals import ArrivalClock
from wattkeeper.flow.store.counts import CountMemory
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.load import Batch, flag_neighbours
from wattkeeper.flow.store.repeats import Kept, repetition_of
from wattkeeper.flow.store.schema import FIRST_WINS, SYSTEM_COLUMNS, plain_columns_of, table_of, value_columns_of

_LOOKED_UP_AT_ONCE = 2_000  # readings: a longer question is refused
# A flush has few rows: to hand them to several threads costs a sixth of an insert's processor time.
_INSERT_SETTINGS = {"max_threads": 1, "max_insert_threads": 1, "input_format_parallel_parsing": 0}


class StreamWriter:
    """Appends readings to one stream, in the order in which they come."""

    def __init__(self, engine: Engine, stream: Stream, *, arrivals: ArrivalClock, counts: CountMemory) -> None:
        self._engine = engine
        self._stream = stream
        self._arrivals = arrivals
        self._counts = counts
        self._repetition = repetition_of(stream)
        self._loading: Counter[int] = Counter()
        self._state = threading.Lock()
        self._loaded = threading.Condition(self._state)
        self._writing = threading.Lock()

    def start(self) -> None:
        with self._engine.client() as client:
            self._repetition.start(client)

    def write(self, readings: Sequence[Reading]) -> list[Receipt]:
        """All of them durable in one insert, and a receipt for each. One caller at a time; the others wait."""
        with self._writing:
            return self._write(readings)

    @contextmanager
    def loading(self, asset_ids: Sequence[int]) -> Iterator[None]:
        """While a file brings rows of these assets, neither "newer than all" nor a count can be told from memory.

        Files with an asset in common come one after the other: what the first has reported must not change.
        """
        with self._loaded:
            self._loaded.wait_for(lambda: not any(self._loading[asset_id] for asset_id in asset_ids))
            self._loading.update(asset_ids)
        try:
            with self._counts.changing(asset_ids):
                yield
        finally:
            with self._state:
                self._loading.subtract(asset_ids)
                self._loading += Counter()  # drops the zeros
                self._loaded.notify_all()

    def settle(self) -> None:
        """Wait for the write under way: it may not have seen the rows that a file has just brought."""
        with self._writing:
            pass

    def saw(self, asset_id: int, at: datetime) -> None:
        """A file has brought a row of that time."""
        with self._state:
            self._repetition.saw_until(asset_id, at)

    def _write(self, readings: Sequence[Reading]) -> list[Receipt]:
        with self._engine.client() as client:
            receipts = self._told_apart(client, readings)
            new = [receipt.reading for receipt in receipts if receipt.outcome is Outcome.STORED]
            if not new:
                return receipts
            batch_id = batch_id_new()
            with self._counts.changing([reading.asset_id for reading in new]):
                first = self._insert(client, new, batch_id)
            flags = self._neighbour_flags(client, new, batch_id)
        with self._state:
            self._repetition.saw(new)
        arrivals = itertools.count(first)
        return [
            Receipt(Outcome.STORED, _flagged(receipt.reading, flags), next(arrivals))
            if receipt.outcome is Outcome.STORED
            else receipt
            for receipt in receipts
        ]

    def _told_apart(self, client: Client, readings: Sequence[Reading]) -> list[Receipt]:
        """Which are new; of the others, what is stored of them already, or stands before them here."""
        repetition = self._repetition
        kept = self._kept(client, readings)
        receipts = []
        for reading in readings:
            alike = kept.setdefault(repetition.identity(reading), [])
            if before := repetition.again(reading, alike):
                receipts.append(Receipt(Outcome.DUPLICATE, before))
            else:
                alike.append(repetition.kept_as(reading))
                receipts.append(Receipt(Outcome.STORED, reading))
        return receipts

    def _kept(self, client: Client, readings: Sequence[Reading]) -> dict[Hashable, list[Kept]]:
        """What is stored that one of them may repeat. A reading newer than all of its asset needs no look-up."""
        with self._state:
            unsure = [r for r in readings if r.asset_id in self._loading or self._repetition.unsure(r)]
        kept: dict[Hashable, list[Kept]] = {}
        for start in range(0, len(unsure), _LOOKED_UP_AT_ONCE):
            found = self._repetition.kept(client, unsure[start : start + _LOOKED_UP_AT_ONCE])
            kept |= {identity: list(rows) for identity, rows in found.items()}
        return kept

    def _insert(self, client: Client, readings: Sequence[Reading], batch_id: int) -> int:
        """Gives the arrival number of the first; those of the others follow it."""
        count = len(readings)
        first = self._arrivals.reserve(count)
        rows = [reading.row for reading in readings]
        values = [row.values for row in rows]
        system = (
            [reading.tenant_id for reading in readings],
            [reading.asset_id for reading in readings],
            [row.at for row in rows],
            [row.asset_key for row in rows],
            [row.flags for row in rows],
            [batch_id] * count,
            range(FIRST_WINS - first, FIRST_WINS - first - count, -1),
        )
        columns: dict[str, Sequence[Any]] = dict(zip(SYSTEM_COLUMNS, system, strict=True))
        columns |= {name: [said.get(name) for said in values] for name in value_columns_of(self._stream)}
        # What no row has a value of is not sent: the engine knows what then stands there. The types are, since the
        # driver would ask for them at every insert.
        sent = {name: column for name, column in columns.items() if not _is_absent(column)}
        types = plain_columns_of(self._stream)
        client.insert(
            table_of(self._stream),
            list(sent.values()),
            column_names=list(sent),
            column_type_names=[types[name] for name in sent],
            column_oriented=True,
            settings=_INSERT_SETTINGS,
        )
        return first

    def _neighbour_flags(
        self, client: Client, readings: list[Reading], batch_id: int
    ) -> dict[tuple[int, datetime], tuple[str, ...]]:
        """The flags that the rows got by comparison with their predecessors."""
        if not self._stream.neighbour_checks:
            return {}
        flags: dict[tuple[int, datetime], tuple[str, ...]] = {}
        for tenant_id in {reading.tenant_id for reading in readings}:
            own = [reading for reading in readings if reading.tenant_id == tenant_id]
            times = [reading.row.at for reading in own]
            ids = tuple(sorted({reading.asset_id for reading in own}))
            batch = Batch(tenant_id, batch_id, ids, min(times), max(times))
            if flag_neighbours(client, self._stream, batch):
                rows = client.query(
                    f"SELECT asset_id, ts, flags FROM {table_of(self._stream)} FINAL "
                    f"WHERE {batch.range()} AND batch_id = {batch_id}"
                ).result_rows
                flags |= {(asset_id, at): tuple(found) for asset_id, at, found in rows}
        return flags


def _is_absent(column: Sequence[Any]) -> bool:
    """Whether each is nothing, or a list of nothing: what a column holds where nothing is said."""
    return not any(column) and all(value is None or value == () or value == [] for value in column)


def _flagged(reading: Reading, flags: Mapping[tuple[int, datetime], tuple[str, ...]]) -> Reading:
    """With the flags that it got by comparison with its predecessor."""
    found = flags.get((reading.asset_id, reading.row.at)) if flags else None
    return replace(reading, row=replace(reading.row, flags=found)) if found else reading
