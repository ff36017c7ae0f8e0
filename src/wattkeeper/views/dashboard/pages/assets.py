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
from wattkeeper.base.assets.states import freshness_of, moved_at, state_channels, state_of
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.clock import now
from wattkeeper.views.dashboard.asset_looks import Column, Looks, looks_of
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.live import live_address
from wattkeeper.views.dashboard.pages.asset_filters import filter_context
from wattkeeper.views.dashboard.pages.freshness import FRESHNESS_BADGES, badges_beside
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
    looks = looks_of(kind.name)
    chosen = {name for name in request.GET.getlist("column") if name}
    own, channels = _columns(kind, looks, chosen)
    rows = [_row(asset, kind, own, channels, now=present) for asset in shown.object_list]
    badges = badges_beside(((row["asset"].pk, row["fresh"]) for row in rows), looks)
    context = {
        **filter_context(wanted),
        "own_columns": own,
        "columns": channels,
        "column_choices": _choices(
            kind, looks, {*(column.name for column in own), *(channel.name for channel in channels)}
        ),
        "chosen": chosen,
        "has_default_columns": bool(looks.at_first),
        "first_sent": looks.first_sent,
        "links": [link for link in looks.links if caller.may(link.action)],
        "page": shown,
        "rows": [{**row, "fresh_badges": badges[row["asset"].pk]} for row in rows],
        "has_keys": looks.has_keys,
        "counts": counts,
        "freshness_badges": FRESHNESS_BADGES,
        "state_badges": badges_of(kind.name),
        "stale_after": int(kind.stale_after.total_seconds()),
        "show_tenant": caller.above_tenants,
        "live": live_address(kind=kind.name, tenant=wanted.tenant if caller.above_tenants else ""),
        "export": f"{reverse(f'assets-export-{kind.name}')}?{wanted.query()}",
        "may_send": caller.may(Action.INGEST),
        "who_sends": "" if counts.total else whom_to_ask(caller, Action.INGEST, tenant_id=wanted.tenant_id),
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "wattkeeper/assets.html", context)


def _columns(kind: Kind, looks: Looks, chosen: set[str]) -> tuple[list[Column], list[Channel]]:
    """The kind's own columns and those of channels, as they are chosen."""
    wanted = chosen or set(looks.at_first)
    replaced = {column.name for column in looks.columns}
    channels = [channel for channel in state_channels(kind) if channel.name not in replaced]
    return (
        [column for column in looks.columns if not wanted or column.name in wanted],
        [channel for channel in channels if not wanted or channel.name in wanted],
    )


def _choices(kind: Kind, looks: Looks, shown: set[str]) -> list[tuple[str, str, bool]]:
    """Every column there is with its label, and whether it is shown."""
    own, channels = _columns(kind, Looks(columns=looks.columns), set())
    names = [*((column.name, column.label) for column in own), *((one.name, one.label) for one in channels)]
    return [(name, label, name in shown) for name, label in names]


def _row(asset: Asset, kind: Kind, own: list[Column], channels: list[Channel], *, now: datetime) -> dict[str, Any]:
    state = state_of(asset, kind)
    at = state["at"] if state else None
    return {
        "asset": asset,
        "address": reverse(f"asset-{kind.name}", args=[asset.pk]),
        "at": at,
        "moved": moved_at(asset, kind),
        "fresh": freshness_of(at, kind, now=now),
        "own_cells": [(column, column.cell(asset)) for column in own],
        "cells": [(channel, state[channel.name] if state else None) for channel in channels],
    }
