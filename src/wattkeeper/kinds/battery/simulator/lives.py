"""The phases of a pack's life, and what it measures in them: closed forms of the time since the phase began."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from math import exp, log, sin
from random import Random
from typing import NamedTuple

from wattkeeper.kinds.battery.simulator.makes import Make

_COOLING_SECONDS = 1_500.0  # in which a pack comes two thirds of the way to the temperature that its load means
_HEATING = 60.0  # °C above the air at a current of its full capacity an hour
RESISTANCE = 0.035  # of the nominal voltage, at the largest discharge current
_WOBBLE = 0.3  # of the load, around its mean
_TAPER_FROM = 82.0  # %: from here on the charger gives less and less
_HOUR = 3_600.0


class Status(StrEnum):
    """As a pack names what it does."""

    CHARGING = "CHARGING"
    DISCHARGING = "DISCHARGING"
    IDLE = "IDLE"
    FAULT = "FAULT"


class Habits(NamedTuple):
    """How a pack is used. Charges in %; where `overcharges`, its charger does not stop at the top."""

    low: tuple[float, float] = (18, 45)
    high: tuple[float, float] = (84, 97)
    faults: bool = False
    overcharges: bool = False


class Phase(NamedTuple):
    """A time in which a pack does one thing."""

    begin: int  # seconds since 1970
    end: int
    status: Status
    charge: float  # % at its beginning
    rate: float  # % a second, at its beginning
    taper: float  # seconds in which current and rate fall to a third; 0: they stay
    current: float  # A at its beginning: positive is charging
    warmth: float  # °C above the air at its beginning
    warmth_due: float  # °C above the air that it goes to
    cycles: float  # full cycles since the origin, at its beginning

    def charge_at(self, second: float) -> float:
        passed = second - self.begin
        spread = self.taper * (1 - exp(-passed / self.taper)) if self.taper else passed
        return min(max(self.charge + self.rate * spread, 0.0), 100.0)

    def warmth_at(self, second: float) -> float:
        return self.warmth_due + (self.warmth - self.warmth_due) * exp(-(second - self.begin) / _COOLING_SECONDS)

    def current_at(self, second: float) -> float:
        """A load is never even; a charger's current is, and falls in the end."""
        passed = second - self.begin
        if self.taper:
            return self.current * exp(-passed / self.taper)
        if self.status is Status.DISCHARGING:
            return self.current * (1 + _WOBBLE * sin(passed / 47) * sin(passed / 331))
        return self.current

    def cycles_at(self, second: float) -> float:
        """A cycle is what empties a full pack, in one go or in several."""
        return self.cycles + max(self.charge - self.charge_at(second), 0) / 100


class Life:
    """The phases of one pack, one after the other, from `origin` (seconds since 1970) on."""

    def __init__(self, make: Make, habits: Habits, *, rng: Random, origin: int) -> None:
        self._make, self._habits, self._rng = make, habits, rng
        self._now = origin
        self._charge = rng.uniform(*habits.low) if rng.random() < 0.5 else rng.uniform(*habits.high)
        self._warmth = self._cycles = 0.0

    def phases(self) -> Iterator[Phase]:
        """Without end, without gaps; the first one may begin anywhere in a day's work."""
        rng, habits = self._rng, self._habits
        while True:
            if self._charge < sum(habits.low) / 2 + 10:
                yield from self._charged(to=rng.uniform(*habits.high))
                if habits.overcharges:
                    yield self._overcharged(hours=rng.uniform(3, 7))
                yield self._still(Status.IDLE, minutes=rng.uniform(5, 180))
            yield self._used(down_to=rng.uniform(*habits.low))
            if habits.faults:
                yield self._still(Status.FAULT, minutes=rng.uniform(120, 360))
            yield self._still(Status.IDLE, minutes=rng.uniform(5, 90))

    def _used(self, *, down_to: float) -> Phase:
        drawn = max(self._charge - down_to, 1.0)
        hours = self._rng.uniform(*self._make.use_hours)
        return self._phase(Status.DISCHARGING, seconds=drawn / 100 * hours * _HOUR, rate=-100 / hours / _HOUR)

    def _charged(self, *, to: float) -> Iterator[Phase]:
        hours = self._rng.uniform(1.2, 2.5) * self._make.ampere_hours / self._make.max_charge_current
        rate = 100 / hours / _HOUR
        bulk = min(to, _TAPER_FROM) - self._charge
        if bulk > 0:
            yield self._phase(Status.CHARGING, seconds=bulk / rate, rate=rate)
        if (rest := to - self._charge) > 0.5:
            taper = rest * 1.15 / rate  # so that the end is reached with an eighth of the current
            yield self._phase(Status.CHARGING, seconds=taper * log(1.15 / 0.15), rate=rate, taper=taper)

    def _overcharged(self, *, hours: float) -> Phase:
        phase = self._phase(Status.CHARGING, seconds=hours * _HOUR, rate=100 / 30 / _HOUR)
        self._charge = 100.0
        return phase._replace(charge=100.0)

    def _still(self, status: Status, *, minutes: float) -> Phase:
        return self._phase(status, seconds=minutes * 60, rate=0.0)

    def _phase(self, status: Status, *, seconds: float, rate: float, taper: float = 0.0) -> Phase:
        """The next phase; leaves the pack as it is at the end of it."""
        c_rate = rate * _HOUR / 100
        phase = Phase(
            begin=self._now,
            end=self._now + max(round(seconds), 1),
            status=status,
            charge=self._charge,
            rate=rate,
            taper=taper,
            current=c_rate * self._make.ampere_hours,
            warmth=self._warmth,
            warmth_due=min(_HEATING * c_rate * c_rate + 8 * abs(c_rate), 14.0),
            cycles=self._cycles,
        )
        self._now = phase.end
        self._charge, self._warmth = phase.charge_at(phase.end), phase.warmth_at(phase.end)
        self._cycles = phase.cycles_at(phase.end)
        return phase
