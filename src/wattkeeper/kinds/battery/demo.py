"""The sample fleet: three batteries, the device that holds two of them, and one alert."""

from __future__ import annotations

from typing import Any

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.flow.alerts.actions import alert_post
from wattkeeper.flow.alerts.queries import alerts_of
from wattkeeper.kinds.battery.actions import battery_register, device_add
from wattkeeper.kinds.battery.models import DeviceType, Status
from wattkeeper.kinds.battery.queries import devices_of
from wattkeeper.kinds.battery.streams import STATUS

_FIELDS = (
    "serial_number", "battery_type", "capacity", "voltage_nominal", "current_charge", "current_voltage",
    "current_temperature", "current_status", "health_percentage", "cycle_count", "max_discharge_current",
    "max_charge_current",
)  # fmt: skip
_BATTERIES: tuple[tuple[Any, ...], ...] = (
    ("BAT-001", "Li-ion", 5000, 3.7, 85, 3.65, 25, Status.DISCHARGING, 95, 150, 10, 5),
    ("BAT-002", "Li-ion", 4000, 3.7, 45, 3.4, 32, Status.CHARGING, 88, 320, 8, 4),
    ("BAT-003", "NiMH", 2500, 1.2, 100, 1.2, 22, Status.IDLE, 100, 50, 5, 2.5),
)
_HELD, _WARM = ("BAT-001", "BAT-002"), "BAT-002"
_DEVICE = {
    "device_name": "Mobile Phone",
    "device_type": DeviceType.MOBILE,
    "serial_number": "DEVICE-001",
    "location": "Warehouse 1",
}
_MESSAGE = "The battery is warmer than it should be while charging."


def sample_make(tenant_id: int, actor: str) -> None:
    """Give the tenant what it lacks of the sample fleet; what is there stays as it is."""
    tenant = Tenant.objects.get(pk=tenant_id)
    for values in _BATTERIES:
        if values[0] not in _there(tenant_id):
            battery_register(tenant=tenant, values=dict(zip(_FIELDS, values, strict=True)), actor=actor)
    there = _there(tenant_id)
    if not devices_of(tenant_id).filter(serial_number=_DEVICE["serial_number"]).exists():
        held = [there[serial].pk for serial in _HELD]
        device_add(tenant=tenant, values={**_DEVICE, "batteries": held}, actor=actor)
    warm = there[_WARM]
    if not alerts_of(tenant_id, asset_id=warm.pk, alert_type=AlertType.OVER_TEMPERATURE).exists():
        alert_post(warm, alert_type=AlertType.OVER_TEMPERATURE, level=Level.WARNING, message=_MESSAGE, by=actor)


def _there(tenant_id: int) -> dict[str, Asset]:
    serials = [values[0] for values in _BATTERIES]
    return {asset.key: asset for asset in assets_of_kind(STATUS.kind, tenant_id=tenant_id).filter(key__in=serials)}
