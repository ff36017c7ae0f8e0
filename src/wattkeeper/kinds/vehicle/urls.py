"""Mounted at `/api/v1/vehicle_data/` and, for older clients, at `/vehicle_data/`."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from wattkeeper.kinds.vehicle.streams import TELEMETRY
from wattkeeper.kinds.vehicle.views import TelemetryExport
from wattkeeper.views.api.stream_urls import bound, operation, selection_parameters, stream_urls
from wattkeeper.views.exports.formats import FORMATS

_format = OpenApiParameter("export", str, enum=list(FORMATS), description="csv where it is missing.")
_file = OpenApiResponse(OpenApiTypes.BINARY, description="The file, streamed.")
_rows = OpenApiResponse({"type": "array", "items": {"type": "object"}}, description="The file, streamed.")

urlpatterns = [
    path(
        "export/",
        bound(
            TelemetryExport,
            TELEMETRY,
            get=operation(
                "All readings that the filters mean, as a file.",
                {
                    (200, format_.content_type.partition(";")[0]): _rows if format_.extension == "json" else _file
                    for format_ in FORMATS.values()
                },
                fails=[400, 503],
                parameters=[*selection_parameters(TELEMETRY), _format],
            ),
        ),
        name=f"{TELEMETRY.name}-export",
    ),
    *stream_urls(TELEMETRY),
]
