"""One thing: what it says now, its channels over a window of time, and the rows of that window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
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
from wattkeeper.base.assets.states import STALE_AFTER, state_channels, state_of
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.queries import Ordering, Selection
from wattkeeper.flow.store.store import store
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.freshness import freshness_of
from wattkeeper.views.dashboard.windows import PARAMETERS, QUICK, SHORTEST, TimeWindow, window_of

ROWS = 25
MICROSECOND = timedelta(microseconds=1)
EXPORTS = {"csv": "CSV", "xlsx": "Excel", "json": "JSON", "parquet": "Parquet"}


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
    stream, zone, present = kind.streams[0], zone_of(caller), now()
    window = window_of(request.GET.dict(), now=present, zone=zone)
    state = state_of(found, kind)
    at = state["at"] if state else None
    ordering = _ordering(request, stream)
    selection = Selection(tenant_id=found.tenant_id, asset_ids=[found.pk], since=window.since, until=window.until)
    rows: Any = _Rows(stream, selection, ordering)
    shown = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    compared = bool(request.GET.get("compare"))
    context = {
        "kind": kind,
        "list_url": f"assets-{kind.name}",
        "edit_url": f"asset-edit-{kind.name}",
        "asset": found,
        "stream": stream,
        "state": state,
        "state_cells": [(channel, state[channel.name]) for channel in state_channels(kind)] if state else [],
        "freshness": freshness_of(at),
        "stale_after": int(STALE_AFTER.total_seconds()),
        **_window_context(request, window),
        "last_window": _address(request, {"until": (at + SHORTEST).isoformat()}) if at else "",
        "compared": compared,
        "series": _series_address(stream, found, window),
        "series_before": _series_address(stream, found, window.before()) if compared else "",
        "exports": [(label, _export_address(stream, found, window, name)) for name, label in EXPORTS.items()],
        "page": shown,
        "rows": list(shown.object_list),
        "sort": ("-" if ordering.descending else "") + ordering.column,
        "may_edit": caller.may(Action.ASSET_EDIT),
        "form": form or AssetForm(initial={"name": found.name, "type": found.type, "site": found.site}),
        "form_failed": form is not None,
    }
    return render(request, "wattkeeper/asset.html", context, status=status)


class _Rows:
    """A window's rows as a Paginator asks for them: how many, and a slice."""

    def __init__(self, stream: Stream, selection: Selection, ordering: Ordering) -> None:
        self._stream, self._selection, self._ordering = stream, selection, ordering

    def count(self) -> int:
        return store().count(self._stream, self._selection)

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, wanted: slice) -> list[queries.StoredRow]:  # the only way that a Paginator asks
        return queries.page(
            store().engine,
            self._stream,
            self._selection,
            ordering=self._ordering,
            offset=wanted.start,
            limit=wanted.stop - wanted.start,
        )


def _ordering(request: HttpRequest, stream: Stream) -> Ordering:
    """Newest first where the address says nothing."""
    text = request.GET.get("sort", "") or f"-{stream.time_field}"
    column = text.removeprefix("-")
    if column not in stream.columns:
        raise BadRequestError(f"{text[:40]!r} is not a column of these rows.", field="sort")
    return Ordering(column=column, descending=text.startswith("-"))


def _window_context(request: HttpRequest, window: TimeWindow) -> dict[str, Any]:
    """The window, and the addresses of those beside it."""
    steps = {"earlier": window.before(), "wider": window.wider(), "later": window.after()}
    return {
        "window": window,
        "quick_windows": [(name, _address(request, {"window": name}), name == window.quick) for name in QUICK],
        "steps": {name: _address(request, step.parameters) for name, step in steps.items()},
        "kept": [(name, text) for name, text in request.GET.items() if name not in {*PARAMETERS, "page"}],
    }


def _address(request: HttpRequest, window: Mapping[str, str]) -> str:
    """This page at another time, and as it is in all else."""
    query = request.GET.copy()
    for name in (*PARAMETERS, "page"):
        query.pop(name, None)
    query.update(window)
    return f"?{query.urlencode()}"


def _selected(stream: Stream, found: Asset, window: TimeWindow) -> dict[str, str]:
    """The API's parameters for this thing and this window."""
    return {
        stream.asset_field: found.key,
        "tenant": found.tenant.slug,
        "initial_timestamp": window.since.isoformat(),
        "final_timestamp": (window.until - MICROSECOND).isoformat(),  # the API's end is inclusive
    }


def _series_address(stream: Stream, found: Asset, window: TimeWindow) -> str:
    return f"{reverse(f'{stream.name}-series')}?{urlencode(_selected(stream, found, window))}"


def _export_address(stream: Stream, found: Asset, window: TimeWindow, name: str) -> str:
    return f"{reverse(f'{stream.name}-export')}?{urlencode({**_selected(stream, found, window), 'export': name})}"
