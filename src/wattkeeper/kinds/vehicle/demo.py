"""The demo's vehicles: what they have done since an origin, and what they do now."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import dropwhile, takewhile
from typing import TextIO

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.flow.readings.normalise import row_flags
from wattkeeper.flow.readings.reading import Row
from wattkeeper.kinds.vehicle.simulator.vehicles import Sample, fleet_ids, simulate
from wattkeeper.kinds.vehicle.streams import TELEMETRY

STREAM = TELEMETRY
SEED = 20
HISTORY_DAYS: int | None = None


def tend(*, size: int, origin: datetime, at: datetime, tenant: Tenant, by: str) -> None:
    """Nothing: vehicles appear with their first reading, and their readings tell all there is."""


def history_write(out: TextIO, *, size: int, origin: datetime, since: datetime, until: datetime) -> int:
    """The samples in `[since, until)` as CSV; gives how many. The same origin gives the same lives."""
    writer = csv.writer(out)
    writer.writerow(STREAM.columns)
    rows = 0
    for vehicle_id in fleet_ids(size, seed=SEED, readable=True):
        for sample in takewhile(lambda s: s.timestamp < until, _life(vehicle_id, origin=origin, since=since)):
            values = _values(sample)
            writer.writerow([sample.vehicle_id, sample.timestamp.isoformat(), *values.values()])
            rows += 1
    return rows


def present(*, size: int, origin: datetime, since: datetime) -> Iterator[Row]:
    """The fleet's samples from `since` on in the order of time, without end."""
    lives = (_life(vehicle, origin=origin, since=since) for vehicle in fleet_ids(size, seed=SEED, readable=True))
    for sample in heapq.merge(*lives, key=lambda sample: sample.timestamp):
        values = _values(sample)
        yield Row(sample.vehicle_id, sample.timestamp, values, row_flags(STREAM, values))


def _life(vehicle_id: str, *, origin: datetime, since: datetime) -> Iterator[Sample]:
    samples = simulate(vehicle_id, seed=SEED, start=origin)
    return dropwhile(lambda sample: sample.timestamp < since, samples)


def _values(sample: Sample) -> dict[str, float | int | str | None]:
    return {
        "speed": sample.speed,
        "odometer": sample.odometer,
        "soc": sample.soc,
        "elevation": float(sample.elevation),
        "shift_state": sample.shift_state,
    }
