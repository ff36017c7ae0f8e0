"""The paths of a stream, relative to where its kind mounts them, with their documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    tenant = OpenApiParameter("tenant", str, description="For callers above tenants: whose it becomes.")
    read = operation(
        "Readings, filtered, ordered and in pages.", {200: page}, fails=[400, 503], parameters=[*selection, *paging]
    )
    write = operation(
        "Store one reading. Of two for the same time, the first stays and the second is a 400.",
        {201: item},
        fails=[400, 503, 507],
        request=item,
        parameters=[tenant],
    )
    chunk = operation(
        "Send a part of a file: in any order, and again as often as you like.",
        {200: ChunkReceivedSerializer},
        fails=[400, 409, 413, 507],
        request={"multipart/form-data": ChunkSerializer},
        parameters=[tenant],
    )
    finalize = operation(
        "Load the file whose parts are all here, and hear which rows were stored, double, flagged or refused. "
        "A large file is answered with 202 and the address at which to follow it. Sent again, it stores nothing twice.",
        {200: ReportSerializer, 202: StatusSerializer},
        fails=[400, 413, 503, 507],
        request=FinalizeSerializer,
        parameters=[prefer, tenant],
    )
    follow = operation("What has become of an upload.", {200: StatusSerializer}, fails=[404])
    refused = operation("All refused rows of an upload.", {(200, "text/csv"): file}, fails=[404, 503])
    one = operation("One reading.", {200: item}, fails=[404])
    return [
        path("", bound(ReadingList, stream, get=read, post=write)),
        path("upload_chunk/", bound(UploadChunk, stream, post=chunk)),
        path("finalize_upload/", bound(UploadFinalize, stream, post=finalize)),
        path("uploads/<uuid:upload_id>/", bound(UploadStatus, stream, get=follow)),
        path("uploads/<uuid:upload_id>/refused/", bound(UploadRefused, stream, get=refused)),
        path("<str:reading_id>/", bound(ReadingDetail, stream, get=one)),
    ]


def operation(
    description: str, responses: Mapping[Any, Any], *, fails: Sequence[int] = (), **documented: Any
) -> Callable[[Any], Any]:
    """The documentation of a method for those who call it. Any can fail for want of credentials or of rights."""
    failures = dict.fromkeys((401, 403, *fails), BAD)
    return extend_schema(description=description, responses={**responses, **failures}, **documented)


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
