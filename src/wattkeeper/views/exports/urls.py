"""Each kind's list as a file, beside its page."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from wattkeeper.base.assets.filters import LARGEST_NUMBER, OWN_SORTS
from wattkeeper.base.assets.queries import LONGEST_TEXT
from wattkeeper.base.assets.states import Freshness, state_channels
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.alerts.filters import ME, NOBODY, State
from wattkeeper.flow.alerts.queries import ORDERINGS
from wattkeeper.views.exports.alerts import AlertsExport
from wattkeeper.views.exports.assets import AssetsExport
from wattkeeper.views.exports.lists import TABLE_FORMATS, ListExport

TEXT = {"type": "string", "maxLength": LONGEST_TEXT, "pattern": r"^[^\u0000]*$"}
NUMBER = {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
SLUG = {"type": "string", "format": "tenant-slug"}


ID = {"type": "integer", "minimum": 1, "maximum": 10**12 - 1}
PERSON = {"type": "string", "pattern": rf"^({ME}|{NOBODY}|[1-9][0-9]{{0,11}})$"}
YES_NO = ["yes", "no"]
EXPORT = OpenApiParameter("export", str, enum=list(TABLE_FORMATS), description="csv where it is missing.")
TENANT = OpenApiParameter("tenant", SLUG, description="For callers above tenants: only that tenant's.")
SITE = OpenApiParameter("site", TEXT, description="The whole of it.")


def export_of(kind: Kind) -> Any:
    """The view of that kind alone, with its documentation."""
    own = type(
        f"{kind.name.title()}AssetsExport",
        (AssetsExport,),
        {"kind": kind, "stem": kind.label_plural.lower(), "__doc__": AssetsExport.__doc__},
    )
    what = f"{kind.label_plural} with their newest readings, as a file: what the filters mean, all of it."
    return _documented(own, what, _parameters(kind), tag=kind.label_plural)


def _documented(view: type[ListExport], what: str, parameters: list[OpenApiParameter], *, tag: str) -> Any:
    file = OpenApiResponse(OpenApiTypes.BINARY, description="The file, streamed.")
    rows = OpenApiResponse({"type": "array", "items": {"type": "object"}}, description="The file, streamed.")
    files = {
        (200, format_.content_type.partition(";")[0]): rows if format_.extension == "json" else file
        for format_ in TABLE_FORMATS.values()
    }
    bad = OpenApiResponse(description="What is wrong, by field, or as `detail`.")
    documented = extend_schema(
        description=what,
        responses={**files, **dict.fromkeys((400, 401, 403, 503), bad)},
        parameters=parameters,
        tags=[tag],
    )
    return extend_schema_view(get=documented)(view).as_view()


def _parameters(kind: Kind) -> list[OpenApiParameter]:
    channels = state_channels(kind)
    sorts = [sign + name for name in (*OWN_SORTS, *(channel.name for channel in channels)) for sign in ("", "-")]
    parameters = [
        EXPORT,
        OpenApiParameter("search", TEXT, description="A part of the key or the name."),
        SITE,
        OpenApiParameter("type", TEXT, description="The whole of the type, as it was said."),
        OpenApiParameter("fresh", str, enum=list(Freshness), description="How long ago the newest reading was taken."),
        OpenApiParameter("sort", str, enum=sorts, description="`key` where it is missing; nulls come last."),
        TENANT,
    ]
    for channel in channels:
        if channel.is_numeric:
            parameters.append(
                OpenApiParameter(f"min_{channel.name}", NUMBER, description=f"{channel.title}, at least.")
            )
            parameters.append(OpenApiParameter(f"max_{channel.name}", NUMBER, description=f"{channel.title}, at most."))
            parameters.append(
                OpenApiParameter(f"below_{channel.name}", NUMBER, description=f"{channel.title}, less than.")
            )
        else:
            parameters.append(OpenApiParameter(channel.name, str, enum=list(channel.choices) or None))
    return parameters


ALERTS = [
    EXPORT,
    OpenApiParameter(
        "state", str, enum=list(State), description="`open` where it is missing: also over, but not acknowledged."
    ),
    OpenApiParameter("level", str, enum=list(Level)),
    OpenApiParameter("type", str, enum=list(AlertType)),
    OpenApiParameter("kind", str, enum=[kind.name for kind in registry.kinds()], description="Of things of this kind."),
    OpenApiParameter("acknowledged", str, enum=YES_NO),
    OpenApiParameter("shelved", str, enum=YES_NO),
    OpenApiParameter("assigned", PERSON, description=f"A person's id; `{ME}`: who asks; `{NOBODY}`: those of nobody."),
    SITE,
    OpenApiParameter("asset", ID, description="Of this asset."),
    OpenApiParameter("rule", ID, description="Of this rule."),
    OpenApiParameter("search", TEXT, description="A part of the message, or of the thing's key or name."),
    OpenApiParameter(
        "sort",
        str,
        enum=[sign + name for name in ORDERINGS for sign in ("", "-")],
        description="Where it is missing: of open ones the most urgent first, else the newest.",
    ),
    TENANT,
]

urlpatterns = [
    path(
        "alerts/export/",
        _documented(
            AlertsExport, "Alerts as a file: what the filters of their page mean, all of it.", ALERTS, tag="Alerts"
        ),
        name="alerts-export",
    ),
    *(
        path(f"{kind.label_plural.lower()}/export/", export_of(kind), name=f"assets-export-{kind.name}")
        for kind in registry.kinds()
    ),
]
