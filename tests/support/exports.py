"""Exported files read back by readers that are not ours."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import openpyxl
import pyarrow.parquet
from openpyxl.worksheet.worksheet import Worksheet

FORMATS = ("csv", "json", "xlsx", "parquet")
Rows = list[dict[str, Any]]


def read(format_: str, content: bytes) -> Rows:
    """The file's rows as the list gives them, but with times as such."""
    return [_typed(row) for row in raw(format_, content)]


def raw(format_: str, content: bytes) -> Rows:
    """The file's rows with the values that the format itself has."""
    if format_ == "csv":
        return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))
    if format_ == "json":
        rows: Rows = json.loads(content)
        return rows
    if format_ == "parquet":
        return list(table(content).to_pylist())
    return [row for sheet in sheets(content) for row in sheet_rows(sheet)]


def columns(format_: str, content: bytes) -> list[str]:
    """The names of the columns; JSON has them in its rows only."""
    if format_ == "parquet":
        return list(table(content).column_names)
    if format_ == "xlsx":
        return [str(cell.value) for cell in sheets(content)[0][1]]
    return content.decode().splitlines()[0].split(",")


def table(content: bytes) -> Any:
    return pyarrow.parquet.read_table(io.BytesIO(content))


def sheets(content: bytes) -> list[Worksheet]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets)


def sheet_rows(sheet: Worksheet) -> Rows:
    header, *lines = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, header), line, strict=True)) for line in lines]


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, value in row.items():
        if value is None or value == "":
            typed[name] = None
        elif name == "timestamp":
            typed[name] = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        else:
            typed[name] = float(value) if name in {"speed", "odometer", "soc", "elevation"} else value
    return typed
