"""What was used in a local day or month, out of a counter that is read now and then.

The counter stands at each midnight where the straight line between the two samples around it says. So days add up to
their month, and of what the counter has risen nothing is lost and nothing counts twice.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from wattkeeper.flow.store.counters import CounterDay, counter_days, neighboured, rise
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter.streams import MESSAGE

GAP = timedelta(hours=36)  # a midnight in a longer one is guessed
DOUBT = "error"  # the channel that tells of a value that may be none

Period = tuple[datetime, datetime]


class Per(StrEnum):
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Use:
    """What was used in `[since, until)`, in the counter's unit: never less than 0, None where nothing is known.

    `estimated`: a midnight at its end lies in a gap of more than 36 hours, or samples are missing on one side of it,
    or in it a meter was exchanged: what was used between the old one's last message and the new one's first is lost.
    `is_part`: only the samples at one of its ends are missing, and nothing else is guessed.
    `reset`: the counter was found to have begun anew, or to have run over. `exchange`: a new meter was first heard.
    """

    since: datetime
    until: datetime
    amount: float | None
    estimated: bool = False
    reset: bool = False
    exchange: bool = False
    is_part: bool = False


def periods_of(per: Per, since: date, until: date, *, zone: ZoneInfo) -> list[Period]:
    """The local days, or the whole local months, that `[since, until)` touches, as moments in UTC."""
    edges = [since if per is Per.DAY else since.replace(day=1)]
    while edges[-1] < until:
        edges.append(_next(per, edges[-1]))
    return list(itertools.pairwise(midnight(edge, zone) for edge in edges))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def uses(days: Sequence[CounterDay], periods: Sequence[Period]) -> list[Use]:
    """One meter's use in each of the periods. `days`: its days in their order, with those around the periods."""
    return uses_of_chain([days], periods)


def uses_of_chain(chain: Sequence[Sequence[CounterDay]], periods: Sequence[Period]) -> list[Use]:
    """The same of meters that hung in one place one after the other, the oldest first.

    What is used is what they have counted together: one that lies in a box, before or after, counts nothing.
    """
    curves = [_Curve.of(days) for days in chain if days]
    return [_use(curves, since, until) for since, until in periods]


def consumption(
    *, tenant_id: int, asset_ids: Sequence[int], channel: str, per: Per, since: date, until: date, zone: ZoneInfo
) -> list[Use]:
    """The use of a meter and of those before it in its place (`asset_ids`, the oldest first), out of the store.

    The local days or months that `[since, until)` touches. StoreClosedError where no server runs in this process.
    """
    periods = periods_of(per, since, until, zone=zone)
    if not periods or not asset_ids:
        return []
    meant = Selection(tenant_id=tenant_id, asset_ids=asset_ids, since=periods[0][0], until=periods[-1][1])
    engine = store().engine
    wide = neighboured(engine, MESSAGE, meant, channel, doubt=DOUBT)
    found = by_asset(counter_days(engine, MESSAGE, wide, channel, zone=zone, doubt=DOUBT))
    return uses_of_chain([found.get(asset_id, []) for asset_id in asset_ids], periods)


def by_asset(days: Sequence[CounterDay]) -> Mapping[int, list[CounterDay]]:
    """The days of each asset; `days` are in their order."""
    return {asset_id: list(some) for asset_id, some in itertools.groupby(days, key=lambda day: day.asset_id)}


@dataclass(slots=True)
class _Curve:
    """What one meter has counted since its first sample, at the first and the last sample of each day."""

    times: list[datetime] = field(default_factory=list)
    counted: list[float] = field(default_factory=list)
    resets: list[datetime] = field(default_factory=list)  # when a sample told of one

    @classmethod
    def of(cls, days: Sequence[CounterDay]) -> _Curve:
        curve, total = cls(), 0.0
        for before, day in zip([None, *days], days, strict=False):
            risen, fell = rise(before.last, day.first) if before else (0.0, False)
            total += risen
            curve.times.append(day.first_at)
            curve.counted.append(total)
            total += day.risen
            curve.times.append(day.last_at)
            curve.counted.append(total)
            curve.resets += [day.first_at] * fell + [day.last_at] * bool(day.falls)
        return curve

    @property
    def first(self) -> datetime:
        return self.times[0]

    @property
    def last(self) -> datetime:
        return self.times[-1]

    def at(self, moment: datetime) -> float:
        """What was counted until then; the moment lies between the first and the last sample."""
        place = bisect_right(self.times, moment)
        if place == len(self.times):
            return self.counted[-1]
        start, end = self.times[place - 1], self.times[place]
        low, high = self.counted[place - 1], self.counted[place]
        return min(low + (high - low) * ((moment - start) / (end - start)), high)

    def in_gap(self, moment: datetime) -> bool:
        """Whether the samples around it are so far apart that it is guessed."""
        place = bisect_right(self.times, moment)
        if place in (0, len(self.times)) or self.times[place - 1] == moment:
            return False
        return self.times[place] - self.times[place - 1] > GAP

    def counts_in(self, since: datetime, until: datetime) -> bool:
        return max(since, self.first) < min(until, self.last)

    def between(self, since: datetime, until: datetime) -> float:
        return self.at(min(until, self.last)) - self.at(max(since, self.first))


def _use(curves: Sequence[_Curve], since: datetime, until: datetime) -> Use:
    counting = [curve for curve in curves if curve.counts_in(since, until)]
    if not counting:
        return Use(since, until, None)
    first, last = min(curve.first for curve in curves), max(curve.last for curve in curves)
    is_part = since < first or until > last
    is_guessed = any(curve.in_gap(since) or curve.in_gap(until) for curve in counting) or any(
        start < until and end > since for start, end in _exchanges(curves)
    )
    return Use(
        since,
        until,
        sum(curve.between(since, until) for curve in counting),
        estimated=is_part or is_guessed,
        is_part=is_part and not is_guessed,
        reset=any(since < moment <= until for curve in curves for moment in curve.resets),
        exchange=any(since <= curve.first < until for curve in curves[1:]),
    )


def _exchanges(curves: Sequence[_Curve]) -> Iterator[Period]:
    """The times in which the old meter was not heard any more and the new one not yet."""
    for old, new in itertools.pairwise(curves):
        if new.first > old.last:
            yield old.last, new.first


def _next(per: Per, day: date) -> date:
    return day + timedelta(days=1) if per is Per.DAY else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
