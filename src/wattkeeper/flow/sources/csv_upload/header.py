"""How a file's columns are understood: from its first line, before anything else is read."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError

HEAD_BYTES = 1 << 16
MISSING_COLUMNS = "CSV header missing required columns."
_BOM = b"\xef\xbb\xbf"
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
    """The columns by their places from 0; `line` is the header's own line, from 1."""

    delimiter: str
    line: int
    bom: bool
    field_count: int
    positions: Mapping[str, int]
    ignored: tuple[str, ...]


def header_of(head: bytes, stream: Stream, *, asset_named: bool) -> Header:
    """The header of a file that begins with `head`. BadRequestError where it is none.

    `asset_named`: the upload itself says whose rows these are, so that the file need not.
    """
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise BadRequestError(f"This is not a CSV file but {name}.")
    bom = head.startswith(_BOM)
    rest, number, end = head.removeprefix(_BOM), 0, b""
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
    return _columns(text, stream, number=number, bom=bom, asset_named=asset_named)


def _columns(text: str, stream: Stream, *, number: int, bom: bool, asset_named: bool) -> Header:
    known = set(stream.columns)
    readings = {delimiter: _names(text, delimiter) for delimiter in _DELIMITERS}
    # The delimiter under which most of our columns appear; among equals, the one that splits most.
    delimiter = max(readings, key=lambda d: (len(known & set(readings[d])), len(readings[d])))
    names = readings[delimiter]
    if double := next((name for name in known if names.count(name) > 1), None):
        raise BadRequestError(f"The column {double} stands twice in the header.")
    required = [c for c in stream.required_columns if c != stream.asset_field or not asset_named]
    if missing := [name for name in required if name not in names]:
        raise BadRequestError(MISSING_COLUMNS, missing_columns=missing, found_columns=[n[:100] for n in names[:100]])
    return Header(
        delimiter=delimiter,
        line=number,
        bom=bom,
        field_count=len(names),
        positions={name: place for place, name in enumerate(names) if name in known},
        ignored=tuple(name for name in names if name not in known and name),
    )


def _names(text: str, delimiter: str) -> list[str]:
    try:
        fields = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        fields = text.split(delimiter)
    return [field.strip().lower() for field in fields]
