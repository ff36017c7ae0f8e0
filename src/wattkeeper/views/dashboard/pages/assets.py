"""The things of a kind in a list: filtered, sorted and with the columns that the address says."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.assets.filters import AssetFilter, filter_of
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import fleet_counts
from wattkeeper.base.assets.states import STALE_AFTER, state_channels, state_of
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.clock import now
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.freshness import freshness_of

ROWS = 50


@page()
def assets(request: HttpRequest, caller: Caller, kind: Kind) -> HttpResponse:
    """A page of the list, newest state beside each thing."""
    wanted = filter_of(dict(request.GET.lists()), kind=kind, caller=caller)
    said, present = wanted.describe(), now()
    counts = fleet_counts(kind, tenant_id=wanted.tenant_id, site=wanted.site, now=present)
    pages = Paginator(wanted.assets(now=present), ROWS)
    if not wanted.narrows:
        pages.count = counts.total  # known already
    shown = pages.get_page(request.GET.get("page"))
    channels = state_channels(kind)
    chosen = {name for name in request.GET.getlist("column") if name}
    columns = [channel for channel in channels if not chosen or channel.name in chosen]
    context = {
        "kind": kind,
        "filter": wanted,
        "filters": _filters(wanted),
        "filter_channels": [
            (channel, *(said.get(name, "") for name in (f"min_{channel.name}", f"max_{channel.name}", channel.name)))
            for channel in channels
        ],
        "channels": channels,
        "columns": columns,
        "chosen": chosen,
        "page": shown,
        "rows": [_row(asset, kind, columns) for asset in shown.object_list],
        "counts": counts,
        "stale_after": int(STALE_AFTER.total_seconds()),
        "show_tenant": caller.above_tenants,
        "may_import": caller.may(Action.INGEST),
        "export": f"{reverse(f'assets-export-{kind.name}')}?{wanted.query()}",
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "wattkeeper/assets.html", context)


def _row(asset: Asset, kind: Kind, columns: list[Any]) -> dict[str, Any]:
    state = state_of(asset, kind)
    return {
        "asset": asset,
        "address": reverse(f"asset-{kind.name}", args=[asset.pk]),
        "at": state["at"] if state else None,
        "freshness": freshness_of(state["at"] if state else None),
        "cells": [(channel, state[channel.name] if state else None) for channel in columns],
    }


def _filters(wanted: AssetFilter) -> int:
    """How many conditions stand in the panel of filters."""
    return len(wanted.at_least) + len(wanted.at_most) + len(wanted.equals)
