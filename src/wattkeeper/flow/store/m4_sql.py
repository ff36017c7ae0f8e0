"""M4 in the engine's words: of each bucket of time and each channel its first, last, least and greatest sample.

A line drawn through those four is, to the pixel, the line through all samples, when a bucket is not wider than a
pixel (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014).

The aggregates never see a null: the engine takes three times as long over columns that could hold one. What is
missing comes to them as a time or a value that cannot win.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wattkeeper.base.catalog.channels import Channel, ChannelType
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.file_sql import literals
from wattkeeper.flow.store.schema import table_of

NEVER_LAST = -1  # the time of the last sample where there is none
BUCKETS_MOST = 1 << 16

_NEVER_FIRST = (1 << 63) - 1
_LEAST_INTEGER, _GREATEST_INTEGER = f"toInt64({-_NEVER_FIRST})", f"toInt64({_NEVER_FIRST})"
_GREATEST_HASH = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Buckets:
    """Equal stretches of time from `start` on, in microseconds since 1970; at most BUCKETS_MOST."""

    start: int
    width: int


def m4_sql(stream: Stream, condition: str, channels: Sequence[Channel], *, buckets: Buckets) -> str:
    """Rows by bucket: its number, how many rows it has, then four columns for each channel.

    Of a number: first (value, time), last (value, time), least (time, value), greatest (time, value).
    Of a state: time of the first sample, time of the last, the last value, whether there were several values.
    Where a bucket has no sample of the channel, the last time is NEVER_LAST.
    """
    inner = ["toUnixTimestamp64Micro(ts) AS t"]
    outer = [f"toUInt16(intDiv(t - {buckets.start}, {buckets.width})) AS bucket", "count()"]
    for place, channel in enumerate(channels):
        prepared, aggregates = _prepared(channel, place)
        inner += [f"{sql} AS {name}{place}" for name, sql in prepared.items()]
        outer += [aggregate.replace("#", str(place)) for aggregate in aggregates]
    rows = f"SELECT {', '.join(inner)} FROM {table_of(stream)} FINAL WHERE {condition}"
    return f"SELECT {', '.join(outer)} FROM ({rows}) GROUP BY bucket ORDER BY bucket"


def _prepared(channel: Channel, place: int) -> tuple[Mapping[str, str], Sequence[str]]:
    """What is worked out for each row, by name; and the aggregates over that, in which # stands for the place."""
    if channel.is_numeric:
        return _number(channel)
    return _choice(channel, place) if channel.choices else _text(channel, place)


def _number(channel: Channel) -> tuple[Mapping[str, str], Sequence[str]]:
    column = f"`{channel.name}`"
    least, greatest = ("-inf", "inf") if channel.type is ChannelType.FLOAT else (_LEAST_INTEGER, _GREATEST_INTEGER)
    prepared = {
        "v": f"assumeNotNull({column})",
        **_times(f"isNull({column})"),
        "low": f"ifNull({column}, {greatest})",
        "high": f"ifNull({column}, {least})",
    }
    return prepared, ["argAndMin(v#, first#)", "argAndMax(v#, last#)", "argAndMin(t, low#)", "argAndMax(t, high#)"]


def _choice(channel: Channel, place: int) -> tuple[Mapping[str, str], Sequence[str]]:
    """Numbers from 1 in the place of the texts, 0 for none: the engine finds them once for each text, not row."""
    texts, numbers = f"[{literals(channel.choices)}]", [*range(1, len(channel.choices) + 1)]
    prepared = {
        "code": f"toUInt16(ifNull(transform(`{channel.name}`, {texts}, {numbers}, 0), 0))",
        **_times(f"code{place} = 0"),
        "low": f"toUInt16(code{place} - 1)",  # of none: the greatest that there is
    }
    last = f"{texts}[argMax(code#, last#)]"
    return prepared, ["min(first#)", "max(last#)", last, "min(low#) + 1 != max(code#)"]


def _text(channel: Channel, place: int) -> tuple[Mapping[str, str], Sequence[str]]:
    column = f"`{channel.name}`"
    prepared = {
        "v": f"assumeNotNull({column})",
        **_times(f"isNull({column})"),
        "code": f"cityHash64(v{place})",  # numbers are compared faster than texts
        "low": f"if(isNull({column}), {_GREATEST_HASH}, code{place})",
        "high": f"if(isNull({column}), 0, code{place})",
    }
    return prepared, ["min(first#)", "max(last#)", "argMax(v#, last#)", "min(low#) != max(high#)"]


def _times(missing: str) -> Mapping[str, str]:
    return {"first": f"if({missing}, {_NEVER_FIRST}, t)", "last": f"if({missing}, {NEVER_LAST}, t)"}
