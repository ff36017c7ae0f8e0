"""A channel is one measured quantity, declared once; everything else is derived from the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wattkeeper.base.catalog.units import Unit


class ChannelType(StrEnum):
    """What a value of the channel is, at every door and in every file."""

    FLOAT = "float"
    INTEGER = "integer"  # a whole number; stored as such, never rounded
    TEXT = "text"


class Aggregation(StrEnum):
    """How values of the channel may be added up over time."""

    GAUGE = "gauge"  # an instantaneous value: mean, min, max
    COUNTER = "counter"  # only rises (but for resets): differences
    STATE = "state"  # a name that holds until the next: durations


@dataclass(frozen=True, slots=True)
class Range:
    """A closed interval in the channel's unit."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:,.10g} to {self.high:,.10g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One measured quantity.

    `hard`: outside it a value is refused. `plausible`: outside it the reading is kept and flagged.
    `choices`: the only texts that are accepted. `words`: what some numbers of a numeric channel mean, as the end of a
    sentence that begins with the label: `Battery` `low`. `required`: a row without it is refused. `drawn`: whether a
    page shows it over time.
    """

    name: str
    label: str
    type: ChannelType
    unit: Unit = Unit.NONE
    hard: Range | None = None
    plausible: Range | None = None
    aggregation: Aggregation = Aggregation.GAUGE
    choices: tuple[str, ...] = ()
    words: tuple[tuple[int, str], ...] = ()
    required: bool = False
    max_length: int = 200
    help: str = ""
    drawn: bool = True

    def __post_init__(self) -> None:
        numeric = self.type is not ChannelType.TEXT
        if numeric and self.hard is None:
            raise ValueError(f"{self.name}: a numeric channel needs a hard range")
        if not numeric and (self.hard or self.plausible):
            raise ValueError(f"{self.name}: a text channel has no range")
        if not numeric and self.words:
            raise ValueError(f"{self.name}: a text channel has its words in itself")

    @property
    def is_numeric(self) -> bool:
        return self.type is not ChannelType.TEXT

    def word_of(self, value: float) -> str:
        """What the number means; empty where it is only a number."""
        return next((word for number, word in self.words if number == value), "")

    @property
    def title(self) -> str:
        """The label with its unit, as a header or an axis shows it."""
        return f"{self.label} ({self.unit.value})" if self.unit.value else self.label
