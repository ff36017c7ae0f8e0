"""Writes single readings to a stream, many at a time, and says what became of each."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from clickhouse_connect.driver.client import Client

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import EPOCH
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.flow.readings.reading import Outcome, Reading, Receipt
from wattkeeper.flow.store.arrivals import ArrivalClock
from wattkeeper.flow.store.counts import CountMemory
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import sql_time
from wattkeeper.flow.store.load import Batch, flag_neighbours
from wattkeeper.flow.store.schema import FIRST_WINS, SYSTEM_COLUMNS, plain_columns_of, table_of


class StreamWriter:
    """Appends readings to one stream, in the order in which they come."""

    def __init__(self, engine: Engine, stream: Stream, *, arrivals: ArrivalClock, counts: CountMemory) -> None:
        self._engine = engine
        self._stream = stream
        self._arrivals = arrivals
        self._counts = counts
        self._newest: dict[int, datetime] = {}
        self._loading: Counter[int] = Counter()
        self._state = threading.Lock()
        self._loaded = threading.Condition(self._state)
        self._writing = threading.Lock()

    def start(self) -> None:
        with self._engine.client() as client:
            rows = client.query(f"SELECT asset_id, max(ts) FROM {table_of(self._stream)} GROUP BY asset_id")
            self._newest.update((asset_id, at) for asset_id, at in rows.result_rows)

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
            self._newest[asset_id] = max(at, self._newest.get(asset_id, EPOCH))

    def _write(self, readings: Sequence[Reading]) -> list[Receipt]:
        with self._engine.client() as client:
            taken = self._taken(client, readings)
            new: dict[tuple[int, datetime], Reading] = {}
            receipts: list[Receipt] = []
            for reading in readings:
                key = (reading.asset_id, reading.row.at)
                outcome = Outcome.DUPLICATE if key in taken or key in new else Outcome.STORED
                if outcome is Outcome.STORED:
                    new[key] = reading
                receipts.append(Receipt(outcome, reading))
            if not new:
                return receipts
            batch_id = batch_id_new()
            with self._counts.changing([asset_id for asset_id, _ in new]):
                first = self._insert(client, list(new.values()), batch_id)
            arrivals = {key: first + place for place, key in enumerate(new)}
            flags = self._neighbour_flags(client, list(new.values()), batch_id)
        for asset_id, at in new:
            self.saw(asset_id, at)
        return [self._finished(receipt, flags, arrivals) for receipt in receipts]

    def _taken(self, client: Client, readings: Sequence[Reading]) -> set[tuple[int, datetime]]:
        """Which keys are stored already. A reading newer than all of its asset needs no look-up."""
        with self._state:
            unsure = {
                (r.tenant_id, r.asset_id, r.row.at)
                for r in readings
                if r.asset_id in self._loading or r.row.at <= self._newest.get(r.asset_id, EPOCH)
            }
        if not unsure:
            return set()
        keys = ", ".join(f"({tenant_id}, {asset_id}, {sql_time(at)})" for tenant_id, asset_id, at in unsure)
        rows = client.query(
            f"SELECT DISTINCT asset_id, ts FROM {table_of(self._stream)} WHERE (tenant_id, asset_id, ts) IN ({keys})"
        )
        return {(asset_id, at) for asset_id, at in rows.result_rows}

    def _insert(self, client: Client, readings: list[Reading], batch_id: int) -> int:
        """Gives the arrival number of the first; those of the others follow it."""
        names = [channel.name for channel in self._stream.channels]
        types = plain_columns_of(self._stream)
        first = self._arrivals.reserve(len(readings))
        rows = [
            [
                reading.tenant_id,
                reading.asset_id,
                reading.row.at,
                reading.row.asset_key,
                list(reading.row.flags),
                batch_id,
                FIRST_WINS - (first + place),
                *(reading.row.values.get(name) for name in names),
            ]
            for place, reading in enumerate(readings)
        ]
        columns = [*SYSTEM_COLUMNS, *names]
        # With their types, since the driver would ask for them at every insert.
        column_types = [types[name] for name in columns]
        client.insert(table_of(self._stream), rows, column_names=columns, column_type_names=column_types)
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

    @staticmethod
    def _finished(
        receipt: Receipt,
        flags: dict[tuple[int, datetime], tuple[str, ...]],
        arrivals: dict[tuple[int, datetime], int],
    ) -> Receipt:
        if receipt.outcome is Outcome.DUPLICATE:
            return receipt
        reading, key = receipt.reading, (receipt.reading.asset_id, receipt.reading.row.at)
        if key in flags:
            reading = replace(reading, row=replace(reading.row, flags=flags[key]))
        return Receipt(receipt.outcome, reading, arrivals[key])
