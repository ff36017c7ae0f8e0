"""The alerts of all kinds of things: read by all, taken care of by those who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, ClassVar

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import Caller, caller_of
from wattkeeper.base.accounts.models import User
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.accounts.queries import user_by_id
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_in_use
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.flow.alerts import actions, queries
from wattkeeper.flow.alerts.actions import Acknowledged, Assigned, Shelved
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.views.api.alert_serializers import (
    BATTERY,
    OUTSIDE,
    AlertSerializer,
    AssignSerializer,
    CommentSerializer,
    ResolveSerializer,
    SeveralAssignSerializer,
    SeveralSerializer,
    SeveralShelveSerializer,
    ShelveSerializer,
    TransitionSerializer,
)
from wattkeeper.views.api.errors import outside_names
from wattkeeper.views.api.lists import list_response
from wattkeeper.views.api.parameters import one_of, sort_of, tenant_filter, text, truth, whole

NEWEST_FIRST = "-created_at"
MINE = "me"
_ID_MOST = 10**12 - 1


class AlertList(APIView):
    """GET a page of alerts; POST one that no rule has made."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ, "POST": Action.ALERT_ACT}

    def get(self, request: Request) -> Response:
        return _listed(request, is_resolved=_truth(request, "is_resolved"))

    def post(self, request: Request) -> Response:
        caller, given = caller_of(request), _given(AlertSerializer, request)
        if given.get("is_resolved"):
            caller.require(Action.ALERT_RESOLVE)
        with outside_names(OUTSIDE):
            alert = actions.alert_post(
                _asset(given, caller),
                alert_type=AlertType(given["alert_type"]),
                level=Level(given["alert_level"]),
                message=given["message"],
                by=caller.identity,
            )
        if given.get("is_resolved"):
            actions.alert_resolve(alert, by=caller.identity)
        return Response(AlertSerializer(alert).data, status=status.HTTP_201_CREATED)


class AlertUnresolved(APIView):
    """GET a page of those that are not over."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        return _listed(request, is_resolved=False)


class AlertDetail(APIView):
    """One alert. PUT and PATCH change what is sent, DELETE takes it out of everybody's sight."""

    actions: ClassVar[Mapping[str, Action]] = {
        "GET": Action.READ,
        "PUT": Action.ALERT_ACT,
        "PATCH": Action.ALERT_ACT,
        "DELETE": Action.ALERT_RESOLVE,
    }

    def get(self, request: Request, alert_id: int) -> Response:
        return Response(AlertSerializer(_alert(request, alert_id)).data)

    def put(self, request: Request, alert_id: int) -> Response:
        return self.patch(request, alert_id)

    def patch(self, request: Request, alert_id: int) -> Response:
        alert, caller = _alert(request, alert_id), caller_of(request)
        given = _given(AlertSerializer, request, partial=True)
        _check_stays(alert, given)
        resolves = given.get("is_resolved", False) and not alert.is_resolved  # what is read may be sent back
        if resolves:
            caller.require(Action.ALERT_RESOLVE)
        with outside_names(OUTSIDE):
            actions.alert_change(
                alert,
                by=caller.identity,
                message=given.get("message"),
                alert_type=AlertType(given["alert_type"]) if "alert_type" in given else None,
                level=Level(given["alert_level"]) if "alert_level" in given else None,
            )
        if resolves:
            actions.alert_resolve(alert, by=caller.identity)
        return Response(AlertSerializer(alert).data)

    def delete(self, request: Request, alert_id: int) -> Response:
        actions.alert_hide(_alert(request, alert_id), by=caller_of(request).identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class AlertHistory(APIView):
    """GET a page of all that happened to an alert, the oldest first."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, alert_id: int) -> Response:
        return list_response(request, queries.transitions_of(_alert(request, alert_id)), TransitionSerializer)


class AlertAct(APIView):
    """POST to do something to an alert; the answer is the alert, also where that was done already."""

    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.ALERT_ACT}

    def post(self, request: Request, alert_id: int) -> Response:
        alert = _alert(request, alert_id)
        self.act(alert, request, caller_of(request))
        return Response(AlertSerializer(alert).data)

    def act(self, alert: Alert, request: Request, caller: Caller) -> None:
        raise NotImplementedError


class AlertResolve(AlertAct):
    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.ALERT_RESOLVE}

    def act(self, alert: Alert, request: Request, caller: Caller) -> None:
        actions.alert_resolve(alert, by=caller.identity, why=_given(ResolveSerializer, request).get("why", ""))


class AlertAcknowledge(AlertAct):
    def act(self, alert: Alert, request: Request, caller: Caller) -> None:
        actions.alert_acknowledge(alert, by=caller.identity)


class AlertAssign(AlertAct):
    def act(self, alert: Alert, request: Request, caller: Caller) -> None:
        user = _user(_given(AssignSerializer, request), caller)
        actions.alert_assign(alert, user=user, by=caller.identity)


class AlertComment(AlertAct):
    def act(self, alert: Alert, request: Request, caller: Caller) -> None:
        actions.alert_comment(alert, _given(CommentSerializer, request)["text"], by=caller.identity)


class AlertShelve(AlertAct):
    def act(self, alert: Alert, request: Request, caller: Caller) -> None:
        given = _given(ShelveSerializer, request)
        actions.alert_shelve(alert, reason=given["reason"], until=_until(given), by=caller.identity)


class AlertUnshelve(AlertAct):
    def act(self, alert: Alert, request: Request, caller: Caller) -> None:
        actions.alert_unshelve(alert, by=caller.identity)


class AlertsAct(APIView):
    """POST the ids of alerts to do something to all of them; the answer says what became of each."""

    given: ClassVar[type[Serializer[Any]]] = SeveralSerializer
    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.ALERT_ACT}

    def post(self, request: Request) -> Response:
        return Response(asdict(self.act(_given(self.given, request), caller_of(request))))

    def act(self, given: Mapping[str, Any], caller: Caller) -> Acknowledged | Assigned | Shelved:
        raise NotImplementedError


class AlertsAcknowledge(AlertsAct):
    def act(self, given: Mapping[str, Any], caller: Caller) -> Acknowledged:
        return actions.alerts_acknowledge(given["ids"], tenant_id=caller.tenant_id, by=caller.identity)


class AlertsAssign(AlertsAct):
    given = SeveralAssignSerializer

    def act(self, given: Mapping[str, Any], caller: Caller) -> Assigned:
        user = _user(given, caller)
        return actions.alerts_assign(given["ids"], user=user, tenant_id=caller.tenant_id, by=caller.identity)


class AlertsShelve(AlertsAct):
    given = SeveralShelveSerializer

    def act(self, given: Mapping[str, Any], caller: Caller) -> Shelved:
        return actions.alerts_shelve(
            given["ids"],
            reason=given["reason"],
            until=_until(given),
            tenant_id=caller.tenant_id,
            by=caller.identity,
        )


def _alert(request: Request, alert_id: int) -> Alert:
    """The alert, if the caller may know of it. Who stands above tenants has no tenant's id, and sees all."""
    alert = queries.alert_by_id(alert_id, tenant_id=caller_of(request).tenant_id)
    if alert is None:
        raise NotFoundError("There is no such alert.")
    return alert


def _user(given: Mapping[str, Any], caller: Caller) -> User | None:
    """Who is meant, None for nobody."""
    wanted = given["user"]
    user = None if wanted is None else user_by_id(wanted, caller=caller)
    if wanted is not None and user is None:
        raise BadRequestError("There is no such person in this tenant.", field="user")
    return user


def _until(given: Mapping[str, Any]) -> datetime:
    """When the shelf ends."""
    return given.get("until") or clock.now() + timedelta(minutes=given["minutes"])


def _listed(request: Request, *, is_resolved: bool | None) -> Response:
    caller, battery, asset = caller_of(request), _id(request, "battery"), _id(request, "asset")
    alerts = queries.alerts_of(
        tenant_filter(request, caller),
        is_resolved=is_resolved,
        acknowledged=_truth(request, "acknowledged"),
        shelved=_truth(request, "shelved"),
        level=one_of(text(request, "alert_level"), list(Level), "alert_level"),
        alert_type=one_of(text(request, "alert_type"), list(AlertType), "alert_type"),
        kind=one_of(text(request, "kind"), [kind.name for kind in registry.kinds()], "kind"),
        asset_id=asset if battery is None else battery,
        assigned_to=_person(request, caller),
        search=text(request, "search"),
        ordering=sort_of(request, queries.ORDERINGS, default=NEWEST_FIRST),
    )
    if battery is not None:
        alerts = alerts.filter(kind=BATTERY, asset_id=battery if asset is None else asset)
    return list_response(request, alerts, AlertSerializer)


def _given(serializer: type[Serializer[Any]], request: Request, *, partial: bool = False) -> dict[str, Any]:
    asked = serializer(data=request.data, partial=partial)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _asset(given: Mapping[str, Any], caller: Caller) -> Asset:
    """The asset in use that a new alert is about."""
    battery, asset = given.get("battery"), given.get("asset")
    if battery is None and asset is None:
        raise BadRequestError("Say which battery, or which asset.", field="battery")
    if None not in (battery, asset) and battery != asset:
        raise BadRequestError("This is another asset than the battery.", field="asset")
    field = "asset" if battery is None else "battery"
    assets = assets_in_use(tenant_id=caller.tenant_id).filter(pk=given[field])
    found = (assets if battery is None else assets.filter(kind=BATTERY)).first()
    if found is None:
        raise BadRequestError(f"There is no such {field}.", field=field)
    return found


def _check_stays(alert: Alert, given: Mapping[str, Any]) -> None:
    """What nobody changes may be sent back as it is."""
    whose = {"asset": alert.asset_id, "battery": alert.asset_id if alert.kind == BATTERY else None}
    for field, stays in whose.items():
        if field in given and given[field] != stays:
            raise BadRequestError("An alert stays with its asset.", field=field)
    if given.get("is_resolved") is False and alert.is_resolved:
        raise BadRequestError("What is over stays so; if it comes again, it is another alert.", field="is_resolved")


def _truth(request: Request, name: str) -> bool | None:
    return truth(text(request, name), name)


def _id(request: Request, name: str) -> int | None:
    return whole(request, name, default=0, least=1, most=_ID_MOST) or None


def _person(request: Request, caller: Caller) -> int | None:
    """Whose alerts `?assigned_to=` means; nobody has the alerts of a key."""
    if text(request, "assigned_to") != MINE:
        return _id(request, "assigned_to")
    return caller.user_id or 0
