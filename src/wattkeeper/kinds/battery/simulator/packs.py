"""A pack: who it is, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import pi, sin
from random import Random

from wattkeeper.base.core.clock import EPOCH
from wattkeeper.kinds.battery.simulator.lives import RESISTANCE, Habits, Life, Phase
from wattkeeper.kinds.battery.simulator.makes import MAKES, Make
from wattkeeper.kinds.battery.simulator.troubles import EFFECTS, HABITS, HEALTH, Sample, Trouble

LIVE_SECONDS = 10  # between two samples, as a pack sends them
HISTORY_SECONDS = 300  # between two samples of a history: of 200 packs, 400,000 a week

_TROUBLED_EVERY, _TROUBLED_FIRST = 20, 7
_WEAR = 0.03  # % of health a full cycle costs
_DAY, _YEAR = 86_400, 31_557_600
_GRAIN = Random("grain")
_NOISE = [_GRAIN.gauss(0, 1) for _ in range(4_096)]  # drawn once; packs and channels begin anywhere in it


@dataclass(frozen=True, slots=True)
class Wear:
    """How old a pack is: % of its first capacity, and full cycles."""

    health: float
    cycles: int


class Pack:
    """One simulated pack; `number` counts from 1, `origin` (aware) is where its life begins."""

    def __init__(self, number: int, *, seed: int, origin: datetime) -> None:
        self.serial_number = f"PACK-{number:04d}"
        self.trouble = _trouble_of(number)
        self._key = f"battery/{seed}/{number}"
        rng = Random(self._key)
        self.make: Make = rng.choices(MAKES, [make.weight for make in MAKES])[0]
        self.name = f"{self.make.powers} {number}"
        self.site = rng.choice(self.make.sites)
        self._origin = _second_of(origin)
        self._health = rng.uniform(*HEALTH.get(self.trouble, (84, 100)) if self.trouble else (84, 100))
        self._cycles = int((100 - self._health) / _WEAR * rng.uniform(0.8, 1.2))
        self._warm = rng.uniform(13, 21)  # °C of the place on average
        self._fine = 1_000 if self.make.voltage_nominal < 10 else 100  # steps in a volt, and in an ampere
        # A share of the nominal voltage for each ampere.
        self._resistance = RESISTANCE / self.make.max_discharge_current
        self._shift = rng.randrange(len(_NOISE))
        self._offset = rng.randrange(LIVE_SECONDS)

    def samples(self, *, every: int, since: datetime) -> Iterator[Sample]:
        """The samples at or after `since`, `every` (seconds) one, without end."""
        first = max(_second_of(since, up=True), self._origin)
        second = first + (self._offset - first) % every
        effect = EFFECTS.get(self.trouble) if self.trouble else None
        for phase in self._phases():
            if second < phase.end:
                seconds = range(second, phase.end, every)
                second = seconds[-1] + every
                measured = (self._measured(phase, at) for at in seconds)
                yield from measured if effect is None else filter(None, (effect(self.make, one) for one in measured))

    def wear(self, at: datetime) -> Wear:
        """What a workshop would say of it at that time."""
        second = max(_second_of(at), self._origin)
        phase = next(phase for phase in self._phases() if second < phase.end)
        cycles = phase.cycles_at(second)
        return Wear(round(max(self._health - _WEAR * cycles, 0.0), 1), self._cycles + int(cycles))

    def _phases(self) -> Iterator[Phase]:
        habits = HABITS.get(self.trouble, Habits()) if self.trouble else Habits()
        return Life(self.make, habits, rng=Random(f"{self._key}/life"), origin=self._origin).phases()

    def _measured(self, phase: Phase, second: int) -> Sample:
        """This is the hot loop of a history."""
        place = self._shift + second // LIVE_SECONDS
        charge, current = phase.charge_at(second), phase.current_at(second)
        if current:
            current *= 1 + 0.02 * _NOISE[place & 4095]
        share = self.make.resting[int(charge * 10)] + self._resistance * current + 0.0008 * _NOISE[place + 97 & 4095]
        temperature = self._warm + _swing(second) + phase.warmth_at(second) + 0.15 * _NOISE[place + 997 & 4095]
        fine = self._fine
        return Sample(
            second,
            round(charge * 10) / 10,  # a quarter of the time of round(..., 1)
            round(share * self.make.voltage_nominal * fine) / fine,
            round(temperature * 10) / 10,
            phase.status,
            round(current * fine) / fine,
        )


@lru_cache(maxsize=65_536)
def _swing(second: int) -> float:
    """°C by which days and seasons move the air: all places lie in one country."""
    return 4 * sin(2 * pi * (second % _DAY) / _DAY - 2.4) - 6 * sin(2 * pi * (second % _YEAR) / _YEAR + 1.3)


def _trouble_of(number: int) -> Trouble | None:
    place, rest = divmod(number - _TROUBLED_FIRST, _TROUBLED_EVERY)
    return list(Trouble)[place % len(Trouble)] if rest == 0 else None


def _second_of(moment: datetime, *, up: bool = False) -> int:
    passed = moment - EPOCH
    return passed.days * _DAY + passed.seconds + (up and passed.microseconds > 0)
