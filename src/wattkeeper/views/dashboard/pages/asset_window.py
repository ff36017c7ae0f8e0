"""The window of time at which the page of one thing looks: its rows, and the addresses beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.queries import Ordering, Selection
from wattkeeper.flow.store.store import store
from wattkeeper.views.dashboard.windows import PARAMETERS, QUICK, TimeWindow

ROWS = 25
MICROSECOND = timedelta(microseconds=1)
EXPORTS = {"csv": "CSV", "xlsx": "Excel", "json": "JSON", "parquet": "Parquet"}


def window_context(request: HttpRequest, window: TimeWindow) -> dict[str, Any]:
    """The window, and the addresses of those beside it."""
    steps = {"earlier": window.before(), "wider": window.wider(), "later": window.after()}
    return {
        "window": window,
        "quick_windows": [(name, page_address(request, {"window": name}), name == window.quick) for name in QUICK],
        "steps": {name: page_address(request, step.parameters) for name, step in steps.items()},
        "kept": [(name, text) for name, text in request.GET.items() if name not in {*PARAMETERS, "page"}],
    }


def data_context(request: HttpRequest, stream: Stream, found: Asset, window: TimeWindow) -> dict[str, Any]:
    """What the window shows: where the charts' lines come from, a page of its rows, and the files of all of them."""
    ordering = _ordering(request, stream)
    selection = Selection(tenant_id=found.tenant_id, asset_ids=[found.pk], since=window.since, until=window.until)
    rows: Any = _Rows(stream, selection, ordering)
    shown = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    compared = bool(request.GET.get("compare"))
    return {
        "stream": stream,
        "compared": compared,
        "series": _series_address(stream, found, window),
        "series_before": _series_address(stream, found, window.before()) if compared else "",
        "exports": [(label, _export_address(stream, found, window, name)) for name, label in EXPORTS.items()],
        "page": shown,
        "rows": list(shown.object_list),
        "sort": ("-" if ordering.descending else "") + ordering.column,
        # What comes in stands at the beginning, and moves it: further on one reads in peace.
        "rows_follow": window.is_relative and shown.number == 1,
    }


def page_address(request: HttpRequest, window: Mapping[str, str]) -> str:
    """This page at another time, and as it is in all else."""
    query = request.GET.copy()
    for name in (*PARAMETERS, "page"):
        query.pop(name, None)
    query.update(window)
    return f"?{query.urlencode()}"


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
