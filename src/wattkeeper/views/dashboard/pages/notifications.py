"""Who is told, by which ways, and how well that has worked lately: the channels and the routes that lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.notify.channel_settings import type_of
from wattkeeper.flow.notify.channels.declared import ChannelType
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.models import NotifyChannel, Route
from wattkeeper.flow.notify.queries import ChannelHealth, channels_of, healths_of, routes_of, whereto_of
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.route_words import how_of, which_of
from wattkeeper.views.dashboard.scope import scope_of
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge
from wattkeeper.views.dashboard.whom import whom_to_ask

EDIT = page(read=Action.NOTIFY_EDIT, write=Action.NOTIFY_EDIT)
CHANNEL_EDIT = page(read=Action.NOTIFY_EDIT, write=Action.CHANNEL_EDIT)
STATES = {"on": True, "off": False}
ROUTES_SHOWN = 25  # on a page
SHOWN_MOST = 300  # more than any tenant may have; above tenants one chooses one


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as its line shows it."""

    channel: NotifyChannel
    kind: ChannelType | None
    whereto: str
    health: ChannelHealth

    @property
    def rests_until(self) -> datetime | None:
        """Until when the other side has asked to be left alone, while that is to come."""
        until = self.channel.not_before
        return until if until is not None and until > now() else None

    @property
    def badge(self) -> StateBadge:
        """Whether it works, as far as anybody knows."""
        if not self.channel.enabled:
            return StateBadge("Off", Level.QUIET, "pause-circle")
        if self.kind is None:
            return StateBadge("Cannot work", Level.ERROR, "exclamation-circle")
        if self.health.failing_since:
            return StateBadge("Failing", Level.ERROR, "exclamation-circle")
        if self.health.delivered_at:
            return StateBadge("Works", Level.FINE, "check-circle")
        return StateBadge("Not tried lately", Level.QUIET, "question-mark-circle")


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route as its line shows it."""

    route: Route
    which: str
    how: str


@EDIT
def notifications(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Channels and routes on one page."""
    tenant_id = scope_of(request, caller).tenant_id
    channels = channel_rows(list(channels_of(tenant_id)[:SHOWN_MOST]))
    context = {
        "channels": channels,
        "types": list(channel_types().values()),
        **channel_rights(caller, tenant_id=tenant_id),
        **listed(request, caller),
    }
    return render(request, "wattkeeper/notifications.html", context)


def channel_rights(caller: Caller, *, tenant_id: int | None) -> dict[str, Any]:
    """Whether the caller may change channels and add one, and whom else to ask for that."""
    may_change = caller.may(Action.CHANNEL_EDIT)
    return {
        "may_change_channels": may_change,
        "may_add_channel": may_change and tenant_id is not None,
        "who_changes_channels": "" if may_change else whom_to_ask(caller, Action.CHANNEL_EDIT, tenant_id=tenant_id),
    }


def listed(request: HttpRequest, caller: Caller) -> dict[str, Any]:
    """What both lists need: a page of the routes, and whether anybody is told of anything."""
    tenant_id = scope_of(request, caller).tenant_id
    routes = routes_of(tenant_id)
    page = routes_page(request, routes)
    return {
        "page": page,
        "routes": route_rows(list(page.object_list)),
        "nobody_is_told": not routes.filter(enabled=True, channel__enabled=True).exists(),
        "has_channels": channels_of(tenant_id).exists(),
        "show_tenant": tenant_id is None,
    }


def channel_rows(channels: Sequence[NotifyChannel]) -> list[ChannelRow]:
    """What stands in the lines of these channels."""
    healths = healths_of([channel.pk for channel in channels])
    return [ChannelRow(one, type_of(one.type), whereto_of(one), healths[one.pk]) for one in channels]


def routes_page(request: HttpRequest, routes: QuerySet[Route]) -> Page[Route]:
    """The page of the routes that the address names; the last where there are fewer."""
    return Paginator(routes, ROUTES_SHOWN).get_page(request.GET.get("page"))


def route_rows(routes: Sequence[Route]) -> list[RouteRow]:
    """What stands in the lines of these routes."""
    return [RouteRow(route, which_of(route), how_of(route)) for route in routes]


def switched(request: HttpRequest) -> bool:
    """Whether the form says `enabled=on` or `enabled=off`."""
    state = request.POST.get("enabled", "")
    if state not in STATES:
        raise BadRequestError(f"{state[:40]!r} is neither on nor off.", field="enabled")
    return STATES[state]
