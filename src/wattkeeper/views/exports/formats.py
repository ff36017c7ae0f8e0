"""The export formats. One more is one row of `FORMATS`."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from wattkeeper.base.catalog.streams import Stream
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
    yield ",".join(question.stream.columns).encode() + b"\n"
    yield from export_text(
        question.engine, question.stream, question.selection, ordering=question.ordering, line_format="CSV"
    )


def _json(question: Question) -> Iterator[bytes]:
    """One array. Rows come one a line, so a line break is where a comma belongs."""
    lines = export_text(
        question.engine,
        question.stream,
        question.selection,
        ordering=question.ordering,
        line_format="JSONEachRow",
    )
    yield b"[\n"
    held = b""
    for piece in lines:
        if held:
            yield held
        held = piece.replace(b"\n", b",\n")
    yield held.removesuffix(b",\n") + b"\n]\n"


def _xlsx(question: Question) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="wattkeeper-export-") as folder:
        path = Path(folder) / "export.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(path, {**options, "tmpdir": folder}) as workbook:
            bold = workbook.add_format({"bold": True})
            blocks = export_rows(question.engine, question.stream, question.selection, ordering=question.ordering)
            rows = itertools.chain.from_iterable(blocks)
            for number in itertools.count(1):
                sheet_rows = list(itertools.islice(rows, 1))
                if number > 1 and not sheet_rows:
                    break
                sheet = workbook.add_worksheet("readings" if number == 1 else f"readings {number}")
                sheet.freeze_panes(1, 0)
                sheet.write_row(0, 0, question.stream.columns, bold)
                filled = itertools.islice(itertools.chain(sheet_rows, rows), SHEET_ROWS)
                for line, row in enumerate(filled, start=1):
                    for column, value in enumerate(row):
                        if value is None:
                            continue
                        if isinstance(value, str):
                            sheet.write_string(line, column, value)
                        else:
                            sheet.write_number(line, column, value)
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
