"""Batteries and their history, written as an import writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.stores import AssetBook, load_text
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.battery.models import Battery
from wattkeeper.kinds.battery.streams import STATUS

START = datetime(2024, 5, 1, tzinfo=UTC)
HEADER = b"serial_number,logged_at,current_charge,current_voltage,current_temperature,current_status,current\n"

# Serial number, seconds after START, temperature, voltage, status.
Row = tuple[str, float, float | None, float | None, str | None]


def battery_make(key: str, *, tenant: Tenant, voltage_nominal: float | None = 10.0, type: str = "Li-ion") -> Asset:
    asset = Asset.objects.create(tenant=tenant, kind="battery", key=key, type=type, registered_by="test")
    Battery.objects.create(asset=asset, voltage_nominal=voltage_nominal)
    return asset


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def history_load(store: Store, folder: Path, rows: Sequence[Row], *, assets: Sequence[Asset]) -> None:
    """Have the readings of those batteries, which are of one tenant."""
    book = AssetBook(registers=False)
    book.ids.update({asset.key: asset.pk for asset in assets})
    lines = (
        f"{key},{moment(at).isoformat()},50,{_cell(voltage)},{_cell(temperature)},{_cell(status)},0\n"
        for key, at, temperature, voltage, status in rows
    )
    load_text(store, STATUS, HEADER + "".join(lines).encode(), folder, tenant_id=assets[0].tenant_id, assets=book)


def _cell(value: object) -> str:
    return "" if value is None else str(value)
