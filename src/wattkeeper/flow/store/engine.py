"""The readings' engine: ClickHouse inside this process (chDB), or a server, by one client.

Nothing opens it at import: the server opens it at its start (`store.py`) and closes it at its end.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clickhouse_connect.driver import create_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BusyError, OutOfSpaceError
from wattkeeper.flow.store.lock import HomeLock
from wattkeeper.flow.store.schema import apply_schema

log = logging.getLogger(__name__)

# Reading a file by `pread` keeps 1 GB files at 0.8 GB of memory; mapping them took 1.8 GB.
_SETTINGS_EMBEDDED = {"storage_file_read_method": "pread"}
_SETTINGS = {
    "parallel_view_processing": 1,
    "format_csv_null_representation": "",
    "date_time_output_format": "iso",
}
# How the engine says that there is no room: before it writes, and when it tried.
_FULL = ("NOT_ENOUGH_SPACE", "No space left on device")
_TOO_MUCH = "MEMORY_LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """`dsn`: `chdb:///path` or `https://user:password@host:8443/database`."""

    dsn: str
    max_memory_bytes: int = 2 << 30
    max_threads: int = 0
    holder: str = "a Wattkeeper process"

    @property
    def path(self) -> Path | None:
        """The folder of an embedded engine; None for a server."""
        url = urlsplit(self.dsn)
        return Path(url.path) if url.scheme == "chdb" else None


class Engine:
    """The open engine: a pool of clients, each of which serves one call at a time."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._clients: list[Client] = []
        self._lock: HomeLock | None = None

    @property
    def embedded(self) -> bool:
        return self._options.path is not None

    def open(self, streams: tuple[Stream, ...]) -> None:
        """Take the lock, start the engine, bring its tables up to date."""
        if path := self._options.path:
            self._lock = HomeLock(path.parent / "server.lock")
            self._lock.acquire(self._options.holder)
        try:
            with self.client() as client:
                apply_schema(client, streams)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for client in self._clients:
            try:
                client.close()
            except ClickHouseError:
                log.exception("Closing the readings' engine")
        self._clients.clear()
        self._idle = queue.LifoQueue()
        if self._lock:
            self._lock.release()

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client for this caller alone, for as long as the block lasts.

        A client with an open stream answers other questions with silence, so each stream, too, has its own.
        """
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = self._connect()
        try:
            yield client
        except ClickHouseError as error:
            if any(sign in str(error) for sign in _FULL):
                raise OutOfSpaceError("The disk of the readings is full.") from error
            if _TOO_MUCH in str(error):
                raise BusyError("There is no memory for this now; try again, or ask for less.") from error
            raise
        finally:
            self._idle.put(client)

    def _connect(self) -> Client:
        settings: dict[str, Any] = dict(_SETTINGS)
        extra: dict[str, Any] = {}
        settings["max_memory_usage"] = self._options.max_memory_bytes
        if self._options.max_threads:
            settings["max_threads"] = self._options.max_threads
        if self.embedded:
            settings |= _SETTINGS_EMBEDDED
        else:
            extra["autogenerate_session_id"] = False  # calls of one client may then run side by side
        client = create_client(dsn=self._options.dsn, settings=settings, tz_mode="aware", **extra)
        self._clients.append(client)
        return client
