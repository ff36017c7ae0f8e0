"""What a partial reading leaves out stays as it was: filled in from what is known, and flagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from wattkeeper.base.catalog.streams import Stream, carried_flag
from wattkeeper.flow.readings.reading import Reading, Value


class Known(Protocol):
    """What is known last of an asset."""

    @property
    def at(self) -> datetime | None: ...

    @property
    def values(self) -> Mapping[str, Value]: ...


def is_partial(stream: Stream, reading: Reading) -> bool:
    values = reading.row.values
    return any(values.get(channel.name) is None for channel in stream.channels)


def carried_forward(stream: Stream, readings: Sequence[Reading], known: Mapping[int, Known]) -> list[Reading]:
    """The readings, each with what it leaves out as it was before; `known` is by asset id.

    A late one stays as it is: what is known now was not known then.
    """
    states = {asset_id: (state.at, dict(state.values)) for asset_id, state in known.items()}
    filled = []
    for reading in readings:
        at, values = states.get(reading.asset_id, (None, {}))
        if at is None or reading.row.at > at:
            reading = _filled(stream, reading, values)
            states[reading.asset_id] = (reading.row.at, {**values, **reading.row.values})
        filled.append(reading)
    return filled


def measured(stream: Stream, values: Mapping[str, Value], flags: Sequence[str]) -> Mapping[str, Value]:
    """The values without those that were carried forward."""
    if not flags or not stream.carries_forward:
        return values
    carried = {channel.name for channel in stream.channels if carried_flag(channel) in flags}
    return {name: value for name, value in values.items() if name not in carried} if carried else values


def _filled(stream: Stream, reading: Reading, values: Mapping[str, Value]) -> Reading:
    row = reading.row
    carried = [
        channel
        for channel in stream.channels
        if row.values.get(channel.name) is None and values.get(channel.name) is not None
    ]
    if not carried:
        return reading
    complete = {**row.values, **{channel.name: values[channel.name] for channel in carried}}
    flags = (*row.flags, *(carried_flag(channel) for channel in carried))
    return replace(reading, row=replace(row, values=complete, flags=flags))
