"""Rows out of the store, as many as there are, with flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from io import IOBase
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from wattkeeper.base.catalog.channels import ChannelType
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.formulas import FORMULA_STARTS, HARMLESS_START
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import literal
from wattkeeper.flow.store.queries import Ordering, Selection, column_sql, order_sql
from wattkeeper.flow.store.schema import table_of

READ_BYTES = 1 << 20

# They stand in the query's text: given beside it, they would make the embedded engine hold the whole answer.
_SETTINGS = (
    # What an export holds while its reader is slow. An order other than the table's is sorted in memory up to 128 MiB,
    # on the disk from there on, at half the speed, and merged in small blocks; a second thread costs 15 MB more and
    # makes no file come faster.
    "SETTINGS max_bytes_before_external_sort = 134217728, max_bytes_ratio_before_external_sort = 0, "
    "prefer_external_sort_block_bytes = 524288, temporary_files_buffer_size = 131072, "
    "max_block_size = 8192, max_threads = 1, "
    "output_format_json_quote_64bit_integers = 0, output_format_json_escape_forward_slashes = 0"
)


def export_text(
    engine: Engine, stream: Stream, selection: Selection, *, ordering: Ordering, line_format: str
) -> Iterator[bytes]:
    """Pieces of about a megabyte of `CSV` (without a header, formula cells made safe) or `JSONEachRow`."""
    sql = _select(stream, selection, ordering, formulas_safe=line_format == "CSV")
    with engine.client() as client:
        yield from _pieces(client, sql, line_format)


def export_rows(
    engine: Engine, stream: Stream, selection: Selection, *, ordering: Ordering
) -> Iterator[Sequence[Sequence[Any]]]:
    """Blocks of rows with times as ISO 8601 text in UTC and formula cells made safe."""
    sql = _select(stream, selection, ordering, formulas_safe=True, times_as_text=True)
    with engine.client() as client, client.query_row_block_stream(sql) as blocks:
        yield from blocks


def export_parquet(engine: Engine, stream: Stream, selection: Selection, *, ordering: Ordering, path: Path) -> None:
    """Write a Parquet file. Its footer comes last, so it cannot be streamed out of the embedded engine."""
    sql = _select(stream, selection, ordering, formulas_safe=False)
    with engine.client() as client:
        if engine.embedded:
            client.command(
                f"INSERT INTO FUNCTION file({literal(str(path))}, 'Parquet') {sql}, engine_file_truncate_on_insert = 1"
            )
            return
        with path.open("wb") as out:
            for piece in _pieces(client, sql, "Parquet"):
                out.write(piece)


def _pieces(client: Client, sql: str, format_name: str) -> Iterator[bytes]:
    source = client.raw_stream(sql, fmt=format_name)
    assert isinstance(source, IOBase)
    with closing(source):
        while piece := source.read(READ_BYTES):
            yield piece


def _select(
    stream: Stream,
    selection: Selection,
    ordering: Ordering,
    *,
    formulas_safe: bool,
    times_as_text: bool = False,
) -> str:
    texts = {stream.asset_field, *(c.name for c in stream.channels if c.type is ChannelType.TEXT)}
    closed = {c.name for c in stream.channels if c.choices}  # their texts are ours, and harmless
    wanted = []
    for name in stream.columns:
        column = column_sql(stream, name)
        if name == stream.time_field and times_as_text:
            column = "concat(replaceOne(toString(ts), ' ', 'T'), 'Z')"
        elif name in texts - closed and formulas_safe:
            starts = ", ".join(map(literal, FORMULA_STARTS))
            column = f"if(left({column}, 1) IN ({starts}), concat({literal(HARMLESS_START)}, {column}), {column})"
        wanted.append(column if column == f"`{name}`" else f"{column} AS `{name}`")
    condition = "0" if selection.is_empty else selection.sql()
    return (
        f"SELECT {', '.join(wanted)} FROM {table_of(stream)} FINAL "
        f"WHERE {condition} ORDER BY {order_sql(stream, selection, ordering)} {_SETTINGS}"
    )
