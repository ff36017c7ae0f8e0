"""A line of a delimited file, taken apart the way the engine does it (`flow/store/file_sql.py`).

A line is a row: no quoted field has a line break in it, so that an unbalanced quote costs its own row alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.normalise import normalise, shown
from wattkeeper.flow.readings.reading import Refusal, Row

TRIMMED = " \t\r"
FIELD_SEPARATOR = "\x1f"  # stands for the delimiters outside quotes while a quoted line is split
_QUOTE = '"'


def is_blank(line: bytes) -> bool:
    """A blank line is no row."""
    return not line.strip(TRIMMED.encode())


def fields_of(line: str, delimiter: str) -> list[str]:
    """The fields, without their quotes; of a line whose quotes do not pair, the pieces between the delimiters."""
    pieces = line.split(_QUOTE)
    if len(pieces) == 1 or len(pieces) % 2 == 0:
        return line.split(delimiter)
    last = len(pieces) - 1
    for place in range(0, len(pieces), 2):  # outside quotes
        if not pieces[place] and 0 < place < last:
            pieces[place] = _QUOTE  # nothing between two quoted pieces: a doubled quote
        else:
            pieces[place] = pieces[place].replace(delimiter, FIELD_SEPARATOR)
    return "".join(pieces).split(FIELD_SEPARATOR)


def row_of_line(
    line: bytes,
    stream: Stream,
    *,
    delimiter: str,
    field_count: int,
    positions: Mapping[str, int],
    asset_key: str | None,
    now: datetime,
) -> Row | Refusal:
    """What a file's load would make of a line that is not blank, or the first thing that is wrong with it.

    `positions` are the columns' places from 0. `asset_key`: whose rows these are, where the upload says so.
    The line is no longer than a load reads.
    """
    if reason := _broken(line, delimiter, field_count):
        return Refusal("", "", reason)
    fields = fields_of(line.decode(), delimiter)
    raw = {name: fields[place].strip(TRIMMED) for name, place in positions.items()}
    if asset_key is not None:
        said = raw.get(stream.asset_field, "")
        if said != asset_key and said.lower() not in reasons.NULL_WORDS:
            return Refusal(stream.asset_field, shown(said), reasons.other_asset(asset_key))
        raw[stream.asset_field] = asset_key
    result = normalise(stream, raw, now=now)
    return result if isinstance(result, Row) else result[0]


def _broken(line: bytes, delimiter: str, field_count: int) -> str | None:
    """Why the line is no row at all."""
    if b"\0" in line:
        return reasons.NUL_BYTE
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return reasons.NOT_UTF8
    if text.count(_QUOTE) % 2:
        return reasons.UNBALANCED_QUOTE
    found = len(fields_of(text, delimiter))
    if found == field_count:
        return None
    return reasons.TOO_FEW_FIELDS if found < field_count else reasons.TOO_MANY_FIELDS
