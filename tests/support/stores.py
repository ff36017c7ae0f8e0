"""Stores to test against: the process's own engine, and one behind the HTTP transport."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.machine import repository
from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.flow.readings.reading import LoadReceipt
from wattkeeper.flow.sources.csv_upload.assemble import assemble
from wattkeeper.flow.sources.csv_upload.header import HEAD_BYTES, header_of
from wattkeeper.flow.store.store import Store


@contextmanager
def clickhouse(folder: Path) -> Iterator[str]:
    """The address of a server that speaks ClickHouse's protocol, in a process of its own, with its readings there."""
    command = [sys.executable, "-m", "tests.support.clickhouse_http", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=repository()
    ) as server:
        assert server.stdout is not None
        try:
            yield f"http://default:@127.0.0.1:{server.stdout.readline().strip()}/default"
        finally:
            server.communicate()


class AssetBook:
    """Assets as the store asks for them, without a database. Ids are unique in the whole run."""

    _last_id = 0

    def __init__(self, *, registers: bool = True) -> None:
        self.ids: dict[str, int] = {}
        self._registers = registers

    def ids_of(self, keys: Sequence[str]) -> Mapping[str, int]:
        return {key: self.ids[key] for key in keys if key in self.ids}

    def register(self, keys: Sequence[str]) -> Mapping[str, int]:
        for key in keys if self._registers else ():
            AssetBook._last_id += 1
            self.ids.setdefault(key, AssetBook._last_id)
        return self.ids_of(keys)


def load_text(
    store: Store, stream: Stream, content: bytes, folder: Path, *, tenant_id: int, **options: Any
) -> LoadReceipt:
    """A file's bytes the way an upload takes them: header, assembly, load. `options` are those of `_loaded`."""
    return _loaded(store, stream, content, folder, tenant_id=tenant_id, **options)[0]


def newest_of_text(
    store: Store, stream: Stream, content: bytes, folder: Path, *, tenant_id: int, **options: Any
) -> Sequence[NewestRow]:
    """The same; what the store says is the newest row of each asset."""
    return _loaded(store, stream, content, folder, tenant_id=tenant_id, **options)[1]


def _loaded(
    store: Store,
    stream: Stream,
    content: bytes,
    folder: Path,
    *,
    tenant_id: int,
    assets: AssetBook | None = None,
    asset_key: str | None = None,
    batch_id: int | None = None,
) -> tuple[LoadReceipt, Sequence[NewestRow]]:
    source, target = folder / "chunk", folder / "whole"
    source.write_bytes(content)
    header = header_of(content[:HEAD_BYTES], stream, asset_named=asset_key is not None)
    file = assemble([source], target, header, asset_key=asset_key, progress=lambda read: None)
    return store.load_file(
        stream,
        file,
        tenant_id=tenant_id,
        batch_id=batch_id_new() if batch_id is None else batch_id,
        assets=AssetBook() if assets is None else assets,
    )
