"""The uses of a window as bars, drawn by the server: a picture for who sees it, a table for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from wattkeeper.kinds.meter.consumption import Per, Use
from wattkeeper.views.dashboard.templatetags.components import value

HEIGHT = 100.0
PITCH = 20.0  # from one bar to the next
_LEAST = 1.5  # of a bar that is not nothing


@dataclass(frozen=True, slots=True)
class Bar:
    """`x`, `y`, `width` and `height` in the picture's own units. `look`: classes of the sheet."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """Of the table. `change`: against the year before, in whole percent."""

    name: str
    use: Use
    before: Use | None
    change: int | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """`marks`: where a counter began anew or a meter was exchanged, with its class."""

    width: float
    bars: Sequence[Bar]
    marks: Sequence[tuple[float, str, str]]
    rows: Sequence[Row]
    most: float
    total: float | None
    total_before: float | None
    any_estimated: bool
    any_reset: bool
    any_exchange: bool


def picture_of(
    uses: Sequence[Use], before: Sequence[Use], *, per: Per, zone: ZoneInfo, unit: str, now: datetime
) -> Picture:
    """`before`: the same of the year before, one for each, or none at all."""
    most = max((use.amount for use in (*uses, *before) if use.amount is not None), default=0.0)
    bars: list[Bar] = []
    marks: list[tuple[float, str, str]] = []
    rows: list[Row] = []
    for place, use in enumerate(uses):
        name = _name(use.since.astimezone(zone).date(), per)
        earlier = before[place] if before else None
        wide = PITCH - 4
        if earlier is not None:
            bars += _bar(earlier, most, place * PITCH + 1, wide / 2, "before", f"{name}, a year before", unit, now)
            bars += _bar(use, most, place * PITCH + 2 + wide / 2, wide / 2, "", name, unit, now)
        else:
            bars += _bar(use, most, place * PITCH + 2, wide, "", name, unit, now)
        if use.reset:
            marks.append((place * PITCH + PITCH / 2, "reset", f"{name}: the counter began anew"))
        if use.exchange:
            marks.append((place * PITCH + PITCH / 2, "exchange", f"{name}: the meter was exchanged"))
        rows.append(Row(name, use, earlier, _change(use, earlier), remarks_of(use, now=now)))
    return Picture(
        width=len(uses) * PITCH,
        bars=bars,
        marks=marks,
        rows=rows,
        most=most,
        total=_total(uses),
        total_before=_total(before) if is_whole(before) else None,
        any_estimated=any(use.estimated and not _goes_on(use, now) for use in (*uses, *before)),
        any_reset=any(use.reset for use in uses),
        any_exchange=any(use.exchange for use in uses),
    )


def remarks_of(use: Use, *, now: datetime) -> tuple[str, ...]:
    """What is to be known of a use, in words: nothing of a time that has not come yet."""
    goes_on = _goes_on(use, now)
    said = {
        "not known": use.amount is None and use.since < now,
        "so far": goes_on,
        "estimated": use.estimated and not goes_on,
        "counter began anew": use.reset,
        "meter exchanged": use.exchange,
    }
    return tuple(words for words, is_so in said.items() if is_so)


def is_whole(uses: Sequence[Use]) -> bool:
    """Whether it is known of all of the time, be it by a guess within it."""
    return bool(uses) and all(use.amount is not None and not use.is_part for use in uses)


def _goes_on(use: Use, now: datetime) -> bool:
    """Whether it is known as far as it can be: its time is not over."""
    return use.is_part and use.since <= now < use.until


def _bar(use: Use, most: float, x: float, width: float, look: str, name: str, unit: str, now: datetime) -> list[Bar]:
    if use.amount is None:
        return []
    height = max(HEIGHT * use.amount / most, _LEAST) if most and use.amount else 0.6
    looks = " ".join(part for part in (look, "estimated" if use.estimated and not _goes_on(use, now) else "") if part)
    remarks = "".join(f", {words}" for words in remarks_of(use, now=now))
    title = f"{name}: {value(use.amount)} {unit}{remarks}"
    return [Bar(round(x, 2), round(HEIGHT - height, 2), round(width, 2), round(height, 2), looks, title)]


def _change(use: Use, before: Use | None) -> int | None:
    """None, too, where only a part of either is known."""
    if before is None or not before.amount or use.amount is None or use.estimated or before.estimated:
        return None
    return round(100 * (use.amount - before.amount) / before.amount)


def _total(uses: Sequence[Use]) -> float | None:
    known = [use.amount for use in uses if use.amount is not None]
    return sum(known) if known else None


def _name(day: date, per: Per) -> str:
    return f"{day:%Y-%m-%d}" if per is Per.DAY else f"{day:%Y-%m}"
