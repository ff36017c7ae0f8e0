"""Files into the store: against the engine's own insert, and against PostgreSQL."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psycopg

from benchmarks.report import Figure
from benchmarks.server import Server
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.config import remote
from wattkeeper.flow.readings.reading import LoadReceipt
from wattkeeper.flow.sources.csv_upload.assemble import assemble
from wattkeeper.flow.sources.csv_upload.header import HEAD_BYTES, header_of
from wattkeeper.flow.store.engine import EngineOptions
from wattkeeper.flow.store.file_sql import literal
from wattkeeper.flow.store.schema import DURABLE, KEY_COLUMNS, columns_of, table_of
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY

ROUNDS = 5
POSTGRES = os.environ.get("WATTKEEPER_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


class Assets:
    """Stands for the table of assets, whose few rows weigh nothing here."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def ids_of(self, keys: Sequence[str]) -> Mapping[str, int]:
        return {key: self._ids[key] for key in keys if key in self._ids}

    def register(self, keys: Sequence[str]) -> Mapping[str, int]:
        for key in keys:
            self._ids.setdefault(key, len(self._ids) + 1)
        return self.ids_of(keys)


def load_figures(file: Path, folder: Path, *, rows: int) -> Iterator[Figure]:
    """The same file by each way, in turns: the median of each."""
    store = Store(EngineOptions(f"chdb://{folder / 'readings'}"), registry.streams())
    store.open()
    try:
        ours: list[float] = []
        plain: list[float] = []
        for tenant_id in range(1, ROUNDS + 1):
            ours.append(_seconds(lambda: _validated(store, file, folder, tenant_id=tenant_id, rows=rows)))  # noqa: B023
            _empty(store)
            plain.append(_seconds(lambda: _plain(store, file, rows=rows)))
    finally:
        store.close()
    mine, engines = statistics.median(ours), statistics.median(plain)
    ratio = engines / mine
    yield Figure(
        f"load {rows:,} rows, validated",
        f"{mine:.2f} s ({rows / mine / 1e6:.2f} M rows/s)",
        f"the engine's plain insert: {engines:.2f} s, ratio {ratio:.2f}",
        "ratio 0.5",
        ratio >= 0.5,
    )
    try:
        postgres = _seconds(lambda: _postgres(file, rows=rows))
    except psycopg.OperationalError as error:
        reason = str(error).splitlines()[0]
        yield Figure("  the same in PostgreSQL", "skipped", f"no server: {reason}", "6 times", None)
    else:
        times = postgres / mine
        peer = f"COPY + INSERT ON CONFLICT: {postgres:.2f} s, {times:.1f} times"
        yield Figure("  beside PostgreSQL", f"{mine:.2f} s", peer, "6 times", times >= 6)


def http_load_figures(server: Server, file: Path, *, rows: int) -> Iterator[Figure]:
    """Through a server's door, with what that costs in memory."""
    idle = server.memory()
    server.memory_forget()
    with remote.Server(server.url, key=server.key, kind="vehicle") as client:
        upload = remote.UploadFile(file, asset=None)
        sent = _seconds(lambda: client.send(upload, lambda done, total: None))
        report: list[dict[str, object]] = []
        finalized = _seconds(lambda: report.append(client.finalize(upload, lambda done, total: None)))
    assert report[0]["inserted"] == rows, report
    size, above = file.stat().st_size, server.memory_peak() - idle
    yield Figure(
        f"load {rows:,} rows over HTTP",
        f"{finalized:.2f} s from finalize to report ({sent:.2f} s to send)",
        f"{size / 1e6:,.0f} MB in chunks",
    )
    if size >= 1_000_000_000:
        measured = f"{above / 1e6:,.0f} MB above idle ({idle / 1e6:,.0f} MB)"
        yield Figure("  peak memory of that", measured, "", "1,000 MB", above < 1e9)


def _validated(store: Store, file: Path, folder: Path, *, tenant_id: int, rows: int) -> None:
    """All that lies between finalize and queryable: assembly, checks, store, receipt."""
    with file.open("rb") as start:
        header = header_of(start.read(HEAD_BYTES), TELEMETRY, asset_named=False)
    whole = folder / "whole.csv"
    assembled = assemble([file], whole, header, asset_key=None, progress=lambda done: None)
    receipt: LoadReceipt
    receipt, _ = store.load_file(TELEMETRY, assembled, tenant_id=tenant_id, batch_id=batch_id_new(), assets=Assets())
    assert receipt.stored == rows, receipt
    whole.unlink()


def _empty(store: Store) -> None:
    """Each round begins with an empty table, as its peers' do, and nothing going on in the background."""
    with store.engine.client() as client:
        client.command(f"TRUNCATE TABLE {table_of(TELEMETRY)}")
        while client.query("SELECT count() FROM system.merges").result_rows[0][0]:
            time.sleep(0.1)


def _plain(store: Store, file: Path, *, rows: int) -> None:
    """The engine alone: into a table of the same shape, order and durability, every value believed."""
    columns = ", ".join(f"`{name}` {type_}" for name, type_ in columns_of(TELEMETRY).items())
    channels = ", ".join(f"`{channel.name}`" for channel in TELEMETRY.channels)
    with store.engine.client() as client:
        client.command("DROP TABLE IF EXISTS plain")
        client.command(
            f"CREATE TABLE plain ({columns}) ENGINE = ReplacingMergeTree(version) PARTITION BY toYear(ts) "
            f"ORDER BY ({', '.join(KEY_COLUMNS)}) SETTINGS {DURABLE}"
        )
        client.command(
            f"INSERT INTO plain (tenant_id, asset_id, ts, asset_key, version, {channels}) "
            f"SELECT 1, cityHash64(vehicle_id), timestamp, vehicle_id, 1, {channels} FROM file({literal(str(file))}, "
            "'CSVWithNames', 'vehicle_id String, timestamp DateTime64(6, \\'UTC\\'), speed Nullable(Float64), "
            "odometer Nullable(Float64), soc Nullable(Int64), elevation Nullable(Float64), "
            "shift_state Nullable(String)') SETTINGS format_csv_null_representation = 'NULL'"
        )
        assert client.query("SELECT count() FROM plain FINAL").result_rows[0][0] == rows
        client.command("DROP TABLE plain")


def _postgres(file: Path, *, rows: int) -> None:
    with psycopg.connect(POSTGRES) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE staging (vehicle_id text, timestamp timestamptz, speed float8, odometer float8, "
            "soc int, elevation float8, shift_state text)"
        )
        # A table that survives a crash, as ours does: a temporary one would not be logged.
        cursor.execute("DROP TABLE IF EXISTS wattkeeper_bench")
        cursor.execute("CREATE TABLE wattkeeper_bench (LIKE staging, PRIMARY KEY (vehicle_id, timestamp))")
        connection.commit()
        with (
            file.open("rb") as source,
            cursor.copy("COPY staging FROM STDIN (FORMAT csv, HEADER, NULL 'NULL')") as copy,
        ):
            while block := source.read(1 << 20):
                copy.write(block)
        cursor.execute("INSERT INTO wattkeeper_bench SELECT * FROM staging ON CONFLICT DO NOTHING")
        assert cursor.rowcount == rows
        connection.commit()
        cursor.execute("DROP TABLE wattkeeper_bench")


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
