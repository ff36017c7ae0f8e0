"""The one door for what people set of notifications: channels, routes, and tests. Each is audited, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.flow.notify.channel_fields import channel_check
from wattkeeper.flow.notify.channel_settings import settings_changed, settings_shown, type_of
from wattkeeper.flow.notify.channels.declared import Settings
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.dropping import UNSENT, notifications_drop
from wattkeeper.flow.notify.models import Notification, NotificationState, NotifyChannel, Route
from wattkeeper.flow.notify.repeat import repeats_move
from wattkeeper.flow.notify.route_fields import RouteFields, fields_of, route_check

CHANNELS_MOST = 50  # of a tenant
ROUTES_MOST = 200
TEST_EVERY = timedelta(seconds=5)

_CHANGED = "Somebody else has changed this in the meantime; look at it again."
_UNFINISHED = (*UNSENT, NotificationState.SENDING)


@transaction.atomic
def channel_add(
    *, tenant: Tenant, type: str, name: str, settings: Settings, enabled: bool = True, actor: str
) -> NotifyChannel:
    """A new way to reach people. ValidationError by field, of a setting as `settings.NAME`."""
    kind = type_of(type)
    if kind is None:
        raise ValidationError({"type": f"Say one of {', '.join(channel_types())}."})
    _lock(tenant.pk)
    if NotifyChannel.objects.filter(tenant=tenant, removed_at=None).count() >= CHANNELS_MOST:
        raise ConflictError(f"There are {CHANNELS_MOST} channels already; remove one first.")
    kept = channel_check(kind, tenant_id=tenant.pk, name=name, settings=settings)
    name = name.strip()
    channel = NotifyChannel.objects.create(tenant=tenant, type=type, name=name, settings=kept, enabled=enabled)
    told = {"type": type, "settings": settings_shown(kind, kept), "enabled": enabled}
    _audit(channel, actor=actor, action="channel_add", detail=told)
    return channel


@transaction.atomic
def channel_change(
    channel: NotifyChannel,
    *,
    actor: str,
    name: str | None = None,
    settings: Settings | None = None,
    enabled: bool | None = None,
) -> None:
    """Change what is given; of the settings, too: a secret that is not given stays as it is.

    What still waits to be sent is dropped with a channel that is switched off: nobody wants it hours later, but for
    what is still open when it is on again.
    ValidationError by field, of a setting as `settings.NAME`; ConflictError where somebody else was quicker.
    """
    _lock(channel.tenant_id)
    kind = type_of(channel.type)
    wanted: dict[str, Any] = {}
    detail: dict[str, Any] = {}
    if settings is not None and kind is None:
        raise ConflictError(f"Nobody here knows any more how a channel of the type {channel.type} works.")
    kept = channel_check(kind, tenant_id=channel.tenant_id, name=name, settings=settings, before=channel)
    if name is not None and name.strip() != channel.name:
        wanted["name"], detail["name"] = name.strip(), [channel.name, name.strip()]
    if settings is not None and kind is not None and (changed := settings_changed(kind, channel.settings, kept)):
        wanted["settings"], detail["settings"] = kept, changed
        wanted["not_before"] = None  # it was another place that asked to be left alone
    if enabled is not None and enabled != channel.enabled:
        wanted["enabled"], detail["enabled"] = enabled, [channel.enabled, enabled]
    if not wanted:
        return
    _claim(channel, **wanted)
    _audit(channel, actor=actor, action="channel_change", detail=detail)
    if wanted.get("enabled") is False:
        notifications_drop(Q(channel=channel), why="Its channel was switched off.")


def channel_enable(channel: NotifyChannel, *, enabled: bool, actor: str) -> None:
    """Switch it on or off. To switch it to what it is already changes nothing."""
    channel_change(channel, enabled=enabled, actor=actor)


@transaction.atomic
def channel_remove(channel: NotifyChannel, *, actor: str) -> None:
    """Take it away for good, with its routes. What waits is dropped, and what it knew is forgotten: addresses, secrets.

    The messages that went through it stay. ConflictError where somebody else was quicker.
    """
    _lock(channel.tenant_id)
    now = clock.now()
    _claim(channel, removed_at=now, settings={})
    routes = Route.objects.filter(channel=channel, removed_at=None)
    gone = [str(route) for route in routes.select_related("channel").order_by("pk")]
    routes.update(removed_at=now)
    notifications_drop(Q(channel=channel), why="Its channel was removed.")
    _audit(channel, actor=actor, action="channel_remove", detail={"routes": gone})


@transaction.atomic
def channel_test(channel: NotifyChannel, *, by: str) -> Notification:
    """A test message, to be sent like any other. ConflictError where one is on its way, or was a moment ago."""
    # Of two who press the button at once, the second finds the first one's test.
    if not NotifyChannel.objects.select_for_update().filter(pk=channel.pk, removed_at=None).exists():
        raise ConflictError("This channel is removed.")
    now = clock.now()
    tests = Notification.objects.filter(channel=channel, is_test=True)
    if tests.filter(Q(state__in=_UNFINISHED) | Q(created_at__gt=now - TEST_EVERY)).exists():
        raise ConflictError("A test is on its way, or was sent a moment ago: see what becomes of it first.")
    test = Notification.objects.create(
        tenant_id=channel.tenant_id, channel=channel, is_test=True, requested_by=by, created_at=now, due_at=now
    )
    _audit(channel, actor=by, action="channel_test", detail={"message": test.pk})
    return test


@transaction.atomic
def route_add(*, tenant: Tenant, fields: RouteFields, actor: str) -> Route:
    """Have such alerts told through a channel, from the next one on. ValidationError by field."""
    _lock(tenant.pk)
    if Route.objects.filter(tenant=tenant, removed_at=None).count() >= ROUTES_MOST:
        raise ConflictError(f"There are {ROUTES_MOST} routes already; remove one first.")
    written = _stripped(fields)
    route_check(written, tenant_id=tenant.pk)
    route = Route.objects.create(tenant=tenant, **asdict(written))
    _audit(route, actor=actor, action="route_add", detail=_plain(asdict(written)))
    return route


@transaction.atomic
def route_change(route: Route, *, fields: RouteFields, actor: str) -> None:
    """Give the route other fields. ValidationError by field; ConflictError where somebody else was quicker.

    What still waits to be sent is dropped where the route is switched off, or leads elsewhere; what of it is still
    open when the route is on is told then.
    """
    _lock(route.tenant_id)
    written, before = _stripped(fields), fields_of(route)
    if written == before:
        return
    route_check(written, tenant_id=route.tenant_id, before=before)
    _check_there(route)
    changed = row_change(route, asdict(written))
    _audit(route, actor=actor, action="route_change", detail=_plain(changed))
    if before.enabled and not written.enabled:
        notifications_drop(Q(route=route), why="Its route was switched off.")
    elif "channel_id" in changed:
        notifications_drop(Q(route=route), why="Its route leads to another channel now.")
    if "repeat_minutes" in changed:
        repeats_move(route)


@transaction.atomic
def route_remove(route: Route, *, actor: str) -> None:
    """Tell nobody by it any more; what waits is dropped. ConflictError where somebody else was quicker."""
    _lock(route.tenant_id)
    _check_there(route)
    row_change(route, {"removed_at": clock.now()})
    notifications_drop(Q(route=route), why="Its route was removed.")
    _audit(route, actor=actor, action="route_remove", detail={})


def _lock(tenant_id: int) -> None:
    """Until the transaction's end, no other changes this tenant's channels and routes: names and limits hold."""
    Tenant.objects.select_for_update().get(pk=tenant_id)


def _claim(channel: NotifyChannel, **values: Any) -> None:
    """Write these, if the channel is still as it was read; else ConflictError."""
    values["updated_at"] = clock.now()
    found = NotifyChannel.objects.filter(pk=channel.pk, updated_at=channel.updated_at, removed_at=None)
    if not found.update(**values):
        raise ConflictError(_CHANGED)
    for name, value in values.items():
        setattr(channel, name, value)


def _check_there(route: Route) -> None:
    if not Route.objects.filter(pk=route.pk, removed_at=None).exists():
        raise ConflictError("This route is removed.")


def _stripped(fields: RouteFields) -> RouteFields:
    return replace(fields, name=fields.name.strip(), site=fields.site.strip())


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it: times as texts."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        return value.isoformat() if isinstance(value, time) else value

    return {name: plain(value) for name, value in detail.items()}


def _audit(what: NotifyChannel | Route, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    name = "channel" if isinstance(what, NotifyChannel) else "route"
    audit_add(tenant=what.tenant, actor=actor, action=action, target=f"{name}:{what.pk} {what}", detail=detail)
