"""The demo's packs: what they have told since an origin, and what they tell now."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import TextIO

from django.db import transaction

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.actions import asset_change
from wattkeeper.base.assets.queries import assets_of_kind, ids_of
from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.readings.normalise import row_flags
from wattkeeper.flow.readings.reading import Row, Value
from wattkeeper.kinds.battery.actions import battery_change, battery_register
from wattkeeper.kinds.battery.simulator.packs import HISTORY_SECONDS, LIVE_SECONDS, Pack
from wattkeeper.kinds.battery.simulator.troubles import Sample
from wattkeeper.kinds.battery.streams import STATUS

STREAM = STATUS
SEED = 20
HISTORY_DAYS: int | None = None


def packs(size: int, *, origin: datetime) -> list[Pack]:
    """A larger fleet begins with the packs of a smaller one."""
    return [Pack(number, seed=SEED, origin=origin) for number in range(1, size + 1)]


def tend(*, size: int, origin: datetime, at: datetime, tenant: Tenant, by: str) -> None:
    """Register the packs that nobody has registered, and write down what a workshop finds: how worn they are."""
    fleet, kind = packs(size, origin=origin), STREAM.kind
    registered = ids_of(tenant_id=tenant.pk, kind=kind, keys=[pack.serial_number for pack in fleet])
    in_use = assets_of_kind(kind, tenant_id=tenant.pk).select_related("battery_state")
    batteries = {battery.key: battery for battery in in_use}
    with transaction.atomic():
        for pack in fleet:
            wear = pack.wear(at)
            found = {"health_percentage": wear.health, "cycle_count": wear.cycles}
            battery = batteries.get(pack.serial_number)
            if pack.serial_number not in registered:
                _register(pack, found, tenant=tenant, by=by)
            elif battery and battery.battery_state.cycle_count != wear.cycles:
                battery_change(battery, values=found, actor=by)


def history_write(out: TextIO, *, size: int, origin: datetime, since: datetime, until: datetime) -> int:
    """The samples in `[since, until)` as CSV; gives how many. The same origin gives the same lives."""
    out.write(",".join(STREAM.columns) + "\n")
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


def _register(pack: Pack, found: Mapping[str, float], *, tenant: Tenant, by: str) -> None:
    make = pack.make
    values = {
        "serial_number": pack.serial_number,
        "battery_type": make.battery_type,
        "capacity": make.capacity,
        "voltage_nominal": make.voltage_nominal,
        "max_discharge_current": make.max_discharge_current,
        "max_charge_current": make.max_charge_current,
        **found,
    }
    battery = battery_register(tenant=tenant, values=values, actor=by)
    asset_change(battery, name=pack.name, site=pack.site, actor=by)


def _rows(pack: Pack, *, since: datetime) -> Iterator[Row]:
    for sample in pack.samples(every=LIVE_SECONDS, since=since):
        values = values_of(sample)
        at = EPOCH + timedelta(seconds=sample.second)
        yield Row(pack.serial_number, at, values, row_flags(STREAM, values))


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
