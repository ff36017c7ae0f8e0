"""Stretches of one verdict through the alerts' machine, one asset after the other. Pure.

Of a stretch, the machine needs no more than the moments at which it can take a step: the first, the first after each
delay, the last. So it takes the same steps as with all readings.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.alerts.machine import CHATTER_CLEAR, CHATTER_OPENINGS, Phase, Step, Watch, advance, chatters
from wattkeeper.flow.readings.reading import Value
from wattkeeper.flow.rules.verdicts import Verdict
from wattkeeper.flow.store.episodes import Run
from wattkeeper.flow.store.episodes_sql import Point, Test, Word, Zone

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a breach lasts before its alert opens, and a clear before it closes."""

    on: timedelta
    off: timedelta

    @property
    def breach(self) -> tuple[timedelta, ...]:
        """What lasts so long can open an alert."""
        return (self.on,)

    @property
    def clear(self) -> tuple[timedelta, ...]:
        """What lasts so long can close one: usually, and where the pair chatters."""
        return tuple(dict.fromkeys((self.off, max(self.off, CHATTER_CLEAR))))


@dataclass(frozen=True, slots=True)
class Stretch:
    """One verdict at rising `times`, in microseconds since 1970; `value` is the worst of them, by `badness`."""

    is_breach: bool
    times: tuple[int, ...]
    badness: float
    value: Value


_NOTHING = Stretch(False, (), -math.inf, None)


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert that would have been: `cleared_at` None where it would still be open.

    `worst` is the value farthest beyond the limit (of a silence the seconds), `seconds` how long it was open.
    """

    asset_id: int
    opened_at: datetime
    cleared_at: datetime | None
    worst: Value
    seconds: float


def stretches_of(runs: Iterable[Run], test: Test) -> Iterator[Stretch]:
    """One asset's runs, which `test` has told apart."""
    for run in runs:
        yield Stretch(run.is_breach, _times(run), *_worst(run, test))


def silences_of(
    runs: Iterable[Run],
    *,
    last_seen: datetime | None,
    limit: timedelta,
    since: datetime,
    until: datetime,
    delays: Delays,
) -> Iterator[Stretch]:
    """One asset's runs of readings that are no farther apart than `limit`, and the silences between and after them.

    `last_seen` may be newer than the last reading, since readings are not the only signs of life; or so old that there
    is none in `[since, until)`.
    """
    heard: int | None = None
    waited, end = limit // _MICROSECOND, _microseconds(until)

    def silence(until: int) -> Iterator[Stretch]:
        begun = end if heard is None else max(heard + waited, _microseconds(since))
        if heard is not None and begun < until:
            opened, seconds = begun + delays.on // _MICROSECOND, (until - heard) / 1e6
            yield Stretch(True, tuple(at for at in dict.fromkeys((begun, opened)) if at < until), seconds, seconds)

    for run in runs:
        yield from silence(run.first)
        yield Stretch(False, _times(run), 0.0, None)
        heard = run.last
    seen = end if last_seen is None else _microseconds(last_seen)
    if seen < end and (heard is None or heard < seen):
        yield from silence(seen)
        yield Stretch(False, (seen,), 0.0, None)
        heard = seen
    yield from silence(end)


def episodes_of(asset_id: int, stretches: Iterable[Stretch], *, delays: Delays, until: datetime) -> Iterator[Episode]:
    """The alerts that one asset's stretches would have made, in the order of time."""
    watch: Watch | None = None
    opened: datetime | None = None
    worst = _NOTHING
    openings: deque[datetime] = deque(maxlen=CHATTER_OPENINGS)
    for stretch in stretches:
        # What is clear stays so without a breach, and what is open with one: most stretches of most rules.
        if watch is None and not stretch.is_breach:
            continue
        if stretch.is_breach and stretch.badness > worst.badness:
            worst = stretch
        if stretch.is_breach and watch is not None and watch.phase is Phase.OPEN:
            continue
        verdict = Verdict.BREACH if stretch.is_breach else Verdict.CLEAR
        for microseconds in stretch.times:
            at = EPOCH + timedelta(microseconds=microseconds)
            watch, step = advance(watch, verdict, at, on_delay=delays.on, off_delay=delays.off)
            if step is Step.OPEN and watch is not None:
                opened, watch = at, replace(watch, chattering=chatters(openings, at))
                openings.append(at)
            elif step is Step.CLEAR and opened is not None:
                yield Episode(asset_id, opened, at, worst.value, (at - opened).total_seconds())
                opened = None
        if watch is None:
            worst = _NOTHING
    if opened is not None:
        yield Episode(asset_id, opened, None, worst.value, (until - opened).total_seconds())


def _times(run: Run) -> tuple[int, ...]:
    return tuple(sorted({run.first, *(at for at in run.reached if at is not None), run.last}))


def _worst(run: Run, test: Test) -> tuple[float, Value]:
    match test:
        case Zone(low, high):
            above, below = run.greatest - high, low - run.least
            return (above, run.greatest) if above >= below else (below, run.least)
        case Point(number):
            return 0.0, number
        case Word(text):
            return 0.0, text
        case _:
            return 0.0, None


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND
