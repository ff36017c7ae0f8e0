"""How much of what a flat uses in a day, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from math import cos, exp, pi
from random import Random

from wattkeeper.kinds.meter.simulator.weather import degrees_to_heat


class Medium(StrEnum):
    """What is delivered to a flat, in the order of its meters."""

    HEAT = "heat"
    WARM_WATER = "warm water"
    COLD_WATER = "cold water"
    ELECTRICITY = "electricity"


# What of a day's use falls on which of its hours.
_HOURS: dict[Medium, tuple[int, ...]] = {
    Medium.HEAT: (2, 2, 2, 2, 3, 5, 7, 7, 6, 5, 4, 4, 4, 4, 4, 4, 5, 6, 6, 6, 5, 4, 3, 2),
    Medium.WARM_WATER: (0, 0, 0, 0, 1, 4, 10, 12, 7, 4, 3, 3, 4, 3, 2, 2, 3, 5, 8, 8, 7, 7, 5, 2),
    Medium.COLD_WATER: (1, 0, 0, 0, 1, 3, 8, 10, 7, 5, 4, 5, 6, 4, 3, 3, 4, 6, 8, 8, 6, 4, 3, 1),
    Medium.ELECTRICITY: (2, 2, 2, 2, 2, 2, 4, 5, 4, 4, 4, 5, 6, 5, 4, 4, 5, 6, 7, 7, 7, 6, 4, 3),
}
_SHARES = {
    medium: tuple(part / sum(hours) for part in accumulate(hours, initial=0)) for medium, hours in _HOURS.items()
}
_LEAST_AND_MOST = {  # of a flat's day: kWh for each kelvin, m³, m³, kWh
    Medium.HEAT: (0.7, 1.6),
    Medium.WARM_WATER: (0.05, 0.13),
    Medium.COLD_WATER: (0.11, 0.27),
    Medium.ELECTRICITY: (4.5, 11.0),
}
_SPREAD = {Medium.HEAT: 0.07, Medium.WARM_WATER: 0.16, Medium.COLD_WATER: 0.15, Medium.ELECTRICITY: 0.12}
_AT_WEEKENDS = {Medium.HEAT: 1.08, Medium.WARM_WATER: 1.15, Medium.COLD_WATER: 1.2, Medium.ELECTRICITY: 1.15}
_YEAR_DAYS, _DAY, _HOUR = 365.2425, 86_400, 3_600


@dataclass(frozen=True, slots=True)
class Habits:
    """What the people of one flat use of one medium. `usual`: kWh for each kelvin, m³ or kWh a day."""

    medium: Medium
    usual: float
    seed: str

    def of_day(self, day: int) -> float:
        """kWh or m³ of the day of that number since 1970."""
        medium = self.medium
        use = self.usual * exp(Random(f"{self.seed}/{day}").gauss(0, _SPREAD[medium]))
        if is_weekend(day):
            use *= _AT_WEEKENDS[medium]
        if medium is Medium.HEAT:
            return use * degrees_to_heat(day)
        if medium is Medium.ELECTRICITY:
            use *= 1 + 0.12 * cos(2 * pi * (day % _YEAR_DAYS) / _YEAR_DAYS)  # light
        return use


def habits_of(medium: Medium, *, seed: str) -> Habits:
    return Habits(medium, Random(seed).uniform(*_LEAST_AND_MOST[medium]), seed)


def share_until(medium: Medium, second: int) -> float:
    """What share of its day's use has passed by that second of the day."""
    shares: Sequence[float] = _SHARES[medium]
    hour, rest = divmod(second, _HOUR)
    return shares[hour] + (shares[hour + 1] - shares[hour]) * rest / _HOUR


@lru_cache(maxsize=4_096)
def is_weekend(day: int) -> bool:
    return (day + 3) % 7 >= 5  # 1970 began on a Thursday
