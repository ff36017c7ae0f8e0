"""A stream is a table of readings: asset + timestamp + channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from wattkeeper.base.catalog.channels import Channel

CLOCK_AHEAD = "clock_ahead"  # the flag of a reading whose time is yet to come: it is kept, and is never the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class MovesWhile:
    """Flags a row in which `channel` is above `above` while the text channel `state` is `equals`."""

    flag: str
    channel: str
    above: float
    state: str
    equals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Falls:
    """Flags a row in which `channel` is more than `by` below the asset's preceding row."""

    flag: str
    channel: str
    by: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesFast:
    """Flags a row in which `channel` moved more than `per_minute` a minute since the preceding row.

    Two rows less than a minute apart are compared as if a minute lay between them, so that a step of one
    digit between two quick samples is not a rate.
    """

    flag: str
    channel: str
    per_minute: float


RowCheck = MovesWhile
NeighbourCheck = Falls | ChangesFast


class BesideType(StrEnum):
    """What lies in a column beside the channels."""

    TEXT = "text"
    NAME = "name"  # a text of which there are few
    NAMES = "names"  # some of them, in a list
    INTEGER = "integer"
    MOMENT = "moment"  # aware, in UTC
    DIGEST = "digest"  # 64 bits, never absent


@dataclass(frozen=True, slots=True)
class Beside:
    """What is kept of a reading beside its channels: neither judged nor drawn nor exported by itself."""

    name: str
    type: BesideType


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """How a stream knows a reading that comes again: by what it says, and not by its time alone.

    `digest`: the column beside the channels that holds the digest of what was said; it is part of the key, so that
    several readings of one time stay. `own_time`: the column with the time that the sender gave it; where that is
    absent, the same content is the same reading for `within_seconds` after it came (`received_at`: the column).
    """

    digest: str
    own_time: str
    received_at: str
    within_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One declaration, from which come the store's table, the validation at each door, the CSV columns, the
    API's fields with their documentation, the exports' columns and the rules' vocabulary.

    `asset_field` and `time_field` are the outside names of the asset's key and of the timestamp.
    `carries_forward`: what a single reading leaves out stays as it was; it is filled in from the current state and
    flagged, unless the reading is late.
    `beside`: what is kept of a reading beside its channels. `repeats`: where it may come again with another time, or
    another with the same. `own_flags`: what else a door may flag. `takes_files`: whether there are files of it.
    """

    name: str
    label: str
    asset_field: str
    channels: tuple[Channel, ...]
    time_field: str = "timestamp"
    asset_key_max_length: int = 100
    row_checks: tuple[RowCheck, ...] = ()
    neighbour_checks: tuple[NeighbourCheck, ...] = ()
    carries_forward: bool = False
    beside: tuple[Beside, ...] = ()
    repeats: Repeats | None = None
    own_flags: tuple[str, ...] = ()
    takes_files: bool = True
    _by_name: dict[str, Channel] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({c.name: c for c in self.channels})
        if len(self._by_name) != len(self.channels):
            raise ValueError(f"{self.name}: a channel is declared twice")
        for check in (*self.row_checks, *self.neighbour_checks):
            if check.channel not in self._by_name:
                raise ValueError(f"{self.name}: {check.flag} names the unknown channel {check.channel}")
        if self.repeats:
            kept = {one.name for one in self.beside}
            if missing := {self.repeats.digest, self.repeats.own_time, self.repeats.received_at} - kept:
                raise ValueError(f"{self.name}: {sorted(missing)} are not kept beside the channels")

    @property
    def kind(self) -> str:
        """The kind's name: `vehicle` of `vehicle.telemetry`."""
        return self.name.partition(".")[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The outside names in their order: asset, timestamp, channels."""
        return (self.asset_field, self.time_field, *self._by_name)

    @property
    def required_columns(self) -> tuple[str, ...]:
        return (self.asset_field, self.time_field, *(c.name for c in self.channels if c.required))

    def channel(self, name: str) -> Channel:
        """The channel of that name; KeyError if there is none."""
        return self._by_name[name]

    @property
    def flags(self) -> tuple[str, ...]:
        """Every flag that a row of this stream can carry."""
        plausible = tuple(implausible_flag(c) for c in self.channels if c.plausible)
        carried = tuple(carried_flag(c) for c in self.channels if self.carries_forward)
        checked = (*(c.flag for c in self.row_checks), *(c.flag for c in self.neighbour_checks))
        return (*plausible, *checked, *carried, *self.own_flags, CLOCK_AHEAD)


def implausible_flag(channel: Channel) -> str:
    """The flag of a value outside the channel's plausible range."""
    return f"{channel.name}_implausible"


def carried_flag(channel: Channel) -> str:
    """The flag of a value that the reading left out, and that stands in it as it was before."""
    return f"{channel.name}_carried"
