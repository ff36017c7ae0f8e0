from __future__ import annotations

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

from benchmarks.peers.battery_drf.models import Battery, BatteryAlert, BatteryLog

UPDATED = ("current_charge", "current_voltage", "current_temperature", "current_status")


class BatterySerializer(ModelSerializer[Battery]):
    class Meta:
        model = Battery
        fields = "__all__"


class BatteryViewSet(ModelViewSet[Battery]):
    queryset = Battery.objects.order_by("id")
    serializer_class = BatterySerializer

    @action(detail=True, methods=["post"])
    def update_status(self, request: Request, pk: Any = None) -> Response:
        battery = self.get_object()
        for name in UPDATED:
            setattr(battery, name, request.data.get(name, getattr(battery, name)))
        battery.save()
        BatteryLog.objects.create(
            battery=battery,
            charge_percentage=battery.current_charge,
            voltage=battery.current_voltage,
            temperature=battery.current_temperature,
            current=request.data.get("current", 0),
            status=battery.current_status,
        )
        _check_alerts(battery)
        return Response(self.get_serializer(battery).data)


def _check_alerts(battery: Battery) -> None:
    found = (
        (battery.current_charge < 10, "LOW_CHARGE", "WARNING"),
        (battery.current_temperature > 50, "OVER_TEMPERATURE", "CRITICAL"),
        (battery.current_voltage < 0.8 * battery.voltage_nominal, "UNDER_VOLTAGE", "ERROR"),
        (battery.health_percentage < 80, "HEALTH_DEGRADATION", "WARNING"),
    )
    for true, alert_type, level in found:
        if true:
            BatteryAlert.objects.create(
                battery=battery, alert_type=alert_type, alert_level=level, message=f"{battery}: {alert_type}"
            )


router = DefaultRouter()
router.register("batteries", BatteryViewSet)
urlpatterns = router.urls
