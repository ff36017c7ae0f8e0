"""Counters by the local day: what a channel that only rises has risen, with its falls understood.

A counter that falls has begun anew at 0, or has run over at a power of ten. One that falls by little has done neither:
water flows back, and an old value comes late. Until it is above where it was, it stands. A single value below both
of its neighbours, of which the second is no lower than the first, is a fault of transmission, and no sample; so is one
far above them where they are close together. Of what a thing sends while it says itself that it is in error, what
lies below the last sound value is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import literal
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.schema import table_of

STANDS = 0.9  # of the value before: what has fallen to less has begun anew
WRAPS_LEAST = 10_000  # no counter has fewer digits before it runs over


@dataclass(frozen=True, slots=True)
class CounterDay:
    """One asset's samples of one local day that has some. Times are UTC, values in the channel's unit.

    `risen`: from the first sample to the last; of a fall, what has come since (see `rise`). `falls`: how many there
    were between them. A fall since the day before is neither in `risen` nor in `falls`: `rise(before.last, first)`.
    """

    asset_id: int
    day: date
    first_at: datetime
    first: float
    last_at: datetime
    last: float
    risen: float
    falls: int


def rise(before: float, after: float) -> tuple[float, bool]:
    """What has been counted from one value to the next, never less than 0, and whether the counter fell.

    Of a fall that is all of the new value; or, from the last tenth below a power of ten into the first one, the
    distance over it.
    """
    if after >= before * STANDS or after >= before:
        return max(after - before, 0.0), False
    if before >= WRAPS_LEAST * STANDS:
        over = 10.0 ** (math.floor(math.log10(before)) + 1)
        if before >= STANDS * over and 0 <= after < over / 10:
            return over - before + after, True
    return max(after, 0.0), True


def counter_days(
    engine: Engine, stream: Stream, selection: Selection, channel: str, *, zone: ZoneInfo, doubt: str = ""
) -> list[CounterDay]:
    """The days of the samples meant, in the order of asset and day. A row without a value is no sample.

    `doubt`: the channel that is not 0 where a value may be none; empty where nothing tells of it.

    KeyError for a channel that the stream has not; ValueError for one that is no number.
    """
    if not stream.channel(channel).is_numeric:
        raise ValueError(f"{channel} is no number")
    if selection.is_empty:
        return []
    with engine.client() as client:
        rows = client.query(_days_sql(stream, selection, channel, zone, doubt)).result_rows
    return [CounterDay(*row) for row in rows]


def neighboured(engine: Engine, stream: Stream, selection: Selection, channel: str, *, doubt: str = "") -> Selection:
    """The selection, widened to the assets' nearest samples before and after it, where there are any.

    `doubt`: as for `counter_days`; to the nearest that are beyond it, too.
    """
    since, until = selection.since, selection.until
    if selection.is_empty:
        return selection
    with engine.client() as client:

        def nearest(which: str, side: Selection) -> Iterator[datetime]:
            question = (
                f"SELECT {which}(ts), {which}OrNullIf(ts, NOT {_doubted(stream, doubt)}) "
                f"FROM {table_of(stream)} WHERE {side.sql()} "
                f"AND `{stream.channel(channel).name}` IS NOT NULL GROUP BY asset_id"
            )
            return (at for row in client.query(question).result_rows for at in row if at is not None)

        if since is not None:
            since = min(nearest("max", replace(selection, since=None, until=since)), default=since)
        if until is not None:
            last = max(nearest("min", replace(selection, since=until, until=None)), default=None)
            until = last + timedelta(microseconds=1) if last else until
    return replace(selection, since=since, until=until)


def _doubted(stream: Stream, doubt: str) -> str:
    return f"(ifNull(`{stream.channel(doubt).name}`, 0) != 0)" if doubt else "false"


def _days_sql(stream: Stream, selection: Selection, channel: str, zone: ZoneInfo, doubt: str) -> str:
    """Innermost first: the samples; those that may be believed; beside each the one before and the one after, which
    tell the faults of transmission; the new beginnings numbered; the highest since then.

    Then a row for each day, with the steps from its first sample on.
    """
    order = ", ".join(["t", *((stream.repeats.received_at, "arrival") if stream.repeats else ())])
    by_time = f"PARTITION BY asset_id ORDER BY {order}"
    before = f"OVER ({by_time} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    until_now = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    ties = f", {stream.repeats.received_at}, -toInt64(version) AS arrival" if stream.repeats else ""
    around = f"OVER ({by_time} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)"
    samples = (
        f"SELECT asset_id, ts AS t{ties}, toDate(toTimeZone(ts, {literal(zone.key)})) AS day, "
        f"toFloat64(assumeNotNull(`{channel}`)) AS v, {_doubted(stream, doubt)} AS doubted "
        f"FROM {table_of(stream)} FINAL WHERE {selection.sql()} AND `{channel}` IS NOT NULL"
    )
    if doubt:
        since = f"OVER ({by_time} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"
        beyond_it = "if(doubted, NULL, v)"
        near = f"coalesce(anyLast({beyond_it}) OVER ({by_time} {until_now}), any({beyond_it}) {since}, v)"
        placed = f"SELECT *, {near} AS near FROM ({samples})"
        samples = f"SELECT * EXCEPT near FROM ({placed}) WHERE NOT (doubted AND v < near * {STANDS} AND v < near)"
    beside = f"SELECT *, lagInFrame(v, 1, v) {around} AS l, leadInFrame(v, 1, v) {around} AS r FROM ({samples})"
    is_dip = f"v < l * {STANDS} AND v < r AND r >= l"
    is_spike = f"l > 0 AND r >= l AND l >= r * {STANDS} AND r < v * {STANDS}"
    sound = f"SELECT * FROM ({beside}) WHERE NOT ({is_dip}) AND NOT ({is_spike})"
    compared = (
        f"SELECT *, lagInFrame(v, 1, v) {before} AS ahead, v < ahead * {STANDS} AND v < ahead AS fell FROM ({sound})"
    )
    runs = f"SELECT *, sum(fell) OVER ({by_time} {until_now}) AS run FROM ({compared})"
    highest = f"SELECT *, max(v) OVER (PARTITION BY asset_id, run ORDER BY {order} {until_now}) AS high FROM ({runs})"
    stepped = (
        f"SELECT *, lagInFrame(high, 1, high) {before} AS was, lagInFrame(day, 1, toDate(0)) {before} = day AS inside, "
        f"row_number() OVER ({by_time} {until_now}) AS number FROM ({highest})"
    )
    over = "pow(10, floor(log10(was)) + 1)"
    wraps = f"was >= {WRAPS_LEAST * STANDS} AND was >= {STANDS} * {over} AND v >= 0 AND v < {over} / 10"
    step = f"multiIf(NOT fell, greatest(high - was, 0), {wraps}, {over} - was + v, greatest(v, 0))"
    return (
        "SELECT asset_id, day, min(t), argMin(high, number), max(t), argMax(high, number), "
        f"sumIf({step}, inside), toInt64(countIf(fell AND inside)) "
        f"FROM ({stepped}) GROUP BY asset_id, day ORDER BY asset_id, day"
    )
