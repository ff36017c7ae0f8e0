"""The readings of one asset as lines to draw: few points, their shape kept, gaps left open."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.m4_sql import BUCKETS_MOST, NEVER, Buckets, m4_sql
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.schema import table_of

POINTS_LEAST, POINTS_MOST = 4, 4 * BUCKETS_MOST
RHYTHM_ROWS = 5_000  # the newest rows, which tell how often an asset usually speaks
GAP_TIMES = 3
GAP_LEAST_SECONDS = 60.0

# When, in microseconds since 1970, and what.
_Sample = tuple[int, Any]


@dataclass(slots=True)
class Line:
    """One channel. `times` are seconds since 1970 in steps of a millisecond, rising; a null value opens a gap.

    `several`, of a thinned text channel: whether the bucket that the point stands for held more than one state.
    """

    channel: Channel
    times: list[float] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    several: list[bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """`rows` lie in the window, the first and the last at those times. Lines stand by the channel's name.

    `gap_seconds` is the distance from which on a line is broken, None where a window has too few rows to tell.
    `bucket_seconds` is None where all rows are given.
    """

    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None
    bucket_seconds: float | None = None
    gap_seconds: float | None = None
    lines: Mapping[str, Line]

    @property
    def thinned(self) -> bool:
        return self.bucket_seconds is not None


def series(
    engine: Engine, stream: Stream, selection: Selection, *, channels: Sequence[str] | None = None, points: int
) -> Series:
    """For a chart of one asset's window: at most `points` points of each of the named channels (None: of all).

    Where the window holds no more than `points` rows, all of them are given; of a text channel the changes, with the
    first sample after a gap and the very last. Otherwise the time between the window's first and last reading is
    cut into `points // 4` buckets, and each gives its first, last, least and greatest sample (M4, see `m4_sql`);
    of a text channel the last state alone. Nulls are no samples: a channel that speaks seldom keeps its line.

    Two neighbouring samples that are more than `gap_seconds` apart get a null between them, on top of the points.
    `gap_seconds` is 3 times the usual distance (see `usual_distance`) of the window's newest 5,000 rows, but at
    least a minute, and at least a bucket: what is narrower than that is no gap to be seen.

    Needs `argAndMin`, which a ClickHouse server has from 25.11 on. ValueError for other than one asset, or for
    `points` outside 4 to 262,144; KeyError for a channel that the stream has not.
    """
    if selection.asset_ids is None or len(selection.asset_ids) != 1:
        raise ValueError("A series is of one asset.")
    if not POINTS_LEAST <= points <= POINTS_MOST:
        raise ValueError(f"points: {points} is not from {POINTS_LEAST} to {POINTS_MOST}")
    chosen = stream.channels if channels is None else [stream.channel(name) for name in dict.fromkeys(channels)]
    with engine.client() as client:
        newest = _newest(client, stream, selection, limit=max(RHYTHM_ROWS, points + 1))
        # Duplicates are among them, so that many rows are not yet a reason to thin.
        if len(newest) > points:
            thinned = _thinned(client, stream, selection, chosen, points=points, newest=newest)
            if thinned.rows > points:
                return thinned
        return _whole(client, stream, selection, chosen)


def usual_distance(times: Sequence[int]) -> int | None:
    """The longest of the distances between neighbours that belongs to a rhythm; None for fewer than three times.

    Things speak in several rhythms: a vehicle every two seconds on the road and every three minutes asleep. A long
    distance is a rhythm when three of five in a row are as long, and an outage when it stands alone. (A quantile
    would not tell: after a day on the road the hours asleep are one row in a hundred.)
    """
    rising = sorted(set(times))
    distances = [later - earlier for earlier, later in itertools.pairwise(rising)]
    if len(distances) < 3:
        return min(distances) if len(distances) == 2 else None
    seen: set[int] = set()
    for place in sorted(range(len(distances)), key=distances.__getitem__, reverse=True):
        seen.add(place)
        near = [other for other in range(place - 4, place + 5) if other in seen]
        if any(third - first <= 4 for first, third in zip(near, near[2:], strict=False)):
            return distances[place]
    return min(distances)


def gap_seconds_of(times: Sequence[int]) -> float | None:
    """The distance from which on a line through readings of these times (in microseconds) is broken."""
    usual = usual_distance(times)
    return None if usual is None else max(GAP_LEAST_SECONDS, GAP_TIMES * usual / 1e6)


def _newest(client: Client, stream: Stream, selection: Selection, *, limit: int) -> Sequence[int]:
    """When the newest rows were taken, the newest first."""
    rows = f"SELECT toUnixTimestamp64Micro(ts) FROM {table_of(stream)} WHERE {selection.sql()}"
    found = client.query(f"{rows} ORDER BY ts DESC LIMIT {limit}").result_columns
    return found[0] if found else ()


def _whole(client: Client, stream: Stream, selection: Selection, channels: Sequence[Channel]) -> Series:
    columns = ", ".join(["toUnixTimestamp64Micro(ts)", *(f"`{channel.name}`" for channel in channels)])
    question = f"SELECT {columns} FROM {table_of(stream)} FINAL WHERE {selection.sql()} ORDER BY ts"
    found = client.query(question).result_columns
    if not found:
        return Series(lines={channel.name: Line(channel) for channel in channels})
    times, *columns_found = found
    gap_seconds = gap_seconds_of(times)
    gap = math.inf if gap_seconds is None else gap_seconds * 1e6
    lines = {}
    for channel, values in zip(channels, columns_found, strict=True):
        samples = [(at, value) for at, value in zip(times, values, strict=True) if value is not None]
        strokes = _each(samples) if channel.is_numeric else _changes(samples, gap)
        lines[channel.name] = _drawn(channel, strokes, gap)
    return Series(
        rows=len(times), first=_moment(times[0]), last=_moment(times[-1]), gap_seconds=gap_seconds, lines=lines
    )


def _thinned(
    client: Client,
    stream: Stream,
    selection: Selection,
    channels: Sequence[Channel],
    *,
    points: int,
    newest: Sequence[int],
) -> Series:
    rows = f"SELECT toUnixTimestamp64Micro(ts) FROM {table_of(stream)} WHERE {selection.sql()}"
    first, last = int(client.query(f"{rows} ORDER BY ts LIMIT 1").result_rows[0][0]), int(newest[0])
    buckets = Buckets(start=first, width=(last - first) // (points // 4) + 1)
    # What is written meanwhile must not lie outside the buckets.
    between = replace(selection, since=_moment(first), until=_moment(last + 1))
    question = m4_sql(stream, between.sql(), channels, buckets=buckets)
    _, counts, *found = client.query(question).result_columns
    bucket_seconds = buckets.width / 1e6
    gap_seconds = max(bucket_seconds, gap_seconds_of(newest[:RHYTHM_ROWS]) or 0.0)
    lines = {}
    for place, channel in enumerate(channels):
        columns = found[place * 4 : place * 4 + 4]
        strokes = _of_numbers(*columns) if channel.is_numeric else _of_states(*columns)
        lines[channel.name] = _drawn(channel, strokes, gap_seconds * 1e6, marks_several=not channel.is_numeric)
    return Series(
        rows=sum(counts),
        first=_moment(first),
        last=_moment(last),
        bucket_seconds=bucket_seconds,
        gap_seconds=gap_seconds,
        lines=lines,
    )


@dataclass(slots=True)
class _Stroke:
    """A stretch of a line from its first to its last sample, within which it is not broken, and what is shown of it."""

    first: int
    last: int
    shown: Sequence[_Sample]
    several: bool = False


def _each(samples: Sequence[_Sample]) -> Iterator[_Stroke]:
    return (_Stroke(sample[0], sample[0], (sample,)) for sample in samples)


def _changes(samples: Sequence[_Sample], gap: float) -> Iterator[_Stroke]:
    """How long a state stays what it is. Its last sample is shown where none comes after it, or not for long."""
    start: _Sample | None = None
    for sample, following in itertools.zip_longest(samples, samples[1:]):
        start = start or sample
        is_end = following is None or following[0] - sample[0] > gap
        if is_end or (following is not None and following[1] != sample[1]):
            yield _Stroke(start[0], sample[0], (start, sample) if is_end and start is not sample else (start,))
            start = None


def _of_numbers(*columns: Sequence[tuple[Any, Any]]) -> Iterator[_Stroke]:
    for (first_value, first), (last_value, last), least, greatest in zip(*columns, strict=True):
        if last != NEVER:
            shown = {first: first_value, least[0]: least[1], greatest[0]: greatest[1], last: last_value}
            yield _Stroke(first, last, sorted(shown.items()))


def _of_states(*columns: Sequence[Any]) -> Iterator[_Stroke]:
    for first, last, value, several in zip(*columns, strict=True):
        if last != NEVER:
            # A state that fills its bucket is there from its first sample on.
            yield _Stroke(first, last, ((last if several else first, value),), bool(several))


def _drawn(channel: Channel, strokes: Iterable[_Stroke], gap: float, *, marks_several: bool = False) -> Line:
    line = Line(channel, several=[] if marks_several else None)
    before: int | None = None
    for stroke in strokes:
        shown = stroke.shown
        if before is not None and stroke.first - before > gap:
            shown = [((before + stroke.first) // 2, None), *shown]
        for at, value in shown:
            line.times.append(at // 1_000 / 1_000)
            line.values.append(value)
        if line.several is not None:
            line.several += [stroke.several and value is not None for _, value in shown]
        before = stroke.last
    return line


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
