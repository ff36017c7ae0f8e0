"""The overview, and the search over everything."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.assets.filters import filter_of
from wattkeeper.base.assets.queries import asset_search, fleet_counts
from wattkeeper.base.assets.states import Freshness, state_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.clock import now
from wattkeeper.flow.sources.csv_upload.queries import uploads_of
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.alert_rows import alert_list
from wattkeeper.views.dashboard.pages.import_rows import import_rows
from wattkeeper.views.dashboard.scope import scope_of

SHOWN_IN_MENU, SHOWN_ON_PAGE = 8, 100
ALERTS_SHOWN = 8
NEWEST_IMPORTS = 5
SILENT_SHOWN = 5


@page()
def home(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The alerts that ask for somebody, what there is of each kind and is heard of, and what came in last."""
    scope = scope_of(request, caller)
    newest = uploads_of(None, tenant_id=scope.tenant_id).select_related("tenant")[:NEWEST_IMPORTS]
    fleets = [_fleet(kind, caller, request) for kind in registry.kinds()]
    context = {
        "alerts": alert_list(request, caller, scope=scope, limit=ALERTS_SHOWN),
        # Who has vehicles alone need not see that there are no batteries; who has nothing yet sees what there may be.
        "fleets": [fleet for fleet in fleets if fleet["counts"].total] or fleets,
        "imports": import_rows(newest),
        "show_tenant": scope.tenant_id is None,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "wattkeeper/home.html", context)


def _fleet(kind: Kind, caller: Caller, request: HttpRequest) -> dict[str, Any]:
    """How many things of a kind there are in the scope, and which of them have been silent for longest."""
    scope = {name: request.GET.getlist(name) for name in ("tenant", "site")}
    present = now()
    silent = filter_of({**scope, "fresh": [Freshness.STALE], "sort": ["at"]}, kind=kind, caller=caller)
    return {
        "kind": kind,
        "list_url": f"assets-{kind.name}",
        "counts": fleet_counts(kind, tenant_id=silent.tenant_id, site=silent.site, now=present),
        "silent": [
            (
                asset,
                reverse(f"asset-{kind.name}", args=[asset.pk]),
                known["at"] if (known := state_of(asset, kind)) else None,
            )
            for asset in silent.assets(now=present)[:SILENT_SHOWN]
        ],
    }


@page()
def search(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Things of every kind by key or name. The search field shows the first of them while one types."""
    text = request.GET.get("q", "").replace("\0", "").strip()
    in_menu = "HX-Request" in request.headers
    limit = SHOWN_IN_MENU if in_menu else SHOWN_ON_PAGE
    found = asset_search(text, tenant_id=scope_of(request, caller).tenant_id, limit=limit + 1) if text else []
    kinds = {kind.name: kind for kind in registry.kinds()}
    hits = [(asset, kinds[asset.kind], reverse(f"asset-{asset.kind}", args=[asset.pk])) for asset in found[:limit]]
    if len(hits) == 1 and not in_menu and hits[0][0].key == text:
        return redirect(hits[0][2])
    context = {"text": text, "hits": hits, "more": len(found) > limit, "show_tenant": caller.above_tenants}
    return render(request, "wattkeeper/found.html" if in_menu else "wattkeeper/search.html", context)
