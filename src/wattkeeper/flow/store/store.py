"""The store of this process: the open engine, and for each stream its writer and its order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import WattkeeperError
from wattkeeper.flow.readings.files import DelimitedFile
from wattkeeper.flow.readings.reading import LoadReceipt, Reading, Receipt
from wattkeeper.flow.store import load, queries
from wattkeeper.flow.store.arrivals import ArrivalClock
from wattkeeper.flow.store.counts import CountMemory
from wattkeeper.flow.store.engine import Engine, EngineOptions
from wattkeeper.flow.store.writer import StreamWriter


class StoreClosedError(WattkeeperError):
    """A command without a server asked for readings."""

    status = 503


class Store:
    """Opened and closed by whoever serves; used by everyone through `store()`."""

    def __init__(self, options: EngineOptions, streams: tuple[Stream, ...]) -> None:
        self.engine = Engine(options)
        self._streams = streams
        self._arrivals: dict[str, ArrivalClock] = {}
        self._counts: dict[str, CountMemory] = {}
        self._writers: dict[str, StreamWriter] = {}

    def open(self) -> None:
        """HomeInUseError if another process has it."""
        self.engine.open(self._streams)
        for stream in self._streams:
            arrivals = ArrivalClock(newest_seen=queries.newest_arrival(self.engine, stream))
            counts = self._counts[stream.name] = CountMemory()
            writer = StreamWriter(self.engine, stream, arrivals=arrivals, counts=counts)
            writer.start()
            self._arrivals[stream.name], self._writers[stream.name] = arrivals, writer

    def close(self) -> None:
        self._writers.clear()
        self.engine.close()

    def count(self, stream: Stream, selection: queries.Selection) -> int:
        """How many rows are meant."""
        if not self.engine.embedded:
            return queries.count(self.engine, stream, selection)
        return self._counts[stream.name].count(selection, partial(queries.count, self.engine, stream))

    def write(self, stream: Stream, readings: Sequence[Reading]) -> list[Receipt]:
        """Store single readings, in their order; they are durable when the receipts come."""
        return self._writers[stream.name].write(readings)

    def load_file(
        self,
        stream: Stream,
        file: DelimitedFile,
        *,
        tenant_id: int,
        batch_id: int,
        assets: load.Assets,
    ) -> tuple[LoadReceipt, Sequence[NewestRow]]:
        """Store a file's rows; also says what is the newest of each asset among those that it brought."""
        writer = self._writers[stream.name]
        with ExitStack() as announced:
            receipt, newest = load.load_file(
                self.engine,
                stream,
                file,
                tenant_id=tenant_id,
                batch_id=batch_id,
                assets=assets,
                arrivals=self._arrivals[stream.name],
                announce=lambda ids: announced.enter_context(writer.loading(ids)),
                settle=writer.settle,
            )
            for row in newest:
                writer.saw(row.asset_id, row.at)
        return receipt, newest


_store: Store | None = None


def open_store(options: EngineOptions, streams: tuple[Stream, ...]) -> Store:
    """Open the process's store."""
    global _store
    if _store is not None:
        raise RuntimeError("The readings' store is open already")
    opened = Store(options, streams)
    opened.open()
    _store = opened
    return opened


def close_store() -> None:
    global _store
    if _store is not None:
        _store.close()
        _store = None


def store() -> Store:
    """The open store; StoreClosedError where no server runs in this process."""
    if _store is None:
        raise StoreClosedError("The readings' store is open in the server only: ask through its API.")
    return _store
