"""Rows that do not come from the readings' store, as files: a table is columns and an iterator of rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from wattkeeper.base.core.formulas import harmless
from wattkeeper.views.exports.workbook import workbook

PIECE_CHARACTERS = 1 << 18
WORKBOOK_DIGITS = 15  # of a number; Excel makes noughts of all others


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is what programs call it, in JSON; `title` stands over it where people read, with its unit."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Exact:
    """A number of which no digit may be lost: its text, but in a workbook a number where that can hold it."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def in_a_workbook(self) -> int | float | str:
        number = float(self.text)
        if Decimal(self.text) != Decimal(repr(number)) or len(Decimal(self.text).as_tuple().digits) > WORKBOOK_DIGITS:
            return self.text
        return int(number) if number.is_integer() else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`rows` are made while they are written, once, each with a value for each column: text, number, time or None.

    `count` is how many rows there are at most; a workbook wants to know before it begins.
    """

    name: str
    columns: Sequence[Column]
    rows: Iterator[Sequence[Any]]
    count: int


def csv_of_table(table: Table) -> Iterator[bytes]:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([column.title for column in table.columns])
    for row in table.rows:
        lines.writerow([harmless(_plain(cell)) for cell in row])
        if text.tell() > PIECE_CHARACTERS:
            yield _taken(text)
    yield _taken(text)


def json_of_table(table: Table) -> Iterator[bytes]:
    """One array, an object a line."""
    names = [column.name for column in table.columns]
    text = io.StringIO()
    text.write("[\n")
    comma = ""
    for row in table.rows:
        item = dict(zip(names, map(_written, row), strict=True))
        text.write(comma + json.dumps(item, ensure_ascii=False, allow_nan=False))
        comma = ",\n"
        if text.tell() > PIECE_CHARACTERS:
            yield _taken(text)
    text.write("\n]\n" if comma else "]\n")
    yield _taken(text)


def xlsx_of_table(table: Table) -> Iterator[bytes]:
    rows = ([harmless(_in_a_workbook(cell)) for cell in row] for row in table.rows)
    return workbook(table.name, [column.title for column in table.columns], rows, count=table.count)


def _plain(cell: Any) -> Any:
    """Times as ISO 8601 in UTC; all else as it is."""
    return cell.isoformat().replace("+00:00", "Z") if isinstance(cell, datetime) else cell


def _written(cell: Any) -> Any:
    return cell.text if isinstance(cell, Exact) else _plain(cell)


def _in_a_workbook(cell: Any) -> Any:
    return cell.in_a_workbook if isinstance(cell, Exact) else _plain(cell)


def _taken(text: io.StringIO) -> bytes:
    """What was written since the last time."""
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece
