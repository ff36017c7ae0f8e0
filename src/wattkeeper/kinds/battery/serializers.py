"""What the batteries' endpoints take and give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.flow.store.queries import StoredRow
from wattkeeper.kinds.battery.models import Battery, DeviceType, Status
from wattkeeper.kinds.battery.streams import NAMEPLATE, STATUS, WRITTEN
from wattkeeper.views.api.alert_serializers import AlertSerializer
from wattkeeper.views.api.fields import (
    AssetKeyField,
    Choice,
    KnownFieldsOnly,
    ReadingTimeField,
    Text,
    Truth,
    channel_field,
)

BATTERIES_MOST = 1_000  # in a device
ID_MOST = 2**63 - 1

_CHANNELS: Mapping[str, Channel] = {channel.name: channel for channel in (*NAMEPLATE, *STATUS.channels, *WRITTEN)}


def _plate(name: str, *, required: bool = False) -> Any:
    return channel_field(_CHANNELS[name], source=f"battery.{name}", required=required, allow_null=not required)


def _state(name: str, *, allow_null: bool = False) -> Any:
    return channel_field(_CHANNELS[name], source=f"battery_state.{name}", required=False, allow_null=allow_null)


class BatterySerializer(KnownFieldsOnly):
    """A battery: what stands on it, and what it does now."""

    id = serializers.IntegerField(read_only=True, source="pk")
    serial_number = AssetKeyField(STATUS, source="key", help_text="Unique in the tenant.")
    battery_type = Text(max_length=100, source="type", help_text="Free text, such as Li-ion.")
    capacity = _plate("capacity", required=True)
    voltage_nominal = _plate("voltage_nominal", required=True)
    current_charge = _state("current_charge", allow_null=True)
    current_voltage = _state("current_voltage", allow_null=True)
    current_temperature = _state("current_temperature", allow_null=True)
    current_status = _state("current_status")
    health_percentage = _state("health_percentage")
    cycle_count = _state("cycle_count")
    max_discharge_current = _plate("max_discharge_current")
    max_charge_current = _plate("max_charge_current")
    last_updated = serializers.DateTimeField(
        read_only=True, source="battery_state.updated_at", help_text="When its state was last written, by the clock."
    )
    created_at = serializers.DateTimeField(read_only=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """By the fields' own names, as the actions want them."""
        found = super().to_internal_value(data)
        own = {outside: found[inside] for inside, outside in _OUTSIDE.items() if inside in found}
        return {**own, **found.get("battery", {}), **found.get("battery_state", {})}

    def to_representation(self, instance: Asset) -> dict[str, Any]:
        """By hand, which is many times as fast: an export has a hundred thousand of them."""
        plate, state = instance.battery, instance.battery_state
        return {
            "id": instance.pk,
            "serial_number": instance.key,
            "battery_type": instance.type,
            "capacity": plate.capacity,
            "voltage_nominal": plate.voltage_nominal,
            "current_charge": state.current_charge,
            "current_voltage": state.current_voltage,
            "current_temperature": state.current_temperature,
            "current_status": state.current_status,
            "health_percentage": state.health_percentage,
            "cycle_count": state.cycle_count,
            "max_discharge_current": plate.max_discharge_current,
            "max_charge_current": plate.max_charge_current,
            "last_updated": _iso(state.updated_at),
            "created_at": _iso(instance.created_at),
        }


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


_OUTSIDE = {"key": "serial_number", "type": "battery_type"}


class StatusUpdateSerializer(KnownFieldsOnly):
    """What a battery does at a moment; what is left out stays as it was, but the current, which is then 0."""

    current_charge = channel_field(_CHANNELS["current_charge"])
    current_voltage = channel_field(_CHANNELS["current_voltage"])
    current_temperature = channel_field(_CHANNELS["current_temperature"])
    current_status = channel_field(_CHANNELS["current_status"])
    current = channel_field(_CHANNELS["current"], help_text="Positive while charging; 0 where it is missing.")
    logged_at = ReadingTimeField(
        required=False,
        allow_null=True,
        help_text="ISO 8601, naive times in UTC; or epoch seconds or milliseconds. Now, where it is missing.",
    )


class LogSerializer(serializers.Serializer[Any]):
    """One status as it was stored."""

    id = serializers.CharField(read_only=True, help_text="Opaque.")
    battery = serializers.IntegerField(read_only=True)
    battery_serial = serializers.CharField(read_only=True, help_text="As it was then.")
    charge_percentage = serializers.FloatField(read_only=True, allow_null=True)
    voltage = serializers.FloatField(read_only=True, allow_null=True)
    temperature = serializers.FloatField(read_only=True, allow_null=True)
    current = serializers.FloatField(read_only=True, allow_null=True, help_text="Positive while charging.")
    status = serializers.ChoiceField(choices=Status.values, read_only=True, allow_null=True)
    logged_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: StoredRow) -> dict[str, Any]:
        values = instance.values
        return {
            "id": instance.key.public_id(),
            "battery": instance.key.asset_id,
            "battery_serial": instance.asset_key,
            "charge_percentage": values["current_charge"],
            "voltage": values["current_voltage"],
            "temperature": values["current_temperature"],
            "current": values["current"],
            "status": values["current_status"],
            "logged_at": _iso(instance.key.at),
        }


class HealthReportSerializer(serializers.Serializer[Any]):
    """How a battery is: what it does now, what is wrong with it, and what it has said last."""

    battery = BatterySerializer(read_only=True)
    recent_alerts = AlertSerializer(many=True, read_only=True, help_text="The unresolved ones, the newest first.")
    recent_readings = LogSerializer(many=True, read_only=True, help_text="The newest 100, the newest first.")
    average_temperature = serializers.FloatField(read_only=True, help_text="Of these; 0 where none has one.")


class _HeldField(serializers.ListField):
    """The ids of the batteries that a device holds."""

    child = serializers.IntegerField(min_value=1, max_value=ID_MOST)

    def to_representation(self, data: Any) -> list[int]:
        return [battery.pk for battery in data.all()]


class _HeldBatterySerializer(BatterySerializer):
    def to_representation(self, instance: Battery) -> dict[str, Any]:  # type: ignore[override]
        return super().to_representation(instance.asset)


class DeviceSerializer(KnownFieldsOnly):
    """Something that runs on batteries."""

    id = serializers.IntegerField(read_only=True)
    device_name = Text(max_length=200)
    device_type = Choice(choices=DeviceType.values)
    serial_number = Text(max_length=100, help_text="Unique in the tenant.")
    location = Text(max_length=200, required=False, allow_blank=True)
    batteries = _HeldField(max_length=BATTERIES_MOST, required=False, help_text="Ids of batteries.")
    is_active = Truth(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    last_checked = serializers.DateTimeField(
        read_only=True, help_text="When somebody last said what the device is and holds."
    )
    batteries_detail = _HeldBatterySerializer(source="batteries", many=True, read_only=True)


class DeviceStatusSerializer(DeviceSerializer):
    """A device with what its batteries do now."""

    batteries = _HeldBatterySerializer(many=True, read_only=True)  # type: ignore[assignment]
    batteries_detail = None  # type: ignore[assignment]
