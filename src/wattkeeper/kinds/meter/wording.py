"""What a meter's newest state says, in words. Pages, the API and live frames say the same."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from wattkeeper.kinds.meter.codes import status
from wattkeeper.kinds.meter.codes.dimensions import dimension_of
from wattkeeper.kinds.meter.layout import CHANNEL_OF
from wattkeeper.kinds.meter.models import MeterState
from wattkeeper.kinds.meter.numbers import SentFloat
from wattkeeper.kinds.meter.telegram_times import AHEAD, TOLERANCE

COUNTERS = ("energy", "volume", "heat_cost")  # the channels that tell of a use
OK = "ok"
_HOUR_SECONDS = 3600
_UNITS = ((24 * 3600, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with every digit that it was sent with, thousands apart. `unit` is what was sent where it is unknown."""

    number: str
    unit: str

    def __str__(self) -> str:
        return f"{self.number} {self.unit}".rstrip()


def figure_of(dimension: str, said: str) -> Figure | None:
    """A number as it was sent, scaled where its dimension is known; None where it is none."""
    try:
        exact = Decimal(said)
    except ArithmeticError:
        return None
    if not exact.is_finite() or exact.adjusted() > 400:
        return None
    known = dimension_of(dimension)
    if known is None:
        return Figure(f"{exact:,f}", dimension)
    return Figure(f"{Decimal(known.scaled_text(int(said) if _is_whole(said) else SentFloat(said))):,f}", known.unit)


def latest_of(state: MeterState | None) -> Figure | None:
    """The newest main value."""
    if state is None or state.main_value is None:
        return None
    return figure_of(state.main_dimension or "", state.main_value)


def status_words(code: int | None) -> str:
    """`ok`, or what the bits say with commas between; nothing where no status is known."""
    return "" if code is None else ", ".join(status.meanings_of(code)) or OK


def clock_words(hours: float | None) -> str:
    """How a meter's clock goes, out of its own time minus reception."""
    if hours is None:
        return "tells no time"
    seconds = hours * _HOUR_SECONDS
    if -TOLERANCE.total_seconds() <= seconds <= AHEAD.total_seconds():
        return "in order"
    size, unit = next((one for one in _UNITS if abs(seconds) >= one[0]), _UNITS[-1])
    return f"{abs(seconds) / size:,.0f} {unit} {'ahead' if seconds > 0 else 'behind'}"


def counter_of(state: MeterState | None) -> str:
    """The channel by which the use is told: the main measurement's, else the first that there is; empty: none."""
    if state is None:
        return ""
    known = dimension_of(state.main_dimension or "")
    channel = CHANNEL_OF.get(known.quantity) if known else None
    if channel in COUNTERS:
        return channel
    return next((name for name in COUNTERS if getattr(state, name) is not None), "")


def _is_whole(said: str) -> bool:
    return said.lstrip("-").isdigit()
