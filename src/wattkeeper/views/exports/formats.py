"""The export formats. One more is one row of `FORMATS`."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import FastExcel

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.export import READ_BYTES, export_parquet, export_rows, export_text
from wattkeeper.flow.store.queries import Ordering, Selection

SHEET_ROWS = 1_048_575  # beside the header; the rest goes on in another sheet


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be exported."""

    engine: Engine
    stream: Stream
    selection: Selection
    ordering: Ordering


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """`pieces` gives the file's bytes, as many as there are, without holding them."""

    extension: str
    content_type: str
    pieces: Callable[[Question], Iterator[bytes]]


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
    rows: Iterator[dict[str, Any]] = (
        dict(zip(question.stream.columns, row, strict=True)) for block in blocks for row in block
    )
    if not count:
        rows = iter([dict.fromkeys(question.stream.columns)])  # the writer knows a sheet's columns from its first row
    with tempfile.TemporaryDirectory(prefix="wattkeeper-export-") as folder:
        path = Path(folder) / "export.xlsx"
        workbook = FastExcel(path).format(bold_headers=True).freeze(row=1)
        for number in range(max(math.ceil(count / SHEET_ROWS), 1)):
            name = "readings" if number == 0 else f"readings {number + 1}"
            workbook.sheet(name, itertools.islice(rows, SHEET_ROWS))
        workbook.save()
        yield from _file(path)


def _parquet(question: Question) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="wattkeeper-export-") as folder:
        path = Path(folder) / "export.parquet"
        export_parquet(question.engine, question.stream, question.selection, ordering=question.ordering, path=path)
        yield from _file(path)


def _file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            yield piece


FORMATS = {
    "csv": ExportFormat("csv", "text/csv; charset=utf-8", _csv),
    "json": ExportFormat("json", "application/json", _json),
    "xlsx": ExportFormat("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    "parquet": ExportFormat("parquet", "application/vnd.apache.parquet", _parquet),
}
