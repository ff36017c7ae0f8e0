"""The dashboard: for who keeps it open all day. What asks for somebody, the fleet in figures, and its batteries."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.assets.filters import filter_of
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import FleetCounts, fleet_counts
from wattkeeper.base.assets.states import moved_at, state_channels, state_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.clock import now
from wattkeeper.kinds.battery.badges import STATUS_BADGES
from wattkeeper.kinds.battery.dashboard.figures import figures_of
from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.live import DASHBOARD, live_address
from wattkeeper.views.dashboard.pages.alert_rows import alert_list
from wattkeeper.views.dashboard.pages.asset_filters import filter_context
from wattkeeper.views.dashboard.scope import Scope, scope_of
from wattkeeper.views.dashboard.whom import whom_to_ask

ROWS = 20
ALERTS = 5
TABLE = "batteries"  # the id of the part of the page that is turned over, sorted and filtered by itself
WATCHED_MOST = 1_000  # of a fleet up to this size the page is told of all, and its figures follow at once
COLUMNS = ("current_charge", "health_percentage", "current_voltage", "current_temperature", "cycle_count")


@page()
def dashboard(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The page; its table alone where that is what htmx will put in."""
    scope = scope_of(request, caller)
    table = _table(request, caller)
    if request.headers.get("HX-Target") == TABLE:
        return render(request, "battery/table.html", table)
    counts: FleetCounts = table["counts"]
    if not counts.total:
        return render(request, "battery/no_batteries.html", _nothing(request, caller, scope))
    context = {
        **table,
        **_figures(scope),
        "alerts": alert_list(request, caller, scope=scope, kind=STATUS.kind, limit=ALERTS),
        "live": _live(scope),
        "live_all": counts.total <= WATCHED_MOST,
        "export_all": _with(reverse("api-dashboard-export"), {"tenant": scope.tenant_slug}),
    }
    return render(request, "battery/dashboard.html", context)


@page()
def figures_alone(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The cards and charts alone, for a page that is there already."""
    return render(request, "battery/figures.html", _figures(scope_of(request, caller)))


def _nothing(request: HttpRequest, caller: Caller, scope: Scope) -> dict[str, Any]:
    """How the first battery comes: by whoever looks on, or by whom they may ask."""
    may_register, may_make_keys = caller.may(Action.ASSET_EDIT), caller.may(Action.KEY_MANAGE)
    return {
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "live": _live(scope),
        "site": scope.site,
        "may_register": may_register,
        "may_make_keys": may_make_keys,
        "who_registers": "" if may_register else whom_to_ask(caller, Action.ASSET_EDIT, tenant_id=scope.tenant_id),
        "who_makes_keys": "" if may_make_keys else whom_to_ask(caller, Action.KEY_MANAGE, tenant_id=scope.tenant_id),
    }


def _figures(scope: Scope) -> dict[str, Any]:
    return {"figures_address": _with(reverse("battery-dashboard-figures"), scope.parameters), **figures_of(scope)}


def _table(request: HttpRequest, caller: Caller) -> dict[str, Any]:
    kind, present = registry.kind(STATUS.kind), now()
    wanted = filter_of(dict(request.GET.lists()), kind=kind, caller=caller)
    counts = fleet_counts(kind, tenant_id=wanted.tenant_id, site=wanted.site, now=present)
    pages = Paginator(wanted.assets(now=present), ROWS)
    if not wanted.narrows:
        pages.count = counts.total  # known already
    shown = pages.get_page(request.GET.get("page"))
    channels = {channel.name: channel for channel in state_channels(kind)}
    return {
        **filter_context(wanted),
        "counts": counts,
        "columns": [channels[name] for name in COLUMNS],
        "page": shown,
        "rows": [_row(battery) for battery in shown.object_list],
        "status_badges": STATUS_BADGES,
        "stale_after": int(kind.stale_after.total_seconds()),
        "show_tenant": wanted.tenant_id is None,
        "export": f"{reverse('assets-export-battery')}?{wanted.query()}",
    }


def _row(battery: Asset) -> dict[str, Any]:
    kind = registry.kind(STATUS.kind)
    state = state_of(battery, kind) or {}
    channels = {channel.name: channel for channel in state_channels(kind)}
    return {
        "battery": battery,
        "status": state.get("current_status"),
        "moved": moved_at(battery, kind),
        "cells": [(channels[name], state.get(name)) for name in COLUMNS],
    }


def _live(scope: Scope) -> str:
    return live_address(DASHBOARD, tenant=scope.tenant_slug)


def _with(address: str, parameters: Any) -> str:
    query = urlencode({name: text for name, text in parameters.items() if text})
    return f"{address}?{query}" if query else address
