"""The first pages: log in, and each kind's things with their latest state."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.base.assets.states import state_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind

ROWS = 50


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first kind's list; there is no overview yet."""
    return redirect(f"assets-{registry.kinds()[0].name}")


@login_required
@require_safe
def assets(request: HttpRequest, kind: Kind) -> HttpResponse:
    """The things of a kind that the person may see, newest state beside each."""
    caller = caller_of(request)
    tenant_id = None if caller.above_tenants else caller.tenant_id
    search = request.GET.get("search", "").replace("\0", "").strip()
    found = assets_of_kind(kind.name, tenant_id=tenant_id).order_by("key")
    found = found.select_related("tenant", kind.state_relation)
    if search:
        found = found.filter(Q(key__icontains=search) | Q(name__icontains=search))
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    context = {
        "kinds": [(other, reverse(f"assets-{other.name}")) for other in registry.kinds()],
        "current_kind": kind,
        "channels": kind.streams[0].channels,
        "page": page,
        "rows": _rows(kind, list(page.object_list)),
        "search": search,
        "show_tenant": caller.above_tenants,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "wattkeeper/assets.html", context)


def _rows(kind: Kind, shown: list[Any]) -> list[dict[str, Any]]:
    channels = kind.streams[0].channels
    rows = []
    for asset in shown:
        state = state_of(asset, kind) or {}
        cells = [{"value": state.get(c.name), "numeric": c.is_numeric} for c in channels]
        rows.append({"asset": asset, "at": state.get("at"), "cells": cells})
    return rows
