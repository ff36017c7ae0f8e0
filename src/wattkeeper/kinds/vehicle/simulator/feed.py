"""A fleet's rows as a CSV file: clean, or with what goes wrong on the way."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heapreplace
from itertools import repeat
from math import inf
from operator import itemgetter
from random import Random
from typing import BinaryIO

from wattkeeper.base.core.clock import EPOCH
from wattkeeper.kinds.vehicle.simulator.vehicles import INTERVAL_SECONDS, Leg, Vehicle

COLUMNS = ("vehicle_id", "timestamp", "speed", "odometer", "soc", "elevation", "shift_state")

_BLOCK = 8_192  # rows of a feed that are sorted and written together
_LATE_ROWS = 12  # a late row comes fewer rows later than this, or at the end of its batch


@dataclass(frozen=True, slots=True)
class Disorder:
    """What happens to rows on their way, each as a share (0..1) of the rows; one row suffers one thing at most.

    late: comes after a newer row of its vehicle; double: comes once more, later; broken: certain to be refused.
    """

    late: float = 0
    double: float = 0
    broken: float = 0

    def __post_init__(self) -> None:
        if not (min(self.shares) >= 0 and sum(self.shares) <= 1):
            raise ValueError(f"Shares must not be negative and add up to 1 at most, not {self.shares}.")

    @property
    def shares(self) -> tuple[float, float, float]:
        return self.late, self.double, self.broken


CLEAN = Disorder()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file holds: its data lines, and how many are late, second copies, or broken (no line is two of these).

    A reader that keeps the contract stores `rows - double - broken`, skips `double` and refuses `broken`.
    """

    rows: int
    late: int
    double: int
    broken: int


# A line on its way: when it comes (ms since 1970), its text, its fate. Plain values only, which the garbage collector
# does not follow: enum members would slow a large fleet's feed down.
_Line = tuple[int, str, int]
_ON_TIME, _LATE, _DOUBLE, _BROKEN = range(4)
_arrival = itemgetter(0)

# Texts that no reader may take, by column from the right (a file may lack the vehicle id). Each breaks its own row
# only: a quote that opens a field would swallow the lines after it, and the books would not balance.
_SPOILT = (
    *((-6, text) for text in ("2022-02-30 12:00:00", "2022-13-01 00:00:00.5", "2022-07-12 25:61:00", "yesterday", "")),
    *((-5, text) for text in ("401", "-3", "fast")),
    *((-4, text) for text in ("-0.1", "3000000.1", "40k8", '408"05.3', "NULL")),
    *((-3, text) for text in ("101", "-1", "5x", "")),
    *((-2, text) for text in ("9001", "-501", "high", "")),
    *((-1, text) for text in ("X", "DR", "7")),
)


@lru_cache(maxsize=8_192)
def _minute_text(minute: int) -> str:
    return (EPOCH + timedelta(minutes=minute)).isoformat(" ")[:17]


@lru_cache(maxsize=1)
def _second_texts() -> list[str]:
    """By millisecond of a minute: 00, 00.001 and on, without trailing zeros, as the real feed has them."""
    return [f"{ms // 1_000:02d}" + f".{ms % 1_000:03d}".rstrip(".0") for ms in range(60_000)]


@lru_cache(maxsize=8_192)
def _odometer_text(hectometres: int) -> str:
    return f"{hectometres / 10:.8g}"


class _Pen:
    """Writes lines of CSV, good ones and broken ones."""

    def __init__(self, *, delimiter: str, newline: str) -> None:
        self.delimiter, self.newline = delimiter, newline
        self._speeds: dict[int | None, str] = {None: "NULL", **{speed: str(speed) for speed in range(201)}}
        self._ends: dict[str | None, str] = {None: "NULL" + newline, **{state: state + newline for state in "PRND"}}

    def lead(self, vehicle_id: str) -> str:
        if any(sign in vehicle_id for sign in (self.delimiter, '"', "\r", "\n")):
            vehicle_id = '"' + vehicle_id.replace('"', '""') + '"'
        return vehicle_id + self.delimiter

    def lines(self, leg: Leg, *, lead: str) -> list[str]:
        """`lead` is what comes before the timestamp. This is the hot loop: look up what can be looked up."""
        d, speeds, ends = self.delimiter, self._speeds, self._ends
        minute, seconds, odometer = _minute_text, _second_texts(), _odometer_text
        return [
            f"{lead}{minute(at // 60_000)}{seconds[at % 60_000]}{d}{speeds[speed]}{d}{odometer(hectometres)}{d}"
            f"{soc}{d}{elevation}{d}{ends[shift_state]}"
            for at, speed, hectometres, soc, elevation, shift_state in zip(*leg, strict=True)
        ]

    def spoiled(self, line: str, *, rng: Random) -> str:
        """The line with one fault: too short, too long, or a field that says what cannot be."""
        fields = line.removesuffix(self.newline).rsplit(self.delimiter, 6)  # only the id, on the left, may be quoted
        match rng.randrange(10):
            case 0 | 1:
                del fields[rng.randint(-5, -2) :]  # elevation at least, which is required, is gone
            case 2 | 3:
                fields.insert(-3, "7")  # as a decimal comma does to an odometer
            case _:
                column, fields[column] = rng.choice(_SPOILT)
        return self.delimiter.join(fields) + self.newline


def _deal(disorder: Disorder, owed: list[float], *, rows: int, rng: Random) -> dict[int, int]:
    """Fates by place in a batch of `rows`. The last place has none, so that each late row has a newer one to follow."""
    fates: list[int] = []
    for index, share in enumerate(disorder.shares):
        due, owed[index] = divmod(owed[index] + share * rows, 1)
        fates += [index + _LATE] * int(due)
    rng.shuffle(fates)  # if they are more than places, chance decides
    return dict(zip(rng.sample(range(rows - 1), min(rows - 1, len(fates))), fates, strict=False))


def _disturb(lines: list[_Line], fates: dict[int, int], *, rng: Random, pen: _Pen) -> list[_Line]:
    """The batch as it will arrive: not in order."""
    copies = []
    for place, fate in fates.items():
        at, text, _ = lines[place]
        after = rng.randrange(place + 1, min(place + _LATE_ROWS, len(lines)))
        later = lines[-1 if after in fates else after][0] + 1
        if fate == _DOUBLE:
            copies.append((later, text, fate))
        else:
            lines[place] = (later, text, fate) if fate == _LATE else (at, pen.spoiled(text, rng=rng), fate)
    return lines + copies


def _batches(vehicle: Vehicle, *, lead: str, pen: _Pen, disorder: Disorder, rng: Random) -> Iterator[list[_Line]]:
    """Lines of one vehicle; nothing in a batch arrives before the last line of the batch before."""
    owed = [rng.random() for _ in disorder.shares]  # from 0, the share of a short feed would always round to none
    for leg in vehicle.legs():
        lines = list(zip(leg.at, pen.lines(leg, lead=lead), repeat(_ON_TIME), strict=False))
        if disorder != CLEAN:
            lines = _disturb(lines, _deal(disorder, owed, rows=len(lines), rng=rng), rng=rng, pen=pen)
        yield lines


def _feed(sources: Sequence[Iterator[list[_Line]]], *, rows: int) -> Iterator[list[_Line]]:
    """The first `rows` lines in order of arrival, a block at a time."""
    waiting: list[_Line] = []
    heap: list[tuple[float, int]] = [(-inf, index) for index in range(len(sources))]  # nothing of a source comes before
    full = min(rows, _BLOCK)
    while rows > 0:
        lines = next(sources[heap[0][1]])
        heapreplace(heap, (lines[-1][0], heap[0][1]))
        waiting += lines
        if len(waiting) >= full:
            waiting.sort(key=_arrival)
            settled = min(rows, bisect_right(waiting, heap[0][0], key=_arrival))
            yield waiting[:settled]
            del waiting[:settled]
            rows -= settled
            full = len(waiting) + max(min(rows, _BLOCK), len(waiting))  # else a large fleet is sorted for a few lines


def write_csv(
    out: BinaryIO,
    *,
    vehicles: Sequence[str],
    rows: int,
    seed: int,
    start: datetime,
    interval_seconds: float = INTERVAL_SECONDS,
    disorder: Disorder = CLEAN,
    with_vehicle_id: bool = True,
    interleave: bool = True,
    delimiter: str = ",",
    crlf: bool = False,
) -> Manifest:
    """Write a header and exactly `rows` lines; times are naive UTC, null is NULL, as in the real feed.

    Interleaved lines come in the order of time across the fleet; else one vehicle after the other, each with its share.
    Raises ValueError for what no such file can be: no or equal ids, several vehicles without an id column, ...
    """
    if not vehicles or len(set(vehicles)) < len(vehicles):
        raise ValueError("vehicles must be one id at least, each once.")
    if len(vehicles) > 1 and not with_vehicle_id:
        raise ValueError("A file of several vehicles needs the vehicle_id column.")
    if rows < 0 or delimiter not in (",", ";", "\t"):
        raise ValueError(f"rows must not be negative and delimiter a comma, semicolon or tab: {rows}, {delimiter!r}.")
    each, more = divmod(rows, len(vehicles))
    alone = (([vehicle_id], each + (index < more)) for index, vehicle_id in enumerate(vehicles))
    groups: Iterable[tuple[Sequence[str], int]] = [(vehicles, rows)] if interleave else alone
    pen = _Pen(delimiter=delimiter, newline="\r\n" if crlf else "\n")

    def batches(vehicle_id: str) -> Iterator[list[_Line]]:
        vehicle = Vehicle(vehicle_id, seed=seed, start=start, interval_seconds=interval_seconds)
        lead = pen.lead(vehicle_id) if with_vehicle_id else ""
        return _batches(vehicle, lead=lead, pen=pen, disorder=disorder, rng=Random(f"disorder/{seed}/{vehicle_id}"))

    out.write((delimiter.join(COLUMNS if with_vehicle_id else COLUMNS[1:]) + pen.newline).encode())
    fates: Counter[int] = Counter()
    for group, share in groups:
        for lines in _feed([batches(vehicle_id) for vehicle_id in group], rows=share):
            out.write("".join([text for _, text, _ in lines]).encode())
            fates.update(fate for _, _, fate in lines if fate)
    return Manifest(rows, late=fates[_LATE], double=fates[_DOUBLE], broken=fates[_BROKEN])
