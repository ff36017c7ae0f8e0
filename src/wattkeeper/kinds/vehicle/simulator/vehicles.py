"""Vehicles that drive, charge and stand.

A vehicle stands at home, drives out, stands there, drives back the same road, and charges. It tells its rows a *leg* at
a time (columns of at most `_BATCH` rows), and a road is drawn once and driven often: that makes it fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate, count
from math import sin
from random import Random
from typing import NamedTuple
from uuid import UUID

from wattkeeper.base.core.clock import EPOCH

INTERVAL_SECONDS = 2.3  # between two samples of a moving vehicle, on average

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_AWAKE_MS, _CHARGING_MS, _ASLEEP_MS = 10_000, 60_000, 180_000  # between two samples of a standing vehicle
_BATCH = 64  # rows of a leg: as far as a vehicle may be ahead of its feed, which keeps a large fleet in the cache
_ROADS = 48  # a seed's roads; drawn when first driven
_RETIRED_M = 2_999_000_000  # from here on a vehicle only stands, so it never reaches 3,000,000 km
_MASS_KG = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: aware UTC time in whole milliseconds, km/h, km, whole %, whole m, and P, R, N, D or None."""

    vehicle_id: str
    timestamp: datetime
    speed: float | None
    odometer: float
    soc: int
    elevation: int
    shift_state: str | None


class Leg(NamedTuple):
    """Consecutive rows of one vehicle, as columns."""

    at: Sequence[int]  # ms since 1970, strictly increasing
    speed: Sequence[int | None]
    odometer: Sequence[int]  # in 100 m, so that it prints with one decimal
    soc: Sequence[int]
    elevation: Sequence[int]
    shift_state: Sequence[str | None]


class _Road(NamedTuple):
    """A way to drive, second by second; all but speed and gear count from its beginning."""

    speeds: Sequence[int]
    shift_states: str
    metres: Sequence[int]
    rise: Sequence[int]
    used_wh: Sequence[int]


@lru_cache(maxsize=4 * _ROADS)
def _road(seed: int, *, number: int, homeward: bool) -> _Road:
    rng = Random(f"road/{seed}/{number}")
    speeds, shift_states = _drawn_speeds(rng)
    heights = _drawn_heights(rng, _metres(speeds))
    if homeward:  # the same hills from the other side: whoever returns is exactly as high as before
        speeds, shift_states, heights = speeds[::-1], shift_states[::-1], heights[::-1]
    metres = _metres(speeds)
    return _Road(speeds, shift_states, metres, [height - heights[0] for height in heights], _used_wh(speeds, heights))


def _metres(speeds: Sequence[int]) -> list[int]:
    return [int(metres) for metres in accumulate(speed / 3.6 for speed in speeds)]


def _drawn_speeds(rng: Random) -> tuple[list[int], str]:
    """Backs out perhaps, then pulls away, cruises and stops until it is there."""
    backing = rng.choice((0, 0, 4, 7))
    speeds = [0, *[rng.randint(2, 4)] * backing, 0]
    shift_states = "R" * (backing + 1) + "N" if backing else "NN"
    there = rng.randrange(480, 2_000)
    fast = rng.random()
    while len(speeds) < there:
        cruise = rng.choice((80, 100, 120) if rng.random() < fast else (30, 50, 50, 60))
        speeds += range(0, cruise, 4)  # km/h a second: 1.1 m/s²
        drift = accumulate(rng.choices((-1, 0, 0, 0, 1), k=rng.randrange(15, 200)), initial=cruise)
        speeds += [min(max(speed, cruise - 8), cruise + 8) for speed in drift]
        speeds += range(speeds[-1] - 5, 0, -6)  # 1.7 m/s²
        speeds += [0] * rng.randrange(2, 30)
    return speeds, shift_states + "D" * (len(speeds) - len(shift_states))


def _drawn_heights(rng: Random, metres: Sequence[int]) -> list[int]:
    """Two waves of hills along the way: smooth, about 4 % steep at most, and 100 m from top to bottom."""
    hill, bump = rng.uniform(5, 40), rng.uniform(0, 10)
    wide, narrow, shift = rng.uniform(1_500, 6_000), rng.uniform(700, 1_400), rng.uniform(0, 6.28)
    return [round(hill * sin(shift + way / wide) + bump * sin(way / narrow)) for way in metres]


def _used_wh(speeds: Sequence[int], heights: Sequence[int]) -> list[int]:
    """Energy drawn since the beginning, in Wh.

    The road load equation (rolling, drag, inertia, grade; Gillespie, Fundamentals of Vehicle Dynamics, ch. 4), of which
    braking gives 60 % back, and 400 W for everything else.
    """
    joules, used, before, height_before = 0.0, [], 0.0, heights[0]
    for speed, height in zip(speeds, heights, strict=True):
        metres = speed / 3.6  # in this second
        motion = (200 + 0.4 * metres * metres) * metres + _MASS_KG * (metres * metres - before * before) / 2
        work = motion + _MASS_KG * 9.81 * (height - height_before)
        joules += 400 + (work if work > 0 else work * 0.6)
        used.append(int(joules / 3_600))
        before, height_before = metres, height
    return used


@lru_cache(maxsize=64)
def _gaps(mean_ms: int) -> list[int]:
    """Uneven times between samples, drawn once; vehicles begin anywhere in them."""
    rng = Random(mean_ms)
    return [max(1, round(mean_ms * rng.triangular(0.7, 1.4, 0.9))) for _ in range(2_048)]


class Vehicle:
    """One simulated vehicle, from `start` (aware) on."""

    def __init__(
        self, vehicle_id: str, *, seed: int, start: datetime, interval_seconds: float = INTERVAL_SECONDS
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be aware.")
        if not 0.01 <= interval_seconds <= 3_600:
            raise ValueError(f"interval_seconds must be in 0.01..3600, not {interval_seconds}.")
        self.vehicle_id = vehicle_id
        self.now_ms = (start - EPOCH) // timedelta(milliseconds=1)
        self._seed = seed
        self._interval_ms = round(interval_seconds * 1_000)
        self._rng = rng = Random(f"vehicle/{seed}/{vehicle_id}")
        # Small batteries and late charging would strand a vehicle: there and back takes up to 37 kWh.
        self._capacity_wh = rng.randrange(60_000, 100_000, 1_000)
        self._charge_below, self._charge_to = rng.randint(70, 78), rng.choice((80, 85, 90, 95))  # %
        self._idle_watts = rng.randint(5, 40)
        self.metres = rng.randrange(500_000, 80_000_000)
        self.elevation = rng.randint(120, 700)
        self.charge_wh = self._capacity_wh * rng.randint(72, 95) // 100

    def legs(self) -> Iterator[Leg]:
        """All that it does, day after day, without end."""
        for midnight in count(self.now_ms // _DAY_MS * _DAY_MS, _DAY_MS):
            for hour in sorted(self._rng.sample(range(6, 22), self._rng.choice((1, 1, 2, 3)))):
                departure = midnight + hour * _HOUR_MS + self._rng.randrange(_HOUR_MS)
                if departure > self.now_ms:  # else it is too late for this one
                    yield from self._park(departure)
                    yield from self._outing()

    def _outing(self) -> Iterator[Leg]:
        number = self._rng.randrange(_ROADS)
        if self.metres < _RETIRED_M:
            yield from self._drive(_road(self._seed, number=number, homeward=False))
            stay = self._rng.choice((10, 20, 40, 60, 120, 240, 480)) * self._rng.randrange(50_000, 70_000)
            yield from self._park(self.now_ms + stay)
            yield from self._drive(_road(self._seed, number=number, homeward=True))
        if self.charge_wh * 100 < self._capacity_wh * self._charge_below:
            yield from self._charge()

    def _drive(self, road: _Road) -> Iterator[Leg]:
        speeds, shift_states, metres, rise, used_wh = road
        began, driven, base = self.now_ms, self.metres, self.elevation
        charge, capacity = self.charge_wh, self._capacity_wh
        for at in self._instants(began + 1_000 * len(speeds), self._interval_ms):
            seconds = [(ms - began) // 1_000 for ms in at]
            yield Leg(
                at,
                [speeds[second] for second in seconds],
                [(driven + metres[second]) // 100 for second in seconds],
                [(charge - used_wh[second]) * 100 // capacity for second in seconds],
                [base + rise[second] for second in seconds],
                [shift_states[second] for second in seconds],
            )
        self.metres, self.elevation, self.charge_wh = driven + metres[-1], base + rise[-1], charge - used_wh[-1]

    def _park(self, until: int) -> Iterator[Leg]:
        """In P for a while, then asleep: neither speed nor shift state is known."""
        asleep = min(until, self.now_ms + self._rng.randrange(20_000, 120_000))
        yield from self._stand(asleep, every_ms=_AWAKE_MS, watts=-self._idle_watts, speed=0, shift_state="P")
        yield from self._stand(until, every_ms=_ASLEEP_MS, watts=-self._idle_watts, speed=None, shift_state=None)

    def _charge(self) -> Iterator[Leg]:
        missing_wh = self._capacity_wh * self._charge_to // 100 - self.charge_wh
        watts = self._rng.choice((3_700, 7_400, 11_000, 11_000, 22_000, 50_000))
        until = self.now_ms + missing_wh * _HOUR_MS // watts
        yield from self._stand(until, every_ms=_CHARGING_MS, watts=watts, speed=0, shift_state="P")

    def _stand(
        self, until: int, *, every_ms: int, watts: int, speed: int | None, shift_state: str | None
    ) -> Iterator[Leg]:
        began, charge, capacity = self.now_ms, self.charge_wh, self._capacity_wh
        for at in self._instants(until, max(every_ms, self._interval_ms)):
            n = len(at)
            socs = [(charge + (ms - began) * watts // _HOUR_MS) * 100 // capacity for ms in at]
            yield Leg(at, [speed] * n, [self.metres // 100] * n, socs, [self.elevation] * n, [shift_state] * n)
        self.charge_wh = charge + (until - began) * watts // _HOUR_MS

    def _instants(self, until: int, mean_ms: int) -> Iterator[list[int]]:
        """Times of samples after now and before `until`, in batches; leaves the clock at `until`."""
        gaps = _gaps(mean_ms)
        while self.now_ms < until:
            begin = self._rng.randrange(len(gaps) - _BATCH)
            at = list(accumulate(gaps[begin : begin + _BATCH], initial=self.now_ms))
            self.now_ms = min(at[-1], until)
            if at[-1] >= until:
                at = [ms for ms in at if ms < until]
            if len(at) > 1:
                yield at[1:]


def simulate(
    vehicle_id: str, *, seed: int, start: datetime, interval_seconds: float = INTERVAL_SECONDS
) -> Iterator[Sample]:
    """The samples of one vehicle after `start`, without end (but OverflowError where the calendar ends, in 9999)."""
    for leg in Vehicle(vehicle_id, seed=seed, start=start, interval_seconds=interval_seconds).legs():
        for at, speed, hectometres, soc, elevation, shift_state in zip(*leg, strict=True):
            timestamp = EPOCH + timedelta(milliseconds=at)
            kmh = None if speed is None else float(speed)
            yield Sample(vehicle_id, timestamp, kmh, hectometres / 10, soc, elevation, shift_state)


def fleet_ids(size: int, *, seed: int, readable: bool = False) -> list[str]:
    """Ids as vehicles have them (UUIDs), or VAN-0001 and on; a larger fleet begins with the ids of a smaller one."""
    if readable:
        return [f"VAN-{number:04d}" for number in range(1, size + 1)]
    rng = Random(f"fleet/{seed}")
    return [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(size)]
