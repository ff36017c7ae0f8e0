"""A list as a file: what its page's address means, all of it."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.db import connection
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import Caller, caller_of
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.views.exports.formats import FORMATS
from wattkeeper.views.exports.response import export_response
from wattkeeper.views.exports.tables import Table

ROWS_A_QUESTION = 1_000
TABLE_FORMATS = {name: format_ for name, format_ in FORMATS.items() if format_.table_pieces}

Row = tuple[Any, ...]


class ListExport(APIView):
    """GET a list, which its subclass names, as a file: what the same filters show on its page."""

    stem: ClassVar[str]
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        # REST framework's renderers know nothing of files; failures are JSON, whatever is accepted.
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request) -> StreamingHttpResponse:
        name = request.query_params.get("export") or "csv"
        format_ = TABLE_FORMATS.get(name)
        if format_ is None or format_.table_pieces is None:
            raise BadRequestError(f"{name[:40]!r} is not one of {', '.join(TABLE_FORMATS)}.", field="export")
        table = self.table(dict(request.query_params.lists()), caller_of(request))
        return export_response(format_.table_pieces(table), format_, stem=self.stem)

    def table(self, parameters: Mapping[str, Sequence[str]], caller: Caller) -> Table:
        raise NotImplementedError


def pks_of(ordered: QuerySet[Any]) -> array[int]:
    """The keys of those rows in their order: eight bytes each are held; what is in a row is asked for at its turn."""
    return array("q", ordered.values_list("pk", flat=True).iterator(chunk_size=ROWS_A_QUESTION))


def rows_of(pks: array[int], ask: Callable[[Sequence[int]], Mapping[int, Row]]) -> Iterator[Row]:
    """What `ask` answers by key, in the order of `pks`; what it does not find any more is left out."""
    asked_in = threading.get_ident()
    for start in range(0, len(pks), ROWS_A_QUESTION):
        chunk = pks[start : start + ROWS_A_QUESTION]
        found = ask(chunk)
        if threading.get_ident() != asked_in:
            # Of the thread that sends the file: nobody else would close it, and a slow reader holds none.
            connection.close()
        yield from (found[pk] for pk in chunk if pk in found)
