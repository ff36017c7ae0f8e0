"""The paths of a stream, relative to where its kind mounts them, with their documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.views import APIView

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.sources.csv_upload.queries import ORDERINGS, UploadStatus
from wattkeeper.flow.store.series import POINTS_LEAST
from wattkeeper.views.api.parameters import PAGE_MAX, PAGE_SIZE, PAGE_SIZE_MAX, TEXT_MAX
from wattkeeper.views.api.readings import ReadingDetail, ReadingList, StreamView
from wattkeeper.views.api.schema import FAILED
from wattkeeper.views.api.serializers import paged, serializer_of
from wattkeeper.views.api.series import POINTS, POINTS_MOST, ReadingSeries
from wattkeeper.views.api.series_serializers import series_serializer_of
from wattkeeper.views.api.upload_serializers import (
    ChunkReceivedSerializer,
    PreviewSerializer,
    ReportSerializer,
    upload_serializers_of,
)
from wattkeeper.views.api.uploads import (
    LAYOUTS,
    UploadChunk,
    UploadDetail,
    UploadFinalize,
    UploadList,
    UploadPreview,
    UploadRefused,
)

V = TypeVar("V", bound=StreamView)
BAD = OpenApiResponse(description=FAILED)

# Formats of our own where OpenAPI has none: `date-time` would leave out times without an offset, dates and epochs.
MOMENT = {"type": "string", "format": "iso-8601-or-epoch"}
ZONE = {"type": "string", "format": "iana-time-zone"}
SLUG = {"type": "string", "format": "tenant-slug"}
SEARCHED = {"type": "string", "maxLength": TEXT_MAX, "pattern": r"^[^\u0000]*$"}


def whole_number(least: int, most: int, *, default: int) -> dict[str, Any]:
    """The schema of a whole number from `least` to `most`."""
    return {"type": "integer", "minimum": least, "maximum": most, "default": default}


def paging(size: int) -> list[OpenApiParameter]:
    """Of a list with pages of `size` where nobody says."""
    return [
        OpenApiParameter("page", whole_number(1, PAGE_MAX, default=1)),
        OpenApiParameter("page_size", whole_number(1, PAGE_SIZE_MAX, default=size)),
    ]


def ordering(columns: Sequence[str], *, default: str) -> OpenApiParameter:
    """One of the columns, each with `-` before it for descending."""
    names = [sign + name for name in columns for sign in ("", "-")]
    return OpenApiParameter("ordering", str, enum=names, description=f"`{default}` where it is missing.")


PAGING = paging(PAGE_SIZE)
TENANT_OF_NEW = OpenApiParameter("tenant", SLUG, description="For callers above tenants: whose it becomes.")
TENANT_MEANT = OpenApiParameter("tenant", SLUG, description="For callers above tenants: only that tenant's.")


def stream_urls(stream: Stream) -> list[URLPattern]:
    """List, series, one by its id, and the steps of an upload."""
    item = serializer_of(stream)
    read = operation(
        "Readings, filtered, ordered and in pages. A page after the last one is a 404.",
        {200: paged(item)},
        fails=[400, 404, 503],
        parameters=[*selection_parameters(stream), *PAGING],
    )
    write = operation(
        "Store one reading. Of two for the same time, the first stays and the second is a 400.",
        {201: item},
        fails=[400, 503, 507],
        request=item,
        parameters=[TENANT_OF_NEW],
    )
    lines = operation(
        "The channels of one asset as lines to draw: few points whatever the window, their shape kept, gaps left open.",
        {200: series_serializer_of(stream)},
        fails=[400, 404, 503],
        parameters=series_parameters(stream),
    )
    one = operation("One reading.", {200: item}, fails=[404])
    return [
        path("", bound(ReadingList, stream, get=read, post=write)),
        path("series/", bound(ReadingSeries, stream, get=lines), name=f"{stream.name}-series"),
        *_upload_urls(stream),
        path("<str:reading_id>/", bound(ReadingDetail, stream, get=one)),
    ]


def _upload_urls(stream: Stream) -> list[URLPattern]:
    made = upload_serializers_of(stream)
    prefer = OpenApiParameter(
        "Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: answer 202 at once."
    )
    preview = operation(
        "Hear how a file would be understood before it is sent: its columns, and what a load would make of its first "
        "rows. Nothing is kept.",
        {200: PreviewSerializer},
        fails=[400, 413],
        request={"multipart/form-data": made.preview},
        parameters=[TENANT_OF_NEW],
    )
    chunk = operation(
        "Send a part of a file: in any order, and again as often as you like.",
        {200: ChunkReceivedSerializer},
        fails=[400, 409, 413, 503, 507],
        request={"multipart/form-data": made.chunk},
        parameters=[TENANT_OF_NEW],
    )
    finalize = operation(
        "Load the file whose parts are all here, and hear which rows were stored, double, flagged or refused. "
        "A large file is answered with 202 and the address at which to follow it. Sent again, it stores nothing twice.",
        {200: ReportSerializer, 202: made.status},
        fails=[400, 409, 413, 503, 507],
        request=made.finalize,
        parameters=[prefer, TENANT_OF_NEW],
    )
    listed = operation(
        "The uploads of the tenant; to a key that may only send, its own.",
        {200: made.page},
        fails=[400, 404],
        parameters=[*_upload_filters(stream), *PAGING],
    )
    follow = operation("What has become of an upload.", {200: made.status}, fails=[404])
    discard = operation("Discard an upload that is not loaded, with its chunks.", {204: None}, fails=[404, 409])
    refused = operation(
        "All refused rows of an upload.",
        {(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="A CSV file.")},
        fails=[400, 404, 409, 503],
        parameters=[
            OpenApiParameter(
                "layout",
                str,
                enum=LAYOUTS,
                description="`report` where it is missing. `mend`: with the file's own header and delimiter, and in "
                "front of each row its number and why it was refused; mend the cells and send it again.",
            )
        ],
    )
    return [
        path("preview_upload/", bound(UploadPreview, stream, post=preview), name=f"{stream.name}-preview"),
        path("upload_chunk/", bound(UploadChunk, stream, post=chunk), name=f"{stream.name}-chunk"),
        path("finalize_upload/", bound(UploadFinalize, stream, post=finalize), name=f"{stream.name}-finalize"),
        path("uploads/", bound(UploadList, stream, get=listed), name=f"{stream.name}-uploads"),
        path(
            "uploads/<uuid:upload_id>/",
            bound(UploadDetail, stream, get=follow, delete=discard),
            name=f"{stream.name}-upload",
        ),
        path(
            "uploads/<uuid:upload_id>/refused/",
            bound(UploadRefused, stream, get=refused),
            name=f"{stream.name}-refused",
        ),
    ]


def _upload_filters(stream: Stream) -> list[OpenApiParameter]:
    return [
        OpenApiParameter("status", str, enum=[one.value for one in UploadStatus]),
        OpenApiParameter("file_name", SEARCHED, description="Of exactly this name."),
        OpenApiParameter("search", SEARCHED, description=f"Stands in the file's name or in `{stream.asset_field}`."),
        OpenApiParameter("mine", bool, description="true: what the caller has sent; false: what others have."),
        OpenApiParameter("ordering", str, enum=ORDERINGS, description="`-created_at` where it is missing."),
        TENANT_MEANT,
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
        OpenApiParameter("initial_timestamp", MOMENT, description="From then on, inclusive. A date: from its start."),
        OpenApiParameter("final_timestamp", MOMENT, description="Until then, inclusive. A date: to its end."),
        OpenApiParameter("timezone", ZONE, description="IANA name, for times without an offset; else UTC."),
        OpenApiParameter("ordering", str, enum=orderings, description=f"`{stream.time_field}` where it is missing."),
        TENANT_MEANT,
    ]


def series_parameters(stream: Stream) -> list[OpenApiParameter]:
    """The filters of a stream's series, and how much of it is wanted."""
    whose, *window = [parameter for parameter in selection_parameters(stream) if parameter.name != "ordering"]
    name = "|".join(channel.name for channel in stream.channels)
    channels = {"type": "string", "pattern": rf"^({name})(,({name}))*$"}
    points = whole_number(POINTS_LEAST, POINTS_MOST, default=POINTS)
    return [
        OpenApiParameter(whose.name, {"type": "string", "pattern": r"\S"}, required=True, description="Whose lines."),
        *window,
        OpenApiParameter("channels", channels, description="Names, by commas; all where it is missing."),
        OpenApiParameter("points", points, description="At most so many a channel."),
    ]


def bound(view: type[V], stream: Stream, **methods: Callable[[Any], Any]) -> Callable[..., Any]:
    """`view` for this stream alone, with the documentation of its methods."""
    name = "".join(part.title() for part in stream.name.split(".")) + view.__name__
    own: type[APIView] = type(name, (view,), {"stream": stream, "__doc__": view.__doc__})
    return described(own, **methods)


def described(view: type[APIView], **methods: Callable[[Any], Any]) -> Callable[..., Any]:
    """The view with the documentation of its methods."""
    return extend_schema_view(**methods)(view).as_view()
