"""The demo's packs: what they have told since an origin, and what they tell now."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import TextIO

from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.readings.normalise import row_flags
from wattkeeper.flow.readings.reading import Row, Value
from wattkeeper.kinds.battery.simulator.packs import HISTORY_SECONDS, LIVE_SECONDS, Pack
from wattkeeper.kinds.battery.simulator.troubles import Sample
from wattkeeper.kinds.battery.streams import STATUS

SEED = 20


def packs(size: int, *, origin: datetime) -> list[Pack]:
    """A larger fleet begins with the packs of a smaller one."""
    return [Pack(number, seed=SEED, origin=origin) for number in range(1, size + 1)]


def history_write(out: TextIO, *, size: int, origin: datetime, since: datetime, until: datetime) -> int:
    """The samples in `[since, until)` as CSV; gives how many. The same origin gives the same lives."""
    out.write(",".join(STATUS.columns) + "\n")
    end = (until - EPOCH).total_seconds()
    rows = 0
    for pack in packs(size, origin=origin):
        samples = takewhile(lambda s: s.second < end, pack.samples(every=HISTORY_SECONDS, since=since))
        lines = [
            f"{pack.serial_number},{_time_text(second)},{charge},{voltage},{temperature},{status},{current}\n"
            for second, charge, voltage, temperature, status, current in samples
        ]
        out.writelines(lines)
        rows += len(lines)
    return rows


def present(*, size: int, origin: datetime, since: datetime) -> Iterator[Row]:
    """The fleet's samples from `since` on in the order of time, without end."""
    lives = (_rows(pack, since=since) for pack in packs(size, origin=origin))
    return heapq.merge(*lives, key=lambda row: row.at)


def _rows(pack: Pack, *, since: datetime) -> Iterator[Row]:
    for sample in pack.samples(every=LIVE_SECONDS, since=since):
        values = values_of(sample)
        at = EPOCH + timedelta(seconds=sample.second)
        yield Row(pack.serial_number, at, values, row_flags(STATUS, values))


def values_of(sample: Sample) -> dict[str, Value]:
    return {
        "current_charge": sample.charge,
        "current_voltage": sample.voltage,
        "current_temperature": sample.temperature,
        "current_status": sample.status.value,
        "current": sample.current,
    }


@lru_cache(maxsize=65_536)  # a week's, which the packs share
def _time_text(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).isoformat()
