"""One thing: what it says now, its channels over a window of time, and the rows of that window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.forms import CharField, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.queries import zone_of
from wattkeeper.base.assets.actions import asset_change
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import asset_by_id
from wattkeeper.base.assets.states import freshness_of, moved_at, state_channels, state_of
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.views.dashboard.asset_looks import looks_of
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.live import live_address
from wattkeeper.views.dashboard.pages.alert_rows import alert_list
from wattkeeper.views.dashboard.pages.asset_window import data_context, page_address, window_context
from wattkeeper.views.dashboard.pages.freshness import FRESHNESS_BADGES, badges_beside
from wattkeeper.views.dashboard.scope import scope_of
from wattkeeper.views.dashboard.state_badges import badges_of
from wattkeeper.views.dashboard.windows import PARAMETERS, SHORTEST, window_of

ALERTS = 5  # at first: a link leads to all of them


class AssetForm(Form):
    """What people say about a thing, beside what it says itself."""

    name = CharField(max_length=200, required=False, help_text="Shown instead of the id.")
    type = CharField(max_length=100, required=False)
    site = CharField(max_length=200, required=False)


@page()
def asset(request: HttpRequest, caller: Caller, kind: Kind, asset_id: int) -> HttpResponse:
    """The page of one thing."""
    return _shown(request, caller, kind, _mine(caller, kind, asset_id))


@page(read=Action.ASSET_EDIT, write=Action.ASSET_EDIT)
def asset_edit(request: HttpRequest, caller: Caller, kind: Kind, asset_id: int) -> HttpResponse:
    """POST the form of the page's dialog; with a mistake in it the page comes back with the dialog open."""
    found = _mine(caller, kind, asset_id)
    query = f"?{request.GET.urlencode()}" if request.GET else ""  # the window stays what it was
    address = reverse(f"asset-{kind.name}", args=[asset_id]) + query
    if request.method != "POST":
        return redirect(address)
    form = AssetForm(request.POST)
    if not form.is_valid():
        return _shown(request, caller, kind, found, form=form, status=422)
    asset_change(found, **form.cleaned_data, actor=caller.identity)
    messages.success(request, "Saved.")
    return redirect(address)


def _mine(caller: Caller, kind: Kind, asset_id: int) -> Asset:
    found = asset_by_id(asset_id, kind=kind.name, tenant_id=caller.tenant_id)
    if found is None:
        raise NotFoundError(f"There is no such {kind.label.lower()}, or it is not yours.")
    return found


def _shown(
    request: HttpRequest, caller: Caller, kind: Kind, found: Asset, *, form: AssetForm | None = None, status: int = 200
) -> HttpResponse:
    present = now()
    looks = looks_of(kind.name)
    asked = request.GET.dict()
    if looks.window and not any(asked.get(name) for name in PARAMETERS):
        asked["window"] = looks.window
    window = window_of(asked, now=present, zone=zone_of(caller))
    state = state_of(found, kind)
    at = state["at"] if state else None
    fresh = freshness_of(at, kind, now=present)
    badges, tiles_of = badges_of(kind.name), looks.tiles
    context = {
        "kind": kind,
        "list_url": f"assets-{kind.name}",
        "edit_url": f"asset-edit-{kind.name}",
        "asset": found,
        "state": state,
        "state_cells": [(one, state[one.name]) for one in state_channels(kind)] if state and not tiles_of else [],
        "tiles": tiles_of(found) if state and tiles_of else [],
        "channels": _drawn(kind.streams[0], state if looks.hides_unsaid else None),
        "moved": moved_at(found, kind),
        "fresh": fresh,
        "fresh_badges": badges_beside([(found.pk, fresh)], looks)[found.pk],
        "freshness_badges": FRESHNESS_BADGES,
        "state_badges": badges,
        "state_words": {name: json.dumps({key: one.word for key, one in own.items()}) for name, own in badges.items()},
        "stale_after": int(kind.stale_after.total_seconds()),
        "live": live_address(kind=kind.name),
        "alerts": _alerts(request, caller, found),
        "nameplate": _nameplate(kind, found),
        "panels": [(panel, panel.context_of(found.pk)) for panel in kind.panels],
        **window_context(request, window),
        **data_context(request, kind.streams[0], found, window),
        "last_window": page_address(request, {"until": (at + SHORTEST).isoformat()}) if at else "",
        "may_edit": caller.may(Action.ASSET_EDIT),
        "form": form or AssetForm(initial={"name": found.name, "type": found.type, "site": found.site}),
        "form_failed": form is not None,
    }
    return render(request, "wattkeeper/asset.html", context, status=status)


def _alerts(request: HttpRequest, caller: Caller, found: Asset) -> dict[str, Any]:
    """What of its alerts asks for somebody, whatever the address says of sites and tenants."""
    scope = replace(scope_of(request, caller), tenant_id=found.tenant_id, site="")
    return alert_list(request, caller, scope=scope, kind=found.kind, asset_id=found.pk, limit=ALERTS)


def _drawn(stream: Stream, state: Mapping[str, Any] | None) -> list[Channel]:
    """The channels that are shown over time; of a `state`, where it says anything, those of which it says something."""
    drawn = [channel for channel in stream.channels if channel.drawn]
    said = [channel for channel in drawn if state is None or state.get(channel.name) is not None]
    return said or drawn


def _nameplate(kind: Kind, found: Asset) -> list[tuple[Channel, float | None]]:
    """What stands on the thing, as its kind knows it."""
    values = kind.nameplate_of([found.pk]).get(found.pk, {}) if kind.nameplate else {}
    return [(channel, values.get(channel.name)) for channel in kind.nameplate]
