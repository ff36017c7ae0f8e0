"""Group commit: single readings wait for the flush that holds their row, then hear what became of it.

One thread a stream writes. While a flush is on its way to the disk, the next one gathers; an idle writer
flushes at once. The queue is bounded: past it a caller hears "busy" instead of waiting for ever.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from clickhouse_connect.driver.client import Client

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import EPOCH
from wattkeeper.base.core.errors import BusyError, WattkeeperError
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.flow.readings.reading import Outcome, Reading, Receipt
from wattkeeper.flow.store.arrivals import ArrivalClock
from wattkeeper.flow.store.counts import CountMemory
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import sql_time
from wattkeeper.flow.store.load import Batch, flag_neighbours
from wattkeeper.flow.store.schema import FIRST_WINS, table_of

log = logging.getLogger(__name__)

QUEUE_ROWS = 10_000
FLUSH_ROWS = 2_000

_Waiting = tuple[Reading, "Future[Receipt]"]


class WriterClosedError(WattkeeperError):
    """The server is stopping."""

    status = 503


class StreamWriter:
    """Appends readings to one stream, in the order in which they came."""

    def __init__(self, engine: Engine, stream: Stream, *, arrivals: ArrivalClock, counts: CountMemory) -> None:
        self._engine = engine
        self._stream = stream
        self._arrivals = arrivals
        self._counts = counts
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue(QUEUE_ROWS)
        self._newest: dict[int, datetime] = {}
        self._loading: Counter[int] = Counter()
        self._state = threading.Lock()
        self._loaded = threading.Condition(self._state)
        self._flushing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"writer {stream.name}", daemon=True)

    def start(self) -> None:
        with self._engine.client() as client:
            rows = client.query(f"SELECT asset_id, max(ts) FROM {table_of(self._stream)} GROUP BY asset_id")
            self._newest.update((asset_id, at) for asset_id, at in rows.result_rows)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join()

    def append(self, reading: Reading) -> Future[Receipt]:
        """The receipt comes when the reading is durable. BusyError if too many wait already."""
        if self._closed:
            raise WriterClosedError("The server is stopping.")
        future: Future[Receipt] = Future()
        try:
            self._waiting.put_nowait((reading, future))
        except queue.Full:
            raise BusyError("Too many readings are waiting to be written; send this one again.") from None
        return future

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
        """Wait for the flush under way: it may not have seen the rows that a file has just brought."""
        with self._flushing:
            pass

    def saw(self, asset_id: int, at: datetime) -> None:
        """A file has brought a row of that time."""
        with self._state:
            self._newest[asset_id] = max(at, self._newest.get(asset_id, EPOCH))

    def _run(self) -> None:
        stopping = False
        while not stopping:
            first = self._waiting.get()
            batch: list[_Waiting] = []
            item: _Waiting | None = first
            while item is not None:
                batch.append(item)
                if len(batch) == FLUSH_ROWS:
                    break
                try:
                    item = self._waiting.get_nowait()
                except queue.Empty:
                    break
            stopping = item is None
            if batch:
                self._flush(batch)

    def _flush(self, batch: list[_Waiting]) -> None:
        try:
            with self._flushing:
                receipts = self._write([reading for reading, _ in batch])
        except Exception as error:
            log.exception("A flush of %d readings of %s failed", len(batch), self._stream.name)
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), receipt in zip(batch, receipts, strict=True):
            future.set_result(receipt)

    def _write(self, readings: list[Reading]) -> list[Receipt]:
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
                self._insert(client, list(new.values()), batch_id)
            flags = self._neighbour_flags(client, list(new.values()), batch_id)
        for asset_id, at in new:
            self.saw(asset_id, at)
        return [self._with_flags(receipt, flags) for receipt in receipts]

    def _taken(self, client: Client, readings: list[Reading]) -> set[tuple[int, datetime]]:
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

    def _insert(self, client: Client, readings: list[Reading], batch_id: int) -> None:
        names = [channel.name for channel in self._stream.channels]
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
        system = ["tenant_id", "asset_id", "ts", "asset_key", "flags", "batch_id", "version"]
        client.insert(table_of(self._stream), rows, column_names=[*system, *names])

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
    def _with_flags(receipt: Receipt, flags: dict[tuple[int, datetime], tuple[str, ...]]) -> Receipt:
        reading = receipt.reading
        found = flags.get((reading.asset_id, reading.row.at))
        if found is None or receipt.outcome is Outcome.DUPLICATE:
            return receipt
        return replace(receipt, reading=replace(reading, row=replace(reading.row, flags=found)))
