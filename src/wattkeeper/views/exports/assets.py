"""The things of a kind as a file: what the list's address means, all of it."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db import connection
from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.assets.filters import AssetFilter, filter_of
from wattkeeper.base.assets.states import state_channels
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.views.exports.formats import FORMATS
from wattkeeper.views.exports.response import export_response
from wattkeeper.views.exports.tables import Column, Table

ROWS_A_QUESTION = 1_000
TABLE_FORMATS = {name: format_ for name, format_ in FORMATS.items() if format_.table_pieces}


class AssetsExport(APIView):
    """GET the things of a kind, which its subclass names, as a file: those that the same filters show in the list."""

    kind: ClassVar[Kind]
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        # REST framework's renderers know nothing of files; failures are JSON, whatever is accepted.
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request) -> StreamingHttpResponse:
        name = request.query_params.get("export") or "csv"
        format_ = TABLE_FORMATS.get(name)
        if format_ is None or format_.table_pieces is None:
            raise BadRequestError(f"{name[:40]!r} is not one of {', '.join(TABLE_FORMATS)}.", field="export")
        caller = caller_of(request)
        chosen = filter_of(dict(request.query_params.lists()), kind=self.kind, caller=caller)
        pieces = format_.table_pieces(assets_table(chosen, with_tenant=caller.above_tenants))
        return export_response(pieces, format_, stem=self.kind.label_plural.lower())


def assets_table(chosen: AssetFilter, *, with_tenant: bool) -> Table:
    """Key, name, site, tenant (a slug) if wanted, last reading (UTC), and each channel of the state."""
    kind, state = chosen.kind, chosen.kind.state_relation
    tenant = [("tenant__slug", Column("tenant", "Tenant"))] if with_tenant else []
    said = [
        ("key", Column("key", kind.label)),
        ("name", Column("name", "Name")),
        ("site", Column("site", "Site")),
        *tenant,
        (f"{state}__at", Column("at", "Last reading")),
        *((f"{state}__{channel.name}", Column(channel.name, channel.title)) for channel in state_channels(kind)),
    ]
    # Eight bytes a row are held, in order; what is in a row is asked for when it is written.
    now = clock.now()
    ordered = chosen.assets(now=now).values_list("pk", flat=True)
    pks = array("q", ordered.iterator(chunk_size=ROWS_A_QUESTION))
    rows = _rows(chosen, pks, [field for field, _ in said], now=now)
    return Table(name=kind.label_plural, columns=[column for _, column in said], rows=rows, count=len(pks))


def _rows(chosen: AssetFilter, pks: array[int], fields: Sequence[str], *, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Those fields in the order of `pks`; what has moved out of the filter in the meantime is left out."""
    asked_in = threading.get_ident()
    for start in range(0, len(pks), ROWS_A_QUESTION):
        chunk = pks[start : start + ROWS_A_QUESTION]
        by_pk = {pk: row for pk, *row in chosen.among(chunk, now=now).values_list("pk", *fields)}
        if threading.get_ident() != asked_in:
            # Of the thread that sends the file: nobody else would close it, and a slow reader holds none.
            connection.close()
        yield from (tuple(by_pk[pk]) for pk in chunk if pk in by_pk)
