"""The latest reading of each asset in a window, and of which months there are readings: what reports are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import literal, sql_time
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.schema import columns_of, key_columns_of, table_of

ASSETS_A_QUESTION = 5_000  # each has up to 21 characters in a question's text, of which the engine takes 256 kB
# In the query's text, as `export.py` says why. What is told apart here may be most of a kilobyte a row.
_SETTINGS = "SETTINGS max_block_size = 8192"


@dataclass(frozen=True, slots=True)
class LatestRow:
    """`values` are in the order in which they were asked for."""

    asset_id: int
    at: datetime
    flags: Sequence[str]
    values: Sequence[Any]


def latest_rows(engine: Engine, stream: Stream, selection: Selection, names: Sequence[str]) -> Iterator[LatestRow]:
    """Of each asset the latest reading meant, by the asset's id, with the columns `names`. It holds a block of them.

    The latest is by its time, and of one time the one that came last. Nothing is merged for it: of a reading that is
    in the table twice either row says the same, and the one with more flags is taken. ValueError for a column that
    the stream has not.
    """
    if unknown := set(names) - columns_of(stream).keys():
        raise ValueError(f"{stream.name} has no {', '.join(sorted(unknown))}")
    table = table_of(stream)
    # Of what was received at one moment the one that arrived last: its version is the lowest.
    came = (f"{stream.repeats.received_at} DESC", "version ASC") if stream.repeats else ("version DESC",)
    order = ", ".join(("ts DESC", *came, "length(flags) DESC"))
    for some in _portions(selection):
        # The first question reads times alone; of the other columns, which are most of a row, only what it has found.
        newest = f"SELECT tenant_id, asset_id, max(ts) FROM {table} WHERE {some.sql()} GROUP BY tenant_id, asset_id"
        sql = (
            f"SELECT {', '.join(('asset_id', 'ts', 'flags', *(f'`{name}`' for name in names)))} FROM {table} "
            f"WHERE {some.sql()} AND (tenant_id, asset_id, ts) IN ({newest}) "
            f"ORDER BY asset_id, {order} LIMIT 1 BY asset_id {_SETTINGS}"
        )
        with engine.client() as client, client.query_row_block_stream(sql) as blocks:
            for block in blocks:
                for asset_id, at, flags, *values in block:
                    yield LatestRow(asset_id, at, flags, values)


@dataclass(frozen=True, slots=True)
class MonthCount:
    """Of how many assets there are readings of a month, and how many of them came after a moment that was named."""

    assets: int
    late: int


def months_spoken(
    engine: Engine, stream: Stream, selection: Selection, *, zone: str, closed: Mapping[date, datetime]
) -> dict[date, MonthCount]:
    """The months, by their first day in the IANA `zone`, of which there are readings.

    `closed`: of months the moment from which on what is received for them is late. Only for a stream that says when
    its readings were received.
    """
    assert stream.repeats is not None
    key, received = ", ".join(key_columns_of(stream)[1:]), stream.repeats.received_at
    month = f"toStartOfMonth(toTimeZone(ts, {literal(zone)}))"
    cases = [f"month = {literal(day.isoformat())}, {received} > {sql_time(at)}" for day, at in closed.items()]
    late = f"uniqExactIf(({key}), multiIf({', '.join(cases)}, false))" if cases else "0"
    found: dict[date, MonthCount] = {}
    for some in _portions(selection):
        with engine.client() as client:
            rows = client.query(
                f"SELECT {month} AS month, uniqExact(asset_id), {late} FROM {table_of(stream)} "
                f"WHERE {some.sql()} GROUP BY month"
            ).result_rows
        for day, assets, count in rows:
            before = found.get(day, MonthCount(0, 0))
            found[day] = MonthCount(before.assets + assets, before.late + count)
    return found


def spoken(engine: Engine, stream: Stream, selection: Selection) -> set[int]:
    """The assets of which there is any reading meant."""
    found: set[int] = set()
    for some in _portions(selection):
        with engine.client() as client:
            rows = client.query(f"SELECT DISTINCT asset_id FROM {table_of(stream)} WHERE {some.sql()}").result_rows
        found.update(asset_id for (asset_id,) in rows)
    return found


def _portions(selection: Selection) -> Iterator[Selection]:
    """The same, of so many assets at a time as a question's text can hold."""
    if selection.asset_ids is None:
        yield selection
        return
    ids = sorted(selection.asset_ids)  # as the table is ordered: each portion is a piece of it
    for start in range(0, len(ids), ASSETS_A_QUESTION):
        yield replace(selection, asset_ids=ids[start : start + ASSETS_A_QUESTION])
