"""A list out of the database, as every list is answered."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from wattkeeper.views.api.parameters import page_answer, page_of, require_page

SIZE = 20


def list_response(
    request: Request,
    rows: QuerySet[Any],
    serializer: type[serializers.Serializer[Any]],
    *,
    size: int = SIZE,
    count: int | None = None,
) -> Response:
    """The page of `rows` that is asked for. NotFoundError for a page after the last.

    `count`: how many rows there are, where that is known already.
    """
    page, count = page_of(request, size=size), rows.count() if count is None else count
    require_page(page, count)
    shown = list(rows[page.offset : page.offset + page.size])
    return Response(page_answer(request, page, count, serializer(shown, many=True).data))
