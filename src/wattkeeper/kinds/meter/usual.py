"""What a meter's use in a day usually is, and whether its last whole day was outside of that.

Learnt from the days before, by their median and how far they lie from it, of which a few wild days move neither
(Hampel's identifier; 1.4826 times the median distance is a standard deviation, where they scatter as chance does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, floor, log10
from statistics import median
from zoneinfo import ZoneInfo

from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.base.catalog.channels import Aggregation
from wattkeeper.base.core.clock import now
from wattkeeper.base.jobs.registry import periodic
from wattkeeper.flow.store.counters import counter_days
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import StoreClosedError, store
from wattkeeper.kinds.meter.actions import UseLearnt, uses_write
from wattkeeper.kinds.meter.codes.dimensions import dimension_of
from wattkeeper.kinds.meter.consumption import DOUBT, Per, Period, by_asset, periods_of, uses
from wattkeeper.kinds.meter.layout import CHANNEL_OF
from wattkeeper.kinds.meter.models import Meter
from wattkeeper.kinds.meter.streams import MESSAGE

DAYS, DAYS_LEAST = 35, 14  # before the one that is judged
_SPREAD = 5 * 1.4826  # of the median distance
_SHARE = 0.05  # of the median, at least
_DIGITS = 2
# What is no more than this besides the median is usual, however regular a meter's days are.
LEAST_SPREAD = {"energy": 0.5, "volume": 0.05, "heat_cost": 2.0}
_NOTICEABLE = 0.2  # of a range's width: by less it does not move
_METERS_AT_ONCE = 1_000  # of which all days are in memory

Range = tuple[float, float]

_judged: dict[int, date] = {}  # by asset, its newest day that was looked at


@dataclass(frozen=True, slots=True)
class _Asked:
    """A meter that has a whole day more. `known`: its range so far."""

    asset_id: int
    channel: str
    zone: ZoneInfo
    day: date
    known: Range | None


@periodic(minutes=60)
def uses_learn() -> None:
    """Judge each meter's last whole day by those before it: a day is whole once a message from after its end has come.

    Each is judged once; after a restart, the last one again, which changes nothing.
    """
    try:
        store()
    except StoreClosedError:
        return
    for tenant_id in Meter.objects.order_by().values_list("asset__tenant_id", flat=True).distinct():
        for some in _asked(tenant_id):
            _learn(tenant_id, some)


def usual_range(amounts: Sequence[float], *, least_spread: float) -> Range | None:
    """From what to what a day's use is usual; None of too few days. Never below 0.

    Rounded away from the median, to two digits: meters of one range share what is made of their rules.
    """
    if len(amounts) < DAYS_LEAST:
        return None
    middle = median(amounts)
    distance = median(abs(amount - middle) for amount in amounts)
    spread = max(_SPREAD * distance, _SHARE * middle, least_spread)
    return _rounded(max(middle - spread, 0.0), floor), _rounded(middle + spread, ceil)


def is_noticeable(after: Range | None, before: Range | None) -> bool:
    """Whether a range is to be written where another was."""
    if after is None or before is None:
        return after is not None
    step = _NOTICEABLE * (before[1] - before[0])
    return abs(after[0] - before[0]) > step or abs(after[1] - before[1]) > step


def _rounded(value: float, towards: Callable[[float], int]) -> float:
    if value <= 0:
        return 0.0
    places = _DIGITS - 1 - floor(log10(value))
    return float(round(towards(round(value * 10.0**places, 6)) / 10.0**places, max(places, 0)))


def _asked(tenant_id: int) -> Iterator[list[_Asked]]:
    """The tenant's meters in use that have a whole day more than was looked at: so many as one question is about."""
    zones, last = site_zones(tenant_id), 0
    meters = (
        assets_of_kind(MESSAGE.kind, tenant_id=tenant_id)
        .exclude(meter_state=None)
        .order_by("pk")
        .values_list(
            "pk",
            "site",
            "meter_state__at",
            "meter_state__main_dimension",
            "meter__usual_least",
            "meter__usual_most",
        )
    )
    while rows := list(meters.filter(pk__gt=last)[:_METERS_AT_ONCE]):
        last = rows[-1][0]
        alike: dict[tuple[str, str], list[_Asked]] = {}
        for pk, site, at, dimension, least, most in rows:
            channel, zone = _channel_of(dimension), zones.of(site)
            day = at.astimezone(zone).date() - timedelta(days=1)
            if channel and _judged.get(pk, date.min) < day:
                known = None if least is None or most is None else (least, most)
                alike.setdefault((channel, zone.key), []).append(_Asked(pk, channel, zone, day, known))
        yield from alike.values()


def _learn(tenant_id: int, asked: Sequence[_Asked]) -> None:
    channel, zone = asked[0].channel, asked[0].zone
    first = min(one.day for one in asked) - timedelta(days=DAYS + 2)
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    meant = Selection(tenant_id=tenant_id, asset_ids=[one.asset_id for one in asked], since=since, until=now())
    days = by_asset(counter_days(store().engine, MESSAGE, meant, channel, zone=zone, doubt=DOUBT))
    periods = {day: _periods(day, zone) for day in {one.day for one in asked}}
    learnt = []
    for one in asked:
        found = uses(days.get(one.asset_id, []), periods[one.day])
        *before, last = [None if use.estimated or use.reset else use.amount for use in found]
        if last is not None:
            known = usual_range([use for use in before if use is not None], least_spread=LEAST_SPREAD[channel])
            usual = known if is_noticeable(known, one.known) else None
            learnt.append(UseLearnt(one.asset_id, round(last, 3), usual))
    uses_write(learnt, tenant_id=tenant_id)
    _judged.update((one.asset_id, one.day) for one in asked)


def _periods(day: date, zone: ZoneInfo) -> list[Period]:
    """The days before it, and the day."""
    return periods_of(Per.DAY, day - timedelta(days=DAYS), day + timedelta(days=1), zone=zone)


def _channel_of(dimension: str | None) -> str:
    """The counter that the main measurement is in; empty where it is none."""
    known = dimension_of(dimension) if dimension else None
    channel = CHANNEL_OF.get(known.quantity, "") if known else ""
    return channel if channel and MESSAGE.channel(channel).aggregation is Aggregation.COUNTER else ""
