"""Mounted at `/api/v1/vehicle_data/` and, for older clients, at `/vehicle_data/`."""

from __future__ import annotations

from wattkeeper.kinds.vehicle.streams import TELEMETRY
from wattkeeper.views.api.stream_export import stream_export_url
from wattkeeper.views.api.stream_urls import stream_urls
from wattkeeper.views.exports.formats import FORMATS
from wattkeeper.views.exports.readings import readings_response

urlpatterns = [
    stream_export_url(TELEMETRY, formats=FORMATS, exporter=readings_response, stem="vehicle_data"),
    *stream_urls(TELEMETRY),
]
