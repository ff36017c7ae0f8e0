"""The rows of a stream as a file. The same for every stream; whoever joins the views says which formats there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from django.http import StreamingHttpResponse
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.store.queries import Ordering, Selection
from wattkeeper.views.api.parameters import ordering_of, selection_of
from wattkeeper.views.api.readings import StreamFileView
from wattkeeper.views.api.stream_urls import bound, operation, selection_parameters


class FileFormat(Protocol):
    """What is said of a format; its name is its key in the mapping."""

    @property
    def extension(self) -> str: ...

    @property
    def content_type(self) -> str: ...


class Exporter(Protocol):
    """Gives the rows meant as a download; `format_name` is one of the formats, `stem` how the file is called."""

    def __call__(
        self, stream: Stream, selection: Selection, *, ordering: Ordering, format_name: str, stem: str
    ) -> StreamingHttpResponse: ...


class StreamExport(StreamFileView):
    """GET all rows that the list's filters mean, as a file."""

    formats: ClassVar[Mapping[str, FileFormat]] = {}
    exporter: ClassVar[Exporter]
    stem: ClassVar[str]

    def get(self, request: Request) -> StreamingHttpResponse:
        name = request.query_params.get("export") or "csv"
        if name not in self.formats:
            raise BadRequestError(f"{name[:40]!r} is not one of {', '.join(self.formats)}.", field="export")
        return type(self).exporter(
            self.stream,
            selection_of(request, self.stream, caller_of(request)),
            ordering=ordering_of(request, self.stream),
            format_name=name,
            stem=request.query_params.get(self.stream.asset_field) or self.stem,
        )


def stream_export_url(
    stream: Stream, *, formats: Mapping[str, FileFormat], exporter: Exporter, stem: str
) -> URLPattern:
    """`export/` of a stream. `stem` names a file of more than one asset."""
    file = OpenApiResponse(OpenApiTypes.BINARY, description="The file, streamed.")
    rows = OpenApiResponse({"type": "array", "items": {"type": "object"}}, description="The file, streamed.")
    chosen = OpenApiParameter("export", str, enum=list(formats), description="csv where it is missing.")
    documented = operation(
        "All readings that the filters mean, as a file.",
        {
            (200, format_.content_type.partition(";")[0]): rows if format_.extension == "json" else file
            for format_ in formats.values()
        },
        fails=[400, 503],
        parameters=[*selection_parameters(stream), chosen],
    )
    own = type("Export", (StreamExport,), {"formats": formats, "exporter": staticmethod(exporter), "stem": stem})
    return path("export/", bound(own, stream, get=documented), name=f"{stream.name}-export")
