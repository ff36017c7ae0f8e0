"""Mounted at `/api/v1/battery_status/`: the generic endpoints, bound to the batteries' stream."""

from __future__ import annotations

from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.views.api.stream_export import stream_export_url
from wattkeeper.views.api.stream_urls import stream_urls
from wattkeeper.views.exports.formats import FORMATS
from wattkeeper.views.exports.readings import readings_response

urlpatterns = [
    stream_export_url(STATUS, formats=FORMATS, exporter=readings_response, stem="battery_status"),
    *stream_urls(STATUS),
]
