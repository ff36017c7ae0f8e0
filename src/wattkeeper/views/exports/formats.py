"""The export formats. One more is one row of `FORMATS`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.export import export_parquet, export_rows, export_text
from wattkeeper.flow.store.queries import Ordering, Selection
from wattkeeper.views.exports.tables import Table, csv_of_table, json_of_table, xlsx_of_table
from wattkeeper.views.exports.workbook import file_pieces, workbook


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be exported."""

    engine: Engine
    stream: Stream
    selection: Selection
    ordering: Ordering


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """Both give a file's bytes, as many as there are, without holding them.

    `pieces` is for readings: the engine writes what it can itself. `table_pieces` is for all else, and None where
    only the engine writes the format.
    """

    extension: str
    content_type: str
    pieces: Callable[[Question], Iterator[bytes]]
    table_pieces: Callable[[Table], Iterator[bytes]] | None = None


def _csv(question: Question) -> Iterator[bytes]:
    lines = export_text(
        question.engine, question.stream, question.selection, ordering=question.ordering, line_format="CSV"
    )
    first = next(lines, b"")  # asked for before anything is sent: what fails here is an answer, not half a file
    yield ",".join(question.stream.columns).encode() + b"\n" + first
    yield from lines


def _json(question: Question) -> Iterator[bytes]:
    """One array. Rows come one a line, so a line break is where a comma belongs."""
    lines = export_text(
        question.engine,
        question.stream,
        question.selection,
        ordering=question.ordering,
        line_format="JSONEachRow",
    )
    held = b"[\n" + next(lines, b"").replace(b"\n", b",\n")
    for piece in lines:
        yield held
        held = piece.replace(b"\n", b",\n")
    yield held.removesuffix(b",\n") + b"\n]\n"


def _xlsx(question: Question) -> Iterator[bytes]:
    count = queries.count(question.engine, question.stream, question.selection)
    blocks = export_rows(question.engine, question.stream, question.selection, ordering=question.ordering)
    return workbook("readings", question.stream.columns, (row for block in blocks for row in block), count=count)


def _parquet(question: Question) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="wattkeeper-export-") as folder:
        path = Path(folder) / "export.parquet"
        export_parquet(question.engine, question.stream, question.selection, ordering=question.ordering, path=path)
        yield from file_pieces(path)


FORMATS = {
    "csv": ExportFormat("csv", "text/csv; charset=utf-8", _csv, csv_of_table),
    "json": ExportFormat("json", "application/json", _json, json_of_table),
    "xlsx": ExportFormat(
        "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx, xlsx_of_table
    ),
    "parquet": ExportFormat("parquet", "application/vnd.apache.parquet", _parquet),
}
