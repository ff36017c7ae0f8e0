"""The paths of a stream, relative to where its kind mounts them, with their documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.views import APIView

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.views.api.parameters import PAGE_SIZE, PAGE_SIZE_MAX
from wattkeeper.views.api.readings import ReadingDetail, ReadingList, StreamView
from wattkeeper.views.api.serializers import page_serializer_of, serializer_of
from wattkeeper.views.api.upload_serializers import (
    ChunkReceivedSerializer,
    ChunkSerializer,
    FinalizeSerializer,
    ReportSerializer,
    StatusSerializer,
)
from wattkeeper.views.api.uploads import UploadChunk, UploadFinalize, UploadRefused, UploadStatus

V = TypeVar("V", bound=StreamView)
BAD = OpenApiResponse(description="What is wrong, by field, or as `detail`.")


def stream_urls(stream: Stream) -> list[URLPattern]:
    """List, one by its id, and the four steps of an upload."""
    item, page = serializer_of(stream), page_serializer_of(stream)
    selection = selection_parameters(stream)
    paging = [
        OpenApiParameter("page", int, description="From 1."),
        OpenApiParameter("page_size", int, description=f"At most {PAGE_SIZE_MAX}; {PAGE_SIZE} where it is missing."),
    ]
    prefer = OpenApiParameter(
        "Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: answer 202 at once."
    )
    file = OpenApiResponse(OpenApiTypes.BINARY, description="A CSV file.")
    return [
        path(
            "",
            bound(
                ReadingList,
                stream,
                get=extend_schema(parameters=[*selection, *paging], responses={200: page, 400: BAD}),
                post=extend_schema(request=item, responses={201: item, 400: BAD}),
            ),
        ),
        path(
            "upload_chunk/",
            bound(
                UploadChunk,
                stream,
                post=extend_schema(
                    request={"multipart/form-data": ChunkSerializer},
                    responses={200: ChunkReceivedSerializer, 400: BAD, 409: BAD, 413: BAD, 507: BAD},
                ),
            ),
        ),
        path(
            "finalize_upload/",
            bound(
                UploadFinalize,
                stream,
                post=extend_schema(
                    request=FinalizeSerializer,
                    parameters=[prefer],
                    responses={200: ReportSerializer, 202: StatusSerializer, 400: BAD, 404: BAD},
                ),
            ),
        ),
        path(
            "uploads/<uuid:upload_id>/",
            bound(UploadStatus, stream, get=extend_schema(responses={200: StatusSerializer, 404: BAD})),
        ),
        path(
            "uploads/<uuid:upload_id>/refused/",
            bound(UploadRefused, stream, get=extend_schema(responses={(200, "text/csv"): file, 404: BAD, 503: BAD})),
        ),
        path(
            "<str:reading_id>/",
            bound(ReadingDetail, stream, get=extend_schema(responses={200: item, 404: BAD})),
        ),
    ]


def selection_parameters(stream: Stream) -> list[OpenApiParameter]:
    """The filters and the ordering of a stream's list and export."""
    orderings = [sign + name for name in stream.columns for sign in ("", "-")]
    return [
        OpenApiParameter(stream.asset_field, str, description="The rows of this one."),
        OpenApiParameter("initial_timestamp", str, description="From then on, inclusive. A date: from its start."),
        OpenApiParameter("final_timestamp", str, description="Until then, inclusive. A date: to its end."),
        OpenApiParameter("timezone", str, description="IANA name, for times without an offset; else UTC."),
        OpenApiParameter("ordering", str, enum=orderings, description=f"`{stream.time_field}` where it is missing."),
        OpenApiParameter("tenant", str, description="For callers above tenants: only that tenant's."),
    ]


def bound(view: type[V], stream: Stream, **methods: Callable[[Any], Any]) -> Callable[..., Any]:
    """`view` for this stream alone, with the documentation of its methods."""
    name = "".join(part.title() for part in stream.name.split(".")) + view.__name__
    own: type[APIView] = type(name, (view,), {"stream": stream, "__doc__": view.__doc__})
    documented = extend_schema_view(**methods)(own)
    return documented.as_view()
