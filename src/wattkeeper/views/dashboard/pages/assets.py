"""The things of a kind in a list: filtered, sorted and with the columns that the address says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.assets.filters import filter_of
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import fleet_counts
from wattkeeper.base.assets.states import STALE_AFTER, freshness_of, moved_at, state_channels, state_of
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.clock import now
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.live import live_address
from wattkeeper.views.dashboard.pages.asset_filters import filter_context
from wattkeeper.views.dashboard.pages.freshness import FRESHNESS_BADGES
from wattkeeper.views.dashboard.state_badges import badges_of
from wattkeeper.views.dashboard.whom import whom_to_ask

ROWS = 50


@page()
def assets(request: HttpRequest, caller: Caller, kind: Kind) -> HttpResponse:
    """A page of the list, newest state beside each thing."""
    wanted = filter_of(dict(request.GET.lists()), kind=kind, caller=caller)
    present = now()
    counts = fleet_counts(kind, tenant_id=wanted.tenant_id, site=wanted.site, now=present)
    pages = Paginator(wanted.assets(now=present), ROWS)
    if not wanted.narrows:
        pages.count = counts.total  # known already
    shown = pages.get_page(request.GET.get("page"))
    channels = state_channels(kind)
    chosen = {name for name in request.GET.getlist("column") if name}
    columns = [channel for channel in channels if not chosen or channel.name in chosen]
    context = {
        **filter_context(wanted),
        "channels": channels,
        "columns": columns,
        "chosen": chosen,
        "page": shown,
        "rows": [_row(asset, kind, columns, now=present) for asset in shown.object_list],
        "counts": counts,
        "freshness_badges": FRESHNESS_BADGES,
        "state_badges": badges_of(kind.name),
        "stale_after": int(STALE_AFTER.total_seconds()),
        "show_tenant": caller.above_tenants,
        "live": live_address(kind=kind.name, tenant=wanted.tenant if caller.above_tenants else ""),
        "export": f"{reverse(f'assets-export-{kind.name}')}?{wanted.query()}",
        "may_send": caller.may(Action.INGEST),
        "who_sends": "" if counts.total else whom_to_ask(caller, Action.INGEST, tenant_id=wanted.tenant_id),
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "wattkeeper/assets.html", context)


def _row(asset: Asset, kind: Kind, columns: list[Any], *, now: datetime) -> dict[str, Any]:
    state = state_of(asset, kind)
    at = state["at"] if state else None
    return {
        "asset": asset,
        "address": reverse(f"asset-{kind.name}", args=[asset.pk]),
        "at": at,
        "moved": moved_at(asset, kind),
        "fresh": freshness_of(at, now=now),
        "cells": [(channel, state[channel.name] if state else None) for channel in columns],
    }
