"""Each kind's list as a file, beside its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from wattkeeper.base.assets.filters import LARGEST_NUMBER, OWN_SORTS
from wattkeeper.base.assets.queries import LONGEST_TEXT
from wattkeeper.base.assets.states import Freshness, state_channels
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.views.exports.assets import TABLE_FORMATS, AssetsExport

TEXT = {"type": "string", "maxLength": LONGEST_TEXT, "pattern": r"^[^\u0000]*$"}
NUMBER = {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
SLUG = {"type": "string", "format": "tenant-slug"}


def export_of(kind: Kind) -> Callable[..., Any]:
    """The view of that kind alone, with its documentation."""
    file = OpenApiResponse(OpenApiTypes.BINARY, description="The file, streamed.")
    rows = OpenApiResponse({"type": "array", "items": {"type": "object"}}, description="The file, streamed.")
    files = {
        (200, format_.content_type.partition(";")[0]): rows if format_.extension == "json" else file
        for format_ in TABLE_FORMATS.values()
    }
    bad = OpenApiResponse(description="What is wrong, by field, or as `detail`.")
    documented = extend_schema(
        description=f"{kind.label_plural} with their newest readings, as a file: what the filters mean, all of it.",
        responses={**files, **dict.fromkeys((400, 401, 403, 503), bad)},
        parameters=_parameters(kind),
        tags=[kind.label_plural],
    )
    own = type(f"{kind.name.title()}AssetsExport", (AssetsExport,), {"kind": kind, "__doc__": AssetsExport.__doc__})
    return extend_schema_view(get=documented)(own).as_view()  # type: ignore[attr-defined, no-any-return]


def _parameters(kind: Kind) -> list[OpenApiParameter]:
    channels = state_channels(kind)
    sorts = [sign + name for name in (*OWN_SORTS, *(channel.name for channel in channels)) for sign in ("", "-")]
    parameters = [
        OpenApiParameter("export", str, enum=list(TABLE_FORMATS), description="csv where it is missing."),
        OpenApiParameter("search", TEXT, description="A part of the key or the name."),
        OpenApiParameter("site", TEXT, description="The whole of it."),
        OpenApiParameter("fresh", str, enum=list(Freshness), description="How long ago the newest reading was taken."),
        OpenApiParameter("sort", str, enum=sorts, description="`key` where it is missing; nulls come last."),
        OpenApiParameter("tenant", SLUG, description="For callers above tenants: only that tenant's."),
    ]
    for channel in channels:
        if channel.is_numeric:
            parameters.append(
                OpenApiParameter(f"min_{channel.name}", NUMBER, description=f"{channel.title}, at least.")
            )
            parameters.append(OpenApiParameter(f"max_{channel.name}", NUMBER, description=f"{channel.title}, at most."))
        else:
            parameters.append(OpenApiParameter(channel.name, str, enum=list(channel.choices) or None))
    return parameters


urlpatterns = [
    path(f"{kind.label_plural.lower()}/export/", export_of(kind), name=f"assets-export-{kind.name}")
    for kind in registry.kinds()
]
