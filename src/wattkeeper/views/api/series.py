"""The rows of a stream as lines to draw. The same for every stream."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

from wattkeeper.base.accounts.callers import Caller, caller_of
from wattkeeper.base.assets.queries import tenant_id_of
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.series import POINTS_LEAST, Line, Series, series
from wattkeeper.flow.store.store import store
from wattkeeper.views.api.parameters import selection_of, whole
from wattkeeper.views.api.readings import StreamView

POINTS, POINTS_MOST = 2000, 4000
_MICROSECOND = timedelta(microseconds=1)
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
_GZIP_LEVEL = 1  # Django's own is 6: a sixth smaller, and five times as long


class ReadingSeries(StreamView):
    """GET the lines of one asset's channels over a window of time."""

    def get(self, request: Request) -> Response:
        points = whole(request, "points", default=POINTS, least=POINTS_LEAST, most=POINTS_MOST)
        channels = channels_of(request, self.stream)
        selection = selection_of_one(request, self.stream, caller_of(request))
        found = series(store().engine, self.stream, selection, channels=channels, points=points)
        asset_key = request.query_params[self.stream.asset_field].strip()
        response = Response({self.stream.asset_field: asset_key, **_window(selection), **_told(found)})
        patch_vary_headers(response, ("Accept-Encoding",))
        if _GZIP.search(request.headers.get("Accept-Encoding", "")):
            response.add_post_render_callback(_compress)
        return response


def _compress(response: HttpResponse) -> None:
    response.content = gzip.compress(response.content, _GZIP_LEVEL)
    response["Content-Encoding"] = "gzip"


def selection_of_one(request: Request, stream: Stream, caller: Caller) -> Selection:
    """The rows of the one asset that the request names."""
    if not request.query_params.get(stream.asset_field, "").strip():
        raise BadRequestError("Say whose series.", field=stream.asset_field)
    selection = selection_of(request, stream, caller)
    ids = selection.asset_ids
    if not ids:
        raise NotFoundError(f"There is no such {stream.kind}.")
    if len(ids) > 1:
        raise BadRequestError(f"Several tenants have this {stream.kind}; say which: ?tenant=slug.", field="tenant")
    # The tenant comes first in the rows' order: without it the store would search all of them.
    return replace(selection, tenant_id=tenant_id_of(ids[0]))


def channels_of(request: Request, stream: Stream) -> list[str] | None:
    """The names that `?channels=` lists, by commas; None where it is missing: all."""
    text = request.query_params.get("channels")
    if not text:
        return None
    known = [channel.name for channel in stream.channels]
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise BadRequestError(f"{name[:100]!r} is not one of {', '.join(known)}.", field="channels")
    return names


def _window(selection: Selection) -> Mapping[str, str | None]:
    """As it was asked for: with its last moment in it."""
    until = selection.until and selection.until - _MICROSECOND
    return {"since": _iso(selection.since), "until": _iso(until)}


def _told(found: Series) -> Mapping[str, Any]:
    return {
        "first": _iso(found.first),
        "last": _iso(found.last),
        "rows": found.rows,
        "thinned": found.thinned,
        "bucket_seconds": found.bucket_seconds,
        "gap_seconds": found.gap_seconds,
        "channels": {name: _line(line) for name, line in found.lines.items()},
    }


def _line(line: Line) -> Mapping[str, Any]:
    channel = line.channel
    told: dict[str, Any] = {
        "label": channel.label,
        "unit": channel.unit.value,
        "type": channel.type.value,
        "aggregation": channel.aggregation.value,
        "times": line.times,
        "values": line.values,
    }
    return told if line.several is None else {**told, "several": line.several}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
