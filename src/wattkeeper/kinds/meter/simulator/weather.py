"""The weather of a temperate town, by the day: what it makes people use."""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi
from random import Random

_MEAN, _SWING = 10.0, 9.5  # °C
_COLDEST = 20  # days after the first of January
_YEAR_DAYS = 365.2425
_FIRST_OF_JANUARY = 0  # 1970-01-01, counted as day 0
_HEATING_LIMIT = 15.0  # °C outside, above which nobody heats


@lru_cache(maxsize=4_096)
def outside(day: int) -> float:
    """The mean temperature in °C of the day of that number since 1970; days near each other are alike."""
    season = _MEAN - _SWING * cos(2 * pi * ((day - _FIRST_OF_JANUARY) % _YEAR_DAYS - _COLDEST) / _YEAR_DAYS)
    return season + sum(_chance(day - back) for back in range(6)) / 6


def degrees_to_heat(day: int) -> float:
    """By how many kelvin the air is to be warmed that day; 0 where nobody heats."""
    return max(_HEATING_LIMIT - outside(day), 0.0)


@lru_cache(maxsize=4_096)
def _chance(day: int) -> float:
    return Random(f"weather/{day}").gauss(0, 5.5)
