"""What batteries have said, by the names that their log has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.keys import ReadingKey
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.battery.logs import log_page
from wattkeeper.kinds.battery.serializers import LogSerializer
from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.parameters import page_answer, page_of, require_page, selection_of, sort_of, text, whole

LOG_ORDERINGS = ("logged_at",)
NEWEST_FIRST = "-logged_at"


class LogList(APIView):
    """GET a page of the log, the newest first."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        page, order = page_of(request, size=SIZE), sort_of(request, LOG_ORDERINGS, default=NEWEST_FIRST)
        selection = replace(selection_of(request, STATUS, caller_of(request)), key_part=text(request, "search"))
        if battery_id := whole(request, "battery", default=0, least=1, most=10**12 - 1):
            among = [battery_id] if selection.asset_ids is None else selection.asset_ids
            selection = replace(selection, asset_ids=[pk for pk in among if pk == battery_id])
        count = store().count(STATUS, selection)
        require_page(page, count)
        rows = log_page(selection, newest_first=order.startswith("-"), offset=page.offset, limit=page.size)
        return Response(page_answer(request, page, count, LogSerializer(rows, many=True).data))


class LogDetail(APIView):
    """GET one line of the log."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, log_id: str) -> Response:
        caller, key = caller_of(request), ReadingKey.from_public_id(log_id)
        row = key and queries.row(store().engine, STATUS, key, tenant_id=caller.tenant_id)
        if not row:
            raise NotFoundError("There is no such log.")
        return Response(LogSerializer(row).data)
