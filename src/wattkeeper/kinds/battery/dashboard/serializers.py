"""What the dashboard's endpoints give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.kinds.battery.dashboard.queries import CHARGE_BANDS, CYCLE_BANDS, HEALTH_BANDS, Band
from wattkeeper.kinds.battery.models import Status
from wattkeeper.kinds.battery.serializers import BatterySerializer
from wattkeeper.views.api.alert_serializers import AlertSerializer


def _numbers(name: str, *fields: str) -> serializers.Serializer[Any]:
    """An object of whole numbers, but for averages."""
    made = {
        field: serializers.FloatField() if field == "average" else serializers.IntegerField(min_value=0)
        for field in fields
    }
    serializer: type[serializers.Serializer[Any]] = type(f"Dashboard{name}Serializer", (serializers.Serializer,), made)
    return serializer()


def _bands(name: str, bands: tuple[Band, ...]) -> serializers.Serializer[Any]:
    return _numbers(name, *(band.label for band in bands))


class StatusCountSerializer(serializers.Serializer[Any]):
    current_status = serializers.ChoiceField(choices=Status.values)
    count = serializers.IntegerField(min_value=0)


class BatteryTypeCountSerializer(serializers.Serializer[Any]):
    battery_type = serializers.CharField()
    count = serializers.IntegerField(min_value=0)


class AlertTypeCountSerializer(serializers.Serializer[Any]):
    alert_type = serializers.ChoiceField(choices=[one.value for one in AlertType])
    count = serializers.IntegerField(min_value=0)


class AlertLevelCountSerializer(serializers.Serializer[Any]):
    alert_level = serializers.ChoiceField(choices=[one.value for one in Level])
    count = serializers.IntegerField(min_value=0)


class StatsSerializer(serializers.Serializer[Any]):
    """The fleet in figures; active is charging or discharging, low below 50 %, critical critical and unresolved."""

    batteries = _numbers("Batteries", "total", "active", "faulty")
    health = _numbers("Health", "average", "low_count")
    charge = _numbers("Charge", "average")
    temperature = _numbers("Temperature", "average")
    alerts = _numbers("Alerts", "total", "unresolved", "critical")
    devices = _numbers("Devices", "total", "active")


class ChartsSerializer(serializers.Serializer[Any]):
    """How many batteries there are of each kind, and alerts."""

    status = StatusCountSerializer(many=True)
    health_ranges = _bands("HealthRanges", HEALTH_BANDS)
    charge_ranges = _bands("ChargeRanges", CHARGE_BANDS)
    types = BatteryTypeCountSerializer(many=True)
    cycle_ranges = _bands("CycleRanges", CYCLE_BANDS)
    alert_types = AlertTypeCountSerializer(many=True)


class TrendSerializer(serializers.Serializer[Any]):
    """Lines over the same times, the oldest first."""

    timestamps = serializers.ListField(child=serializers.DateTimeField())
    charge = serializers.ListField(child=serializers.FloatField(allow_null=True))
    voltage = serializers.ListField(child=serializers.FloatField(allow_null=True))
    temperature = serializers.ListField(child=serializers.FloatField(allow_null=True))


class AlertSummarySerializer(serializers.Serializer[Any]):
    """How many alerts there are, and the newest that are unresolved."""

    alert_types = AlertTypeCountSerializer(many=True)
    alert_levels = AlertLevelCountSerializer(many=True)
    recent_unresolved = AlertSerializer(many=True)


class DashboardSerializer(serializers.Serializer[Any]):
    """All of it."""

    timestamp = serializers.DateTimeField()
    stats = StatsSerializer()
    charts = ChartsSerializer()
    batteries = BatterySerializer(many=True)
    alerts = AlertSummarySerializer()
