"""A month's report as a table, in words or in codes: the columns of every variant of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.zones import SiteZones
from wattkeeper.kinds.meter.codes import manufacturers, media
from wattkeeper.kinds.meter.report.lines import ERROR, MEASUREMENT, MeterLine, PairLine
from wattkeeper.views.exports.tables import Column, Exact, Table

COLUMNS = (
    "Date",
    "Device ID",
    "Device Manufacturer",
    "Device Type",
    "Device Version",
    "Measurement Dimension",
    "Newest Value",
    "Due Date Value",
    "Due Date",
    "Status",
)
MISSING_COLUMNS = (
    *COLUMNS[1:5],
    "Name",
    "Site",
    "Last Seen",
)
_NOTHING = PairLine("", 0, 0, "", "", "", "", "")


def report_table(lines: Sequence[MeterLine], *, raw: bool, all_pairs: bool) -> Table:
    """One row a meter, with its main measurement, or one for each of its pairs; one that measures nothing has one."""
    count = sum(max(len(line.pairs), 1) for line in lines) if all_pairs else len(lines)
    return Table(
        name="Report",
        columns=[Column(title, title) for title in COLUMNS],
        rows=_rows(lines, raw=raw, all_pairs=all_pairs),
        count=count,
    )


def missing_table(missing: Sequence[Asset], zones: SiteZones) -> Table:
    """One row for each meter without a message, when it was heard of last in its site's time."""
    return Table(
        name="Missing",
        columns=[Column(title, title) for title in MISSING_COLUMNS],
        rows=(_missing(asset, zones) for asset in missing),
        count=len(missing),
    )


def _missing(asset: Asset, zones: SiteZones) -> Sequence[Any]:
    who, seen = asset.meter, asset.last_seen
    return (
        who.identnr,
        manufacturers.words_of(who.manufacturer),
        media.words_of(who.device_type),
        who.version,
        asset.name,
        asset.site,
        f"{seen.astimezone(zones.of(asset.site)):%Y-%m-%d %H:%M:%S}" if seen else "",
    )


def pairs_shown(line: MeterLine, *, all_pairs: bool) -> Sequence[PairLine]:
    """All of a meter's pairs, or its main one; never nothing, for a meter that has spoken is in the report."""
    return (line.pairs if all_pairs else [line.main_pair or _NOTHING]) or [_NOTHING]


def dimension_words(pair: PairLine, *, all_pairs: bool) -> str:
    """The title; among several pairs also what tells two of one title apart."""
    apart = (("tariff", pair.tariff), ("subunit", pair.subunit)) if all_pairs else ()
    return ", ".join([pair.title, *(f"{word} {number}" for word, number in apart if number)])


def _rows(lines: Sequence[MeterLine], *, raw: bool, all_pairs: bool) -> Iterator[Sequence[Any]]:
    for line in lines:
        for pair in pairs_shown(line, all_pairs=all_pairs):
            yield _in_codes(line, pair) if raw else _in_words(line, pair, dimension_words(pair, all_pairs=all_pairs))


def _in_words(line: MeterLine, pair: PairLine, dimension: str) -> Sequence[Any]:
    return (
        line.date,
        line.identnr,
        line.manufacturer_words,
        line.type_words,
        line.version,
        dimension,
        _number(pair.newest_scaled),
        _number(pair.due_scaled),
        line.due_date or None,
        line.status_and_flags,
    )


def _in_codes(line: MeterLine, pair: PairLine) -> Sequence[Any]:
    return (
        line.date,
        line.identnr,
        line.manufacturer,
        line.device_type,
        line.version,
        pair.dimension,
        _number(pair.newest),
        _number(pair.due),
        line.due_date or None,
        ERROR if line.is_error else MEASUREMENT,
    )


def _number(text: str) -> Exact | None:
    return Exact(text) if text else None
