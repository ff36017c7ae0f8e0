"""The meters' own endpoints, mounted at `/api/meters/`, with their documentation."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter

from wattkeeper.kinds.meter.api.serializers import ConsumptionSerializer, MeterMessageSerializer, MeterSerializer
from wattkeeper.kinds.meter.api.views import (
    TYPE_MOST,
    MeterConsumption,
    MeterDetail,
    MeterList,
    MeterMessages,
)
from wattkeeper.kinds.meter.consumption import Per
from wattkeeper.kinds.meter.queries import METER_ORDERINGS
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.serializers import paged
from wattkeeper.views.api.series import ReadingSeries
from wattkeeper.views.api.series_serializers import series_serializer_of
from wattkeeper.views.api.stream_export import stream_export_url
from wattkeeper.views.api.stream_urls import (
    SEARCHED,
    TENANT_MEANT,
    bound,
    described,
    operation,
    ordering,
    paging,
    selection_parameters,
    series_parameters,
)
from wattkeeper.views.exports.formats import FORMATS
from wattkeeper.views.exports.readings import readings_response

_meter = partial(operation, tags=["Meters"])
_MAKER = {"type": "string", "pattern": r"^([A-Za-z]{3}|[0-9]{1,4})$"}
# Formats of our own: one could be so long ago that it is too much to be asked.
_SINCE, _UNTIL = ({"type": "string", "format": name} for name in ("day-of-late", "day-of-these-days"))
_TYPE = {"type": "integer", "minimum": 0, "maximum": TYPE_MOST}
_WINDOW = [one for one in selection_parameters(MESSAGE) if one.name.endswith("timestamp") or one.name == "timezone"]


def _listed(what: str, item: Any, *parameters: OpenApiParameter, fails: tuple[int, ...] = ()) -> Any:
    return _meter(
        f"{what} A page after the last one is a 404.",
        {200: paged(item)},
        fails=[400, 404, *fails],
        parameters=[*parameters, *paging(SIZE)],
    )


urlpatterns = [
    path(
        "",
        described(
            MeterList,
            get=_listed(
                "The meters in use, with what each said last.",
                MeterSerializer,
                OpenApiParameter("search", SEARCHED, description="A part of the key or the name."),
                OpenApiParameter("site", SEARCHED, description="The whole of it."),
                OpenApiParameter("type", _TYPE, description="The medium's number: 4 is heat."),
                OpenApiParameter("manufacturer", _MAKER, description="Three letters, or their number."),
                ordering(METER_ORDERINGS, default="id"),
                TENANT_MEANT,
            ),
        ),
        name="api-meters",
    ),
    stream_export_url(MESSAGE, formats=FORMATS, exporter=readings_response, stem="meter_messages"),
    path(
        "series/",
        bound(
            ReadingSeries,
            MESSAGE,
            get=_meter(
                "The channels of one meter as lines to draw: few points whatever the window, their shape kept, gaps "
                "left open.",
                {200: series_serializer_of(MESSAGE)},
                fails=[400, 404, 503],
                parameters=series_parameters(MESSAGE),
            ),
        ),
        name=f"{MESSAGE.name}-series",
    ),
    path(
        "<int:meter_id>/",
        described(MeterDetail, get=_meter("One meter.", {200: MeterSerializer}, fails=[404])),
        name="api-meter",
    ),
    path(
        "<int:meter_id>/messages/",
        described(
            MeterMessages,
            get=_listed(
                "A meter's messages as they came, with what was understood of them; the newest first.",
                MeterMessageSerializer,
                *_WINDOW,
                fails=(503,),
            ),
        ),
        name="api-meter-messages",
    ),
    path(
        "<int:meter_id>/consumption/",
        described(
            MeterConsumption,
            get=_meter(
                "What was used in each local day or month that the time touches: out of the meter's counter, and of "
                "those that hung there before it.",
                {200: ConsumptionSerializer},
                fails=[400, 404, 503],
                parameters=[
                    OpenApiParameter("per", str, enum=list(Per), description="`day` where it is missing."),
                    OpenApiParameter(
                        "since", _SINCE, description="The first local day: of 1,100 at most, by month of 20 years."
                    ),
                    OpenApiParameter("until", _UNTIL, description="The day after the last; else tomorrow."),
                ],
            ),
        ),
        name="api-meter-consumption",
    ),
]
