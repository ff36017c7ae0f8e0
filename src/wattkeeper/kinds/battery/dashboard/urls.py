"""The dashboard's paths, mounted at `/api/dashboard/`, with their documentation."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter

from wattkeeper.kinds.battery.dashboard.serializers import (
    AlertSummarySerializer,
    ChartsSerializer,
    DashboardSerializer,
    StatsSerializer,
    TrendSerializer,
)
from wattkeeper.kinds.battery.dashboard.views import AlertSummary, BatteryDetails, ChartData, Export, Stats, Trend
from wattkeeper.kinds.battery.serializers import BatterySerializer
from wattkeeper.views.api.stream_urls import TENANT_MEANT, described, operation

BATTERY_ID = {"type": "integer", "minimum": 1, "maximum": 10**12 - 1}


def _get(view: Any, what: str, answer: Any, *parameters: OpenApiParameter, fails: tuple[int, ...] = ()) -> Any:
    documented = operation(
        what, {200: answer}, fails=[400, *fails], parameters=[*parameters, TENANT_MEANT], tags=["Dashboard"]
    )
    return described(view, get=documented)


_battery_id = OpenApiParameter("battery_id", BATTERY_ID, description="Without it: the newest readings of all.")

urlpatterns = [
    path("stats/", _get(Stats, "The fleet in figures.", StatsSerializer), name="api-dashboard-stats"),
    path(
        "chart-data/",
        _get(ChartData, "How many batteries there are of each status, type and range.", ChartsSerializer),
        name="api-dashboard-charts",
    ),
    path(
        "battery-details/",
        _get(
            BatteryDetails, "Every battery in use, with what it does now.", BatterySerializer(many=True), fails=(503,)
        ),
        name="api-dashboard-batteries",
    ),
    path(
        "alerts/",
        _get(AlertSummary, "How many alerts there are, and the newest unresolved.", AlertSummarySerializer),
        name="api-dashboard-alerts",
    ),
    path(
        "trend/",
        _get(
            Trend,
            "The lines of a battery's last day, or of its newest 500 readings where these reach further: the oldest "
            "first, and thinned so that their shape stays.",
            TrendSerializer,
            _battery_id,
            fails=(404, 503),
        ),
        name="api-dashboard-trend",
    ),
    path(
        "export/", _get(Export, "All of it as a file.", DashboardSerializer, fails=(503,)), name="api-dashboard-export"
    ),
]
