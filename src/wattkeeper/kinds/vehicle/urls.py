"""Mounted at `/api/v1/vehicle_data/` and, for older clients, at `/vehicle_data/`."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from wattkeeper.kinds.vehicle.streams import TELEMETRY
from wattkeeper.kinds.vehicle.views import TelemetryExport
from wattkeeper.views.api.stream_urls import bound, selection_parameters, stream_urls
from wattkeeper.views.exports.formats import FORMATS

_format = OpenApiParameter("export", str, enum=list(FORMATS), description="csv where it is missing.")
_file = OpenApiResponse(OpenApiTypes.BINARY, description="The file, streamed.")

urlpatterns = [
    path(
        "export/",
        bound(
            TelemetryExport,
            TELEMETRY,
            get=extend_schema(
                parameters=[*selection_parameters(TELEMETRY), _format],
                responses={(200, format_.content_type.partition(";")[0]): _file for format_ in FORMATS.values()},
            ),
        ),
    ),
    *stream_urls(TELEMETRY),
]
