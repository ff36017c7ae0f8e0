"""A simulated meter: what it is, what it counts, and the telegrams that it sends."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from wattkeeper.base.core.clock import EPOCH
from wattkeeper.kinds.meter.codes.identnrs import identnr_of
from wattkeeper.kinds.meter.message import Identity
from wattkeeper.kinds.meter.simulator.makes import Make
from wattkeeper.kinds.meter.simulator.troubles import (
    LEAKED_DAILY,
    LEAKS_FROM,
    RESET_ON,
    SILENT_FROM,
    Trouble,
    status_of,
)
from wattkeeper.kinds.meter.simulator.uses import Habits, Medium, share_until
from wattkeeper.kinds.meter.simulator.weather import outside

ZONE = ZoneInfo("Europe/Berlin")
UNSET_DAY = "2000-00-00T00:00:00.000000"
STANDING = "2000-01-01T00:00:00.000000"
_DAY, _HOUR = 86_400, 3_600
_LATE_EVERY = 10  # days
_AGAIN_AFTER = 15  # seconds
_KWH_A_CUBIC_METRE = 17.4  # of heating water that gives off 15 K


class Delivery(NamedTuple):
    """A telegram as a gateway passes it on. `second`: since 1970, when it is received."""

    second: int
    raw: bytes


class Meter:
    """One device. `origin` (aware) is where the building's history begins.

    `installed`: the second in which it was put in place of another; None where it hangs there since before. `removed`:
    from which on another hangs there.
    """

    def __init__(
        self,
        make: Make,
        habits: Habits,
        *,
        seed: str,
        origin: datetime,
        trouble: Trouble | None = None,
        installed: int | None = None,
        removed: int | None = None,
    ) -> None:
        rng = Random(seed)
        self.make, self.trouble = make, trouble
        self._habits, self._installed, self._removed = habits, installed, removed
        self._said = f"{rng.randrange(0xA0000000, 0xFFFFFFFF):X}" if make.says_identnr_in_hex else rng.randrange(10**8)
        identnr = identnr_of(self._said)
        assert identnr is not None
        self.identity = Identity(make.manufacturer, identnr, make.version, make.type)
        self._origin = _second_of(origin)
        self._first_day = _second_of(datetime(origin.year - 1, 12, 1, tzinfo=UTC)) // _DAY
        shown = 0.0 if installed is not None else habits.usual * rng.uniform(400, 2_500)
        self._totals = [shown]  # at the beginning of each day since the first
        self._minute = rng.randrange(_HOUR)  # the second of the hour in which it sends
        self._night = rng.randrange(1, 4) * _HOUR + self._minute  # the second of the day, where it sends once
        self._delay = rng.randrange(2, 9)

    def deliveries(self, *, since: datetime, hourly_from: datetime) -> Iterator[Delivery]:
        """What is received of it at or after `since`, in its order: once a day, from `hourly_from` on each hour."""
        first, hourly = _second_of(since), _second_of(hourly_from)
        prompt = self._prompt(first - 60, hourly)
        late = self._late(first - _DAY - 60) if self.trouble is Trouble.LATE else iter(())
        return (one for one in heapq.merge(prompt, late) if one.second >= first)

    def _prompt(self, first: int, hourly: int) -> Iterator[Delivery]:
        for second in self._sent(first, hourly):
            if not self._is_late(second):
                raw = self.telegram(second)
                yield Delivery(second + self._delay, raw)
                if self.trouble is Trouble.TWICE:
                    yield Delivery(second + self._delay + _AGAIN_AFTER, raw)

    def _late(self, first: int) -> Iterator[Delivery]:
        begin = first + (self._night - first) % _DAY
        for second in self._lived(range(begin, begin + 100 * 366 * _DAY, _DAY)):
            if self._is_late(second):
                yield Delivery(second + self._delay + _DAY, self.telegram(second))

    def _is_late(self, second: int) -> bool:
        day, passed = divmod(second, _DAY)
        return self.trouble is Trouble.LATE and passed == self._night and day % _LATE_EVERY == 0

    def _sent(self, first: int, hourly: int) -> Iterator[int]:
        daily = range(first + (self._night - first) % _DAY, hourly, _DAY)
        begin = max(first, hourly)
        begin += (self._minute - begin) % _HOUR
        yield from self._lived(daily)
        yield from self._lived(range(begin, begin + 100 * 366 * _DAY, _HOUR))

    def _lived(self, seconds: range) -> Iterator[int]:
        """Those of them in which it hangs in its place, and can be heard."""
        begin = self._origin if self._installed is None else self._installed
        end = self._removed
        if self.trouble is Trouble.SILENT:
            end = self._origin + SILENT_FROM * _DAY
        return (second for second in seconds if second >= begin and (end is None or second < end))

    # -- what it counts ----------------------------------------------------------------------------------------------

    def shown(self, second: int) -> float:
        """What its counter shows in that second, in kWh or m³."""
        total = self._total(second)
        reset = self._origin + RESET_ON * _DAY
        if self.trouble is Trouble.RESET and second >= reset:
            return total - self._total(reset)
        return total - self._total(self._installed) if self._installed is not None else total

    def _total(self, second: int) -> float:
        day, passed = divmod(second, _DAY)
        place = day - self._first_day
        while len(self._totals) <= place + 1:
            number = self._first_day + len(self._totals) - 1
            self._totals.append(self._totals[-1] + self._use(number))
        before, after = self._totals[place], self._totals[place + 1]
        return before + (after - before) * share_until(self._habits.medium, passed)

    def _use(self, day: int) -> float:
        leaked = LEAKED_DAILY if self.trouble is Trouble.LEAKS and day >= self._origin // _DAY + LEAKS_FROM else 0.0
        return self._habits.of_day(day) + leaked

    # -- what it says ------------------------------------------------------------------------------------------------

    def telegram(self, second: int) -> bytes:
        """Its message of that second, as a gateway sends it."""
        make = self.make
        due_second, due_day = _due_of(second // _HOUR)
        records = [_record(make.dimension, round(self.shown(second) * make.steps_in_a_unit))]
        if self.trouble is Trouble.CLOCK_STANDS:
            records.insert(0, _record("Time Point (time & date)", STANDING))
        elif self.trouble is not Trouble.NO_TIME:
            records.insert(0, _record("Time Point (time & date)", _local(second // 60)))
        if make.tells_more:
            records += self._more(second)
        is_older = self._installed is None or self._installed <= due_second
        due = round(self.shown(due_second) * make.steps_in_a_unit) if is_older else 0
        records.append(_record("Time Point (date)", due_day if is_older else UNSET_DAY, storage=make.due_storage))
        records.append(_record(make.dimension, due, storage=make.due_storage))
        since = second - self._origin
        device = {
            "type": make.type,
            "status": status_of(self.trouble, day=since // _DAY, hour=second % _DAY // _HOUR),
            "identnr": self._said,
            "version": make.version,
            "accessnr": second // _HOUR % 256,
            "manufacturer": make.manufacturer,
        }
        return msgspec.json.encode({"data": records, "device": device})

    def _more(self, second: int) -> list[dict[str, Any]]:
        used = max(self.shown(second) - self.shown(second - _HOUR), 0.0)  # in the last hour: kW
        if self._habits.medium is not Medium.HEAT:
            return [_record("Power (W)", round(used * 1_000))]
        flow = 45 - 0.8 * min(outside(second // _DAY), 15.0)
        return [
            _record("Volume (m m^3)", round(self.shown(second) / _KWH_A_CUBIC_METRE * 1_000)),
            _record("Power (W)", round(used * 1_000)),
            _record("Volume flow (m m^3/h)", round(used / _KWH_A_CUBIC_METRE * 1_000)),
            _record("Flow temperature (1e-1 deg C)", round(flow * 10)),
            _record("Return temperature (1e-1 deg C)", round((flow - (15 if used else 1)) * 10)),
        ]


def _record(dimension: str, value: float | str, *, storage: int = 0) -> dict[str, Any]:
    return {"value": value, "tariff": 0, "subunit": 0, "dimension": dimension, "storagenr": storage}


@lru_cache(maxsize=65_536)
def _due_of(hour: int) -> tuple[int, str]:
    """The second in which the year before that hour (since 1970) ended, by local time, and its last day."""
    year = datetime.fromtimestamp(hour * _HOUR, ZONE).year
    ended = datetime(year, 1, 1, tzinfo=ZONE).astimezone(UTC)
    return _second_of(ended), f"{date(year - 1, 12, 31)}T00:00:00.000000"


@lru_cache(maxsize=65_536)
def _local(minute: int) -> str:
    """A minute since 1970 as a meter's clock shows it."""
    return f"{datetime.fromtimestamp(minute * 60, ZONE):%Y-%m-%dT%H:%M}:00.000000"


def _second_of(moment: datetime) -> int:
    return -((EPOCH - moment) // timedelta(seconds=1))
