"""The refused rows of a file as a file of its kind: to be mended and sent again.

In front of each row stand its number and why it was refused, in two columns that a load ignores.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from wattkeeper.base.core.formulas import harmless_text
from wattkeeper.flow.readings.lines import TRIMMED, fields_of
from wattkeeper.flow.sources.csv_upload.header import names_in

COLUMNS = ("refused_row", "refused_because")


def mend_file(header: str, delimiter: str, blocks: Iterable[Sequence[Sequence[Any]]]) -> Iterator[bytes]:
    """The file in pieces. `blocks` of refused rows: row, column, value, reason, the line as it came.

    Fields are those that the load saw, too few or too many as they may be: none is added, which would let in a line
    that was cut. What can be put right without a person, a stray quote or a NUL, is.
    """
    names = names_in(header, delimiter)
    # A file that was mended before has the columns already, and its rows have had other numbers.
    skipped = len(COLUMNS) if tuple(name.lower() for name in names[: len(COLUMNS)]) == COLUMNS else 0
    yield _written([[*COLUMNS, *map(harmless_text, names[skipped:])]], delimiter)
    for block in blocks:
        rows = []
        for number, column, _, reason, line in block:
            because = f"{column}: {reason}" if column else reason
            rows.append([number, because, *_cells(line, delimiter)[skipped:]])
        yield _written(rows, delimiter)


def _cells(line: str, delimiter: str) -> list[str]:
    # Trimmed as the load does it, since a tab, too, begins what a spreadsheet may run. A NUL would not be seen.
    fields = fields_of(line.replace("\0", "\ufffd"), delimiter)
    return [harmless_text(field.strip(TRIMMED)) for field in fields]


def _written(rows: Iterable[Sequence[object]], delimiter: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()
