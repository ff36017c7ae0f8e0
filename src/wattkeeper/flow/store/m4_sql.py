"""M4 in the engine's words: of each bucket of time and each channel its first, last, least and greatest sample.

A line drawn through those four is, to the pixel, the line through all samples, when a bucket is not wider than a
pixel (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014).

The aggregates never see a null, only whether a value is there: over columns that could hold a null the engine takes
twice as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.file_sql import literals
from wattkeeper.flow.store.schema import table_of

NEVER = 0  # the time of a sample that is not there; no reading is as old
BUCKETS_MOST = 1 << 16

_NUMBER = (
    "argAndMinIf(v#, t, is#)",
    "argAndMaxIf(v#, t, is#)",
    "argAndMinIf(t, v#, is#)",
    "argAndMaxIf(t, v#, is#)",
)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Equal stretches of time from `start` on, in microseconds since 1970; at most BUCKETS_MOST."""

    start: int
    width: int


def m4_sql(stream: Stream, condition: str, channels: Sequence[Channel], *, buckets: Buckets) -> str:
    """Rows by bucket: its number, how many rows it has, then four columns for each channel.

    Of a number: first (value, time), last (value, time), least (time, value), greatest (time, value).
    Of a state: time of the first sample, time of the last, the last value, whether there were several values.
    Where a bucket has no sample of the channel, these times are NEVER.
    """
    inner = ["toUnixTimestamp64Micro(ts) AS t"]
    outer = [f"toUInt16(intDiv(t - {buckets.start}, {buckets.width})) AS bucket", "count()"]
    for place, channel in enumerate(channels):
        prepared, aggregates = _number(channel) if channel.is_numeric else _state(channel)
        inner += [f"{sql} AS {name}{place}" for name, sql in prepared.items()]
        outer += [aggregate.replace("#", str(place)) for aggregate in aggregates]
    rows = f"SELECT {', '.join(inner)} FROM {table_of(stream)} FINAL WHERE {condition}"
    return f"SELECT {', '.join(outer)} FROM ({rows}) GROUP BY bucket ORDER BY bucket"


def _number(channel: Channel) -> tuple[Mapping[str, str], Sequence[str]]:
    """What is worked out for each row, by name; and the aggregates over that, in which # stands for the place."""
    return {"v": f"assumeNotNull(`{channel.name}`)", "is": f"isNotNull(`{channel.name}`)"}, _NUMBER


def _state(channel: Channel) -> tuple[Mapping[str, str], Sequence[str]]:
    column, last = f"`{channel.name}`", "argMaxIf(v#, t, is#)"
    if channel.choices:
        # Numbers from 1 in the place of the texts: the engine finds them once for each text, not for each row.
        texts, numbers = f"[{literals(channel.choices)}]", [*range(1, len(channel.choices) + 1)]
        code = f"toUInt16(ifNull(transform({column}, {texts}, {numbers}, 0), 0))"
        prepared, last = {"v": code, "is": f"{code} != 0"}, f"{texts}[{last}]"
        several = "minIf(v#, is#) != max(v#)"
    else:
        prepared = {"v": f"assumeNotNull({column})", "is": f"isNotNull({column})"}
        several = "minIf(cityHash64(v#), is#) != maxIf(cityHash64(v#), is#)"  # numbers are compared faster than texts
    return prepared, ["minIf(t, is#)", "maxIf(t, is#)", last, several]
