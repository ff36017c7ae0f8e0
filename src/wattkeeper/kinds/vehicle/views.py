"""The vehicles' endpoints: the generic ones, bound to the vehicles' stream."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from rest_framework.request import Request

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.vehicle.streams import TELEMETRY
from wattkeeper.views.api.parameters import ordering_of, selection_of
from wattkeeper.views.api.readings import StreamFileView
from wattkeeper.views.exports.formats import FORMATS, Question
from wattkeeper.views.exports.response import export_response

FILE_STEM = "vehicle_data"


class TelemetryExport(StreamFileView):
    """GET all rows that the list's filters mean, as a file."""

    stream = TELEMETRY

    def get(self, request: Request) -> StreamingHttpResponse:
        name = request.query_params.get("export") or "csv"
        if name not in FORMATS:
            raise BadRequestError(f"{name[:40]!r} is not one of {', '.join(FORMATS)}.", field="export")
        question = Question(
            store().engine,
            self.stream,
            selection_of(request, self.stream, caller_of(request)),
            ordering_of(request, self.stream),
        )
        stem = request.query_params.get(self.stream.asset_field) or FILE_STEM
        return export_response(FORMATS[name].pieces(question), FORMATS[name], stem=stem)
