"""Readings of a counter, without a telegram around them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from wattkeeper.flow.readings.reading import Reading, Row
from wattkeeper.flow.store.counters import STANDS, CounterDay, rise
from wattkeeper.kinds.meter.streams import MESSAGE

_digests = itertools.count(1)
_NOTHING: dict[str, Any] = dict.fromkeys(
    [*(channel.name for channel in MESSAGE.channels), *(one.name for one in MESSAGE.beside)]
)


def counted(tenant_id: int, asset_id: int, at: datetime, **values: Any) -> Reading:
    """A message of that moment that says these values and no others."""
    said = {**_NOTHING, "digest": next(_digests), "received_at": at, "own_time": at, "unknown": [], **values}
    return Reading(tenant_id, asset_id, Row(f"M{asset_id}", at, said))


def days_by_hand(asset_id: int, samples: Sequence[tuple[datetime, float]], zone: Any) -> list[CounterDay]:
    """What `counter_days` gives for samples of which none falls by little, in plain Python."""
    days = []
    for day, some in itertools.groupby(_sound(samples), key=lambda sample: sample[0].astimezone(zone).date()):
        inside = list(some)
        steps = [rise(before, after) for (_, before), (_, after) in itertools.pairwise(inside)]
        days.append(
            CounterDay(
                asset_id, day, *inside[0], *inside[-1], sum(step for step, _ in steps), sum(fell for _, fell in steps)
            )
        )
    return days


def _sound(samples: Sequence[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    """The samples but those that lie below both of their neighbours, of which the second is no lower, or far above
    both where these are close together."""
    values = [value for _, value in samples]
    around = zip(values[:1] + values, values, [*values[1:], *values[-1:]], strict=False)
    return [
        sample
        for sample, (before, value, after) in zip(samples, around, strict=True)
        if not (value < STANDS * before and value < after and after >= before)
        and not (0 < before <= after and before >= STANDS * after and after < STANDS * value)
    ]
