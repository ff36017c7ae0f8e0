"""Batteries for tests: registered without the API, heard of without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core.clock import now
from wattkeeper.flow.ingest import Ingested, ingest_submit
from wattkeeper.flow.readings.reading import Reading, Row
from wattkeeper.kinds.battery.models import Battery, BatteryState
from wattkeeper.kinds.battery.streams import STATUS

START = datetime(2026, 1, 1, tzinfo=UTC)
FINE = {
    "current_charge": 60.0,
    "current_voltage": 3.7,
    "current_temperature": 25.0,
    "current_status": "IDLE",
    "current": 0.0,
}


def pack_make(tenant: Tenant, key: str = "BAT-1", **nameplate: float) -> Asset:
    """A lithium cell of 3.7 V, 10 A out and 5 A in."""
    asset = Asset.objects.create(tenant=tenant, kind="battery", key=key, type="Li-ion", registered_by="test")
    plate = {"capacity": 5000, "voltage_nominal": 3.7, "max_discharge_current": 10, "max_charge_current": 5}
    Battery.objects.create(asset=asset, **{**plate, **nameplate})
    BatteryState.objects.create(asset=asset, updated_at=now())
    return asset


def reading(asset: Asset, at: float | datetime = 0, flags: tuple[str, ...] = (), **values: Any) -> Reading:
    """A healthy one but for `values`; None leaves a channel out. `at`: a time, or minutes since START."""
    moment = at if isinstance(at, datetime) else START + timedelta(minutes=at)
    return Reading(asset.tenant_id, asset.pk, Row(asset.key, moment, {**FINE, **values}, flags))


def say(asset: Asset, at: float | datetime = 0, **values: Any) -> Ingested:
    """The reading through the whole pipeline."""
    (ingested,) = ingest_submit(STATUS, [reading(asset, at, **values)]).result(timeout=30)
    return ingested


def state_of(asset: Asset) -> BatteryState:
    return BatteryState.objects.get(pk=asset.pk)
