"""Mounted at `/api/v1/vehicle_data/` and, for older clients, at `/vehicle_data/`."""

from __future__ import annotations

from django.urls import path

from wattkeeper.kinds.vehicle.streams import TELEMETRY
from wattkeeper.kinds.vehicle.views import TelemetryExport
from wattkeeper.views.api.stream_urls import stream_urls

urlpatterns = [
    path("export/", TelemetryExport.as_view()),
    *stream_urls(TELEMETRY),
]
