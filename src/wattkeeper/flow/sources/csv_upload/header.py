"""How a file's columns are understood: from its first line, before anything else is read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError

HEAD_BYTES = 1 << 16
SHOWN = 100  # columns, and characters of a column, in an answer that says what is wrong
MISSING_COLUMNS = "CSV header missing required columns."
BOM = b"\xef\xbb\xbf"
_DELIMITERS = (",", ";", "\t")
_MAGIC = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


@dataclass(frozen=True, slots=True)
class Header:
    """The columns by their places from 0; `line` is the header's own line, from 1.

    `text` is that line as it stands in the file, `names` are its fields. `twice`: a column of the stream that
    stands there more than once.
    """

    delimiter: str
    line: int
    bom: bool
    text: str
    names: tuple[str, ...]
    positions: Mapping[str, int]
    ignored: tuple[str, ...]
    twice: str | None

    @property
    def field_count(self) -> int:
        return len(self.names)

    def missing(self, stream: Stream, *, asset_named: bool) -> list[str]:
        """The required columns that are not there."""
        required = [c for c in stream.required_columns if c != stream.asset_field or not asset_named]
        return [name for name in required if name not in self.positions]


def header_of(head: bytes, stream: Stream, *, asset_named: bool) -> Header:
    """The header of a file that begins with `head`. BadRequestError where it is none, or where its rows cannot be read.

    `asset_named`: the upload itself says whose rows these are, so that the file need not.
    """
    header = header_read(head, stream)
    if header.twice:
        raise BadRequestError(stands_twice(header.twice))
    if missing := header.missing(stream, asset_named=asset_named):
        found = [name.lower()[:SHOWN] for name in header.names[:SHOWN]]
        raise BadRequestError(MISSING_COLUMNS, missing_columns=missing, found_columns=found)
    return header


def header_read(head: bytes, stream: Stream) -> Header:
    """The header of a file that begins with `head`, whatever columns it has. BadRequestError where this is no CSV."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise BadRequestError(f"This is not a CSV file but {name}.")
    bom = head.startswith(BOM)
    rest, number, end = head.removeprefix(BOM), 0, b""
    line = b""
    while rest and not line.strip():
        line, end, rest = rest.partition(b"\n")
        number += 1
    if not line.strip():
        raise BadRequestError("The file is empty.")
    if not end and len(head) >= HEAD_BYTES:
        raise BadRequestError(f"This is not a CSV file: its first {HEAD_BYTES >> 10} KiB have no line break.")
    if b"\r" in line.rstrip(b"\r"):
        raise BadRequestError("The lines of this file end in a carriage return alone: save it with LF or CRLF.")
    if b"\0" in line:
        raise BadRequestError("This is not a CSV file: its first line has a NUL byte.")
    try:
        text = line.decode().rstrip("\r")
    except UnicodeDecodeError:
        raise BadRequestError("This is not a CSV file: its first line is not UTF-8 text.") from None
    return _columns(text, stream, number=number, bom=bom)


def stands_twice(column: str) -> str:
    return f"The column {column} stands twice in the header."


def names_in(text: str, delimiter: str) -> list[str]:
    """The columns' names in a header's line, as they stand there."""
    try:
        fields = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        fields = text.split(delimiter)
    return [field.strip() for field in fields]


def _columns(text: str, stream: Stream, *, number: int, bom: bool) -> Header:
    known = set(stream.columns)
    readings = {delimiter: names_in(text, delimiter) for delimiter in _DELIMITERS}
    # The delimiter under which most of our columns appear; among equals, the one that splits most.
    delimiter = max(readings, key=lambda d: (len(known & set(_lower(readings[d]))), len(readings[d])))
    names = readings[delimiter]
    lower = _lower(names)
    return Header(
        delimiter=delimiter,
        line=number,
        bom=bom,
        text=text,
        names=tuple(names),
        positions={name: place for place, name in enumerate(lower) if name in known},
        ignored=tuple(name for name in lower if name not in known and name),
        twice=next((name for name in stream.columns if lower.count(name) > 1), None),
    )


def _lower(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]
