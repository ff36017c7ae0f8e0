"""The meters' own endpoints, mounted at `/api/`, with their documentation."""

from __future__ import annotations

from functools import partial

from django.urls import include, path
from drf_spectacular.utils import OpenApiParameter

from wattkeeper.kinds.meter import door_schema
from wattkeeper.kinds.meter.receive import WHATS
from wattkeeper.kinds.meter.views import MessageList, UnknownCodeList, UnknownCodeSerializer
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.serializers import paged
from wattkeeper.views.api.stream_urls import TENANT_MEANT, TENANT_OF_NEW, described, operation, paging

_meter = partial(operation, tags=["Meters"])

urlpatterns = [
    path(
        "data/",
        described(
            MessageList,
            post=_meter(
                door_schema.DESCRIPTION,
                door_schema.RESPONSES,
                fails=[400, 503, 507],
                request=door_schema.REQUEST,
                parameters=[TENANT_OF_NEW],
            ),
        ),
        name="meter-data",
    ),
    path(
        "data/unknown/",
        described(
            UnknownCodeList,
            get=_meter(
                "The codes of messages that are in no table, those seen last first: they are kept as they came. A page "
                "after the last one is a 404.",
                {200: paged(UnknownCodeSerializer)},
                fails=[400, 404, 503],
                parameters=[
                    OpenApiParameter("what", str, enum=WHATS, description="Only such codes."),
                    *paging(SIZE),
                    TENANT_MEANT,
                ],
            ),
        ),
        name="meter-unknown-codes",
    ),
    path("meters/", include("wattkeeper.kinds.meter.api.urls")),
]
