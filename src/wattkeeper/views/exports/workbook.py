"""An Excel workbook, written to the disk row by row."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import FastExcel

READ_BYTES = 1 << 20
SHEET_ROWS = 1_048_575  # beside the header; the rest goes on in another sheet


def workbook(name: str, titles: Sequence[str], rows: Iterator[Sequence[Any]], *, count: int) -> Iterator[bytes]:
    """A workbook's bytes: `rows`, at most `count`, under `titles`, in as many sheets as it takes from `name` on."""
    lines: Iterator[dict[str, Any]] = (dict(zip(titles, row, strict=True)) for row in rows)
    # The writer knows a sheet's columns from its first row.
    lines = itertools.chain([next(lines, dict.fromkeys(titles))], lines)
    with tempfile.TemporaryDirectory(prefix="wattkeeper-export-") as folder:
        path = Path(folder) / "export.xlsx"
        book = FastExcel(path).format(bold_headers=True).freeze(row=1)
        for number in range(max(math.ceil(count / SHEET_ROWS), 1)):
            book.sheet(name if number == 0 else f"{name} {number + 1}", itertools.islice(lines, SHEET_ROWS))
        book.save()
        yield from file_pieces(path)


def file_pieces(path: Path) -> Iterator[bytes]:
    """What is in the file, by the megabyte."""
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            yield piece
