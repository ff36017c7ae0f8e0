"""How a file would be understood, said before it is sent: from its first bytes, by the rules of the load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from wattkeeper.base.assets.queries import ids_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import UnknownAsset
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.lines import fields_of, is_blank, row_of_line
from wattkeeper.flow.readings.normalise import shown
from wattkeeper.flow.readings.reading import Refusal, Value
from wattkeeper.flow.sources.csv_upload.header import (
    BOM,
    HEAD_BYTES,
    MISSING_COLUMNS,
    Header,
    header_read,
    stands_twice,
)

PREVIEW_BYTES = 256 << 10
PREVIEW_ROWS = 20
COLUMNS_SHOWN = 1_000  # of the header and of a row, each


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column of the file; `channel` None: it is ignored, and the rest is empty."""

    name: str
    channel: str | None
    label: str = ""
    unit: str = ""
    type: str | None = None  # float, integer, text or timestamp
    required: bool = False


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row of the file by its number in it; `cells` as they came, `values` as they were understood.

    `flags` are those that the row shows by itself: a load compares it with its neighbours, too.
    """

    number: int
    cells: Sequence[str]
    values: Mapping[str, Value | datetime]
    flags: Sequence[str] = ()
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """`problem`: why the file as a whole could not be loaded; its rows are then shown and not judged."""

    delimiter: str
    header_line: int
    columns: Sequence[PreviewColumn]
    missing_columns: Sequence[str]
    ignored_columns: Sequence[str]
    problem: str | None
    rows: Sequence[PreviewRow]

    @property
    def loadable(self) -> bool:
        return self.problem is None


def preview_of(head: bytes, stream: Stream, *, tenant_id: int, asset_key: str, complete: bool) -> Preview:
    """What a load would make of a file that begins with `head`. BadRequestError where it is no CSV file.

    `asset_key`: whose rows these are; empty where the file says so itself. `complete`: `head` is all of the file;
    of a longer one the last line, which may be cut, is not looked at.
    """
    whole = head if complete else head[: head.rfind(b"\n") + 1]
    if not complete and len(head) < HEAD_BYTES and not whole.removeprefix(BOM).strip():
        raise BadRequestError("This is less than the file's first line: send more of it.", field="head")
    header = header_read(head[:HEAD_BYTES] if len(head) >= HEAD_BYTES else whole, stream)
    missing = header.missing(stream, asset_named=bool(asset_key))
    problem = None
    if header.twice:
        problem = stands_twice(header.twice)
    elif missing:
        problem = f"{MISSING_COLUMNS[:-1]}: {', '.join(missing)}."
    lines = _first_rows(whole, header)
    if problem:
        rows = [PreviewRow(number, _cells(line, header), {}) for number, line in lines]
    else:
        rows = [_judged(number, line, header, stream, asset_key, now()) for number, line in lines]
        rows = _known_assets_only(rows, stream, tenant_id)
    return Preview(
        delimiter=header.delimiter,
        header_line=header.line,
        columns=_columns(header, stream, asset_named=bool(asset_key)),
        missing_columns=missing,
        ignored_columns=header.ignored[:COLUMNS_SHOWN],
        problem=problem,
        rows=rows,
    )


def _first_rows(whole: bytes, header: Header) -> list[tuple[int, bytes]]:
    """The first lines that are rows, each with its number in the file."""
    lines = whole.split(b"\n")  # without the byte order mark no line changes but the header's or a blank one
    numbered = enumerate(lines[header.line :], start=header.line + 1)
    return list(islice((one for one in numbered if not is_blank(one[1])), PREVIEW_ROWS))


def _judged(number: int, line: bytes, header: Header, stream: Stream, asset_key: str, moment: datetime) -> PreviewRow:
    result = row_of_line(
        line,
        stream,
        delimiter=header.delimiter,
        field_count=header.field_count,
        positions=header.positions,
        asset_key=asset_key or None,
        now=moment,
    )
    cells = _cells(line, header)
    if isinstance(result, Refusal):
        return PreviewRow(number, cells, {}, refused=replace(result, row=number))
    values = {stream.asset_field: result.asset_key, stream.time_field: result.at, **result.values}
    return PreviewRow(number, cells, values, result.flags)


def _cells(line: bytes, header: Header) -> list[str]:
    text = line.decode(errors="replace").removesuffix("\r")
    return fields_of(text, header.delimiter)[:COLUMNS_SHOWN]


def _known_assets_only(rows: list[PreviewRow], stream: Stream, tenant_id: int) -> list[PreviewRow]:
    """Where an unknown asset does not appear by itself, its rows are refused."""
    if registry.kind(stream.kind).unknown_asset is UnknownAsset.REGISTER:
        return rows
    keys = {row.number: str(row.values[stream.asset_field]) for row in rows if row.refused is None}
    known = ids_of(tenant_id=tenant_id, kind=stream.kind, keys=list(set(keys.values())), in_use=True)
    return [
        PreviewRow(row.number, row.cells, {}, refused=_unknown(stream, keys[row.number], row.number))
        if row.refused is None and keys[row.number] not in known
        else row
        for row in rows
    ]


def _unknown(stream: Stream, key: str, number: int) -> Refusal:
    return Refusal(stream.asset_field, shown(key), reasons.UNKNOWN_ASSET, number)


def _columns(header: Header, stream: Stream, *, asset_named: bool) -> list[PreviewColumn]:
    by_place = {place: name for name, place in header.positions.items()}
    return [
        _column(name, by_place.get(place), stream, asset_named=asset_named)
        for place, name in enumerate(header.names[:COLUMNS_SHOWN])
    ]


def _column(name: str, known: str | None, stream: Stream, *, asset_named: bool) -> PreviewColumn:
    if known is None:
        return PreviewColumn(name, None)
    if known == stream.asset_field:
        label = registry.kind(stream.kind).label
        return PreviewColumn(name, known, label=label, type="text", required=not asset_named)
    if known == stream.time_field:
        return PreviewColumn(name, known, label="Time", type="timestamp", required=True)
    channel = stream.channel(known)
    return PreviewColumn(name, known, channel.label, channel.unit.value, channel.type.value, channel.required)
