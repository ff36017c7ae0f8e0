"""Mounted at `/api/alerts/`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.flow.alerts.queries import ORDERINGS
from wattkeeper.views.api import alerts
from wattkeeper.views.api.alert_serializers import (
    AcknowledgedSerializer,
    AlertSerializer,
    AssignedSerializer,
    AssignSerializer,
    CommentSerializer,
    ResolveSerializer,
    SeveralAssignSerializer,
    SeveralSerializer,
    SeveralShelveSerializer,
    ShelvedSerializer,
    ShelveSerializer,
    TransitionSerializer,
)
from wattkeeper.views.api.alerts import MINE, NEWEST_FIRST, AlertAct, AlertsAct
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.serializers import paged
from wattkeeper.views.api.stream_urls import SEARCHED, TENANT_MEANT, described, operation, ordering, paging

_CHANGED = [400, 404, 503, 507]
_ID = {"type": "integer", "minimum": 1, "maximum": 10**12 - 1}
_PERSON = {"type": "string", "pattern": rf"^({MINE}|[1-9][0-9]{{0,11}})$"}

_operation = partial(operation, tags=["Alerts"])
_filters = [
    OpenApiParameter("alert_level", str, enum=list(Level)),
    OpenApiParameter("alert_type", str, enum=list(AlertType)),
    OpenApiParameter("kind", str, enum=[kind.name for kind in registry.kinds()], description="Of things of this kind."),
    OpenApiParameter("battery", _ID, description="Of this battery."),
    OpenApiParameter("asset", _ID, description="Of this asset."),
    OpenApiParameter("acknowledged", bool),
    OpenApiParameter("shelved", bool),
    OpenApiParameter("assigned_to", _PERSON, description=f"A person's id; `{MINE}`: who asks."),
    OpenApiParameter("search", SEARCHED, description="Stands in the alert's type or the asset's key."),
    ordering(ORDERINGS, default=NEWEST_FIRST),
    *paging(SIZE),
    TENANT_MEANT,
]
_listed = partial(_operation, responses={200: paged(AlertSerializer)}, fails=[400, 404])
_resolved = OpenApiParameter("is_resolved", bool, description="Whether they are over.")
_post = _operation(
    "Post an alert that no rule has made. Managers and admins resolve it, or post what is over already.",
    {201: AlertSerializer},
    fails=[400, 503, 507],
    request=AlertSerializer,
)
_change = _operation(
    "Change what is sent: message, type and level of an alert that was posted; or `is_resolved` to true, of any, for "
    "managers and admins. What is only read may be sent back, and is passed over.",
    {200: AlertSerializer},
    fails=[*_CHANGED, 409],
    request=AlertSerializer(partial=True),
)


def _act(name: str, view: type[AlertAct], what: str, request: Any = None, *, fails: tuple[int, ...] = ()) -> Any:
    """The path of something that is done to an alert."""
    documented: Callable[[Any], Any] = _operation(
        f"{what} The answer is the alert, also where that was done already.",
        {200: AlertSerializer},
        fails=[*([] if request is None else [400]), 404, 503, 507, *fails],
        request=None if request is None else {"application/json": request},  # of what is no form nobody would hear
    )
    return path(f"<int:alert_id>/{name}/", described(view, post=documented), name=f"api-alert-{name}")


def _act_on_several(name: str, view: type[AlertsAct], what: str, request: Any, heard: Any) -> Any:
    """The path of something that is done to several alerts at once."""
    documented = _operation(
        what,
        {200: heard},
        fails=[400, 503, 507],
        request=request,
        operation_id=f"api_alerts_{name}_several",
    )
    return path(f"{name}/", described(view, post=documented), name=f"api-alerts-{name}")


urlpatterns = [
    path(
        "",
        described(
            alerts.AlertList,
            get=_listed("The alerts, filtered, ordered and in pages.", parameters=[_resolved, *_filters]),
            post=_post,
        ),
        name="api-alerts",
    ),
    path(
        "unresolved/",
        described(alerts.AlertUnresolved, get=_listed("The alerts that are not over.", parameters=_filters)),
        name="api-alerts-unresolved",
    ),
    _act_on_several(
        "acknowledge",
        alerts.AlertsAcknowledge,
        "Acknowledge several at once.",
        SeveralSerializer,
        AcknowledgedSerializer,
    ),
    _act_on_several(
        "assign",
        alerts.AlertsAssign,
        "Give several to somebody at once, or to nobody.",
        SeveralAssignSerializer,
        AssignedSerializer,
    ),
    _act_on_several(
        "shelve",
        alerts.AlertsShelve,
        "Have nobody told of several for a while. What is over is left as it is.",
        SeveralShelveSerializer,
        ShelvedSerializer,
    ),
    path(
        "<int:alert_id>/",
        described(
            alerts.AlertDetail,
            get=_operation("One alert.", {200: AlertSerializer}, fails=[404]),
            put=_change,
            patch=_change,
            delete=_operation(
                "Take it out of everybody's sight: for managers and admins. It is resolved first, its history kept.",
                {204: None},
                fails=[404, 503, 507],
            ),
        ),
        name="api-alert",
    ),
    path(
        "<int:alert_id>/history/",
        described(
            alerts.AlertHistory,
            get=_operation(
                "All that happened to it, the oldest first.",
                {200: paged(TransitionSerializer)},
                fails=[400, 404],
                parameters=paging(SIZE),
            ),
        ),
        name="api-alert-history",
    ),
    _act(
        "resolve",
        alerts.AlertResolve,
        "End it: for managers and admins. What is still in breach opens again only after it has been clear.",
        ResolveSerializer,
    ),
    _act("acknowledge", alerts.AlertAcknowledge, "Say that somebody knows of it."),
    _act("assign", alerts.AlertAssign, "Give it to somebody, or to nobody.", AssignSerializer),
    _act("comment", alerts.AlertComment, "Say something about it.", CommentSerializer),
    _act(
        "shelve",
        alerts.AlertShelve,
        "Have nobody told of it for a while, nor of what its rule finds anew meanwhile. What is still open then is "
        "announced. What is over cannot be shelved: 409.",
        ShelveSerializer,
        fails=(409,),
    ),
    _act("unshelve", alerts.AlertUnshelve, "End its shelf before its time."),
]
