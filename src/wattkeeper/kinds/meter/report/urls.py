"""The report's file, and the months that are closed: with their documentation."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from wattkeeper.kinds.meter.report.asked import Only
from wattkeeper.kinds.meter.report.serializers import FrozenSerializer, MonthSerializer
from wattkeeper.kinds.meter.report.views import MonthFreeze, MonthList, MonthReport
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.serializers import paged
from wattkeeper.views.api.stream_urls import TENANT_MEANT, described, operation, paging
from wattkeeper.views.exports.lists import TABLE_FORMATS

# Formats of our own: a pattern would let through months that are yet to come, and sites that there are none of.
MONTH = {"type": "string", "format": "month-that-has-begun", "example": "2026-10"}
SITE = {"type": "string", "format": "site-of-meters"}
MEDIUM = {"type": "string", "format": "medium"}
TAG = ["Meter reports"]

_file = OpenApiResponse(OpenApiTypes.BINARY, description="The file, streamed.")
_rows = OpenApiResponse(
    {"type": "array", "items": {"type": "object"}},
    description="The file, streamed. Values are texts, so that no digit is lost; what is missing is null.",
)
_report = operation(
    "The latest message of a month of each meter: one line a meter, by manufacturer, number, version and type. A month "
    "ends at midnight of the meter's site, and a message counts in it by its own time; where it has none, or one that "
    "is more than 48 hours off or yet to come, by its reception, and its line says so after its status. Values are "
    "scaled, as the dimension says. Of a frozen month it is the report as it was then. Another parameter than these "
    "is a 400.",
    {
        (200, format_.content_type.partition(";")[0]): _rows if format_.extension == "json" else _file
        for format_ in TABLE_FORMATS.values()
    },
    fails=[400, 503],
    parameters=[
        OpenApiParameter("month", MONTH, description="Where it is missing: the one that each site is in now."),
        OpenApiParameter(
            "all", bool, description="Every pair of values that each meter measures, not its main one alone."
        ),
        OpenApiParameter(
            "raw",
            bool,
            description="Codes instead of words; dimensions and values as they were sent. The tariff is in the words "
            "alone.",
        ),
        OpenApiParameter("format", str, enum=list(TABLE_FORMATS), description="csv where it is missing."),
        OpenApiParameter("site", SITE, description="The whole of it."),
        OpenApiParameter("type", MEDIUM, description="The medium: `heat`, `4` or `heat (4)`."),
        OpenApiParameter("only", str, enum=[one.value for one in Only], description="Only lines with such a thing."),
        TENANT_MEANT,
    ],
    tags=TAG,
)
_month = OpenApiParameter("month", MONTH, OpenApiParameter.PATH)


def _documented(
    what: str, responses: dict[int, Any], *parameters: OpenApiParameter, fails: list[int], **documented: Any
) -> Any:
    return operation(what, responses, fails=fails, parameters=[*parameters, TENANT_MEANT], tags=TAG, **documented)


urlpatterns = [
    path("csv/", described(MonthReport, get=_report)),
    path("api/csv/", described(MonthReport, get=_report), name="meter-report-file"),
    path(
        "api/meters/months/",
        described(
            MonthList,
            get=_documented(
                "The months of which there are messages, or that are frozen: the newest first.",
                {200: paged(MonthSerializer)},
                *paging(SIZE),
                fails=[400, 404, 503],
            ),
        ),
        name="meter-months",
    ),
    path(
        "api/meters/months/<str:month>/freeze/",
        described(
            MonthFreeze,
            post=_documented(
                "Keep the report of a month, which must be over at all sites, as it is now: what comes later does not "
                "change it.",
                {201: FrozenSerializer},
                _month,
                fails=[400, 404, 409, 503, 507],
                request=None,
            ),
            delete=_documented(
                "Let the report of a month follow its messages again.",
                {204: None},
                _month,
                fails=[400, 404, 503, 507],
            ),
        ),
        name="meter-month-freeze",
    ),
]
