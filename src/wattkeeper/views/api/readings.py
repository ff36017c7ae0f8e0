"""The rows of a stream: list, one by its id, one more. The same for every stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import status
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.flow.ingest import count_readings, ingest_row
from wattkeeper.flow.readings.reading import Outcome, Refusal
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.keys import ReadingKey
from wattkeeper.flow.store.queries import StoredRow
from wattkeeper.flow.store.store import store
from wattkeeper.views.api.parameters import ordering_of, page_answer, page_of, require_page, selection_of
from wattkeeper.views.api.serializers import serializer_of

NOT_COUNTED = frozenset({401, 403, 405, 429})


class StreamView(APIView):
    """A view of one stream, which its subclass or `as_view(stream=...)` names."""

    stream: ClassVar[Stream]
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}


class StreamFileView(StreamView):
    """A view that answers with a file, which REST framework's renderers know nothing of; its failures are JSON."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        return super().perform_content_negotiation(request, force=True)


class ReadingDoor(StreamView):
    """A view through which single readings come: what it turns away before the pipeline has it is counted here.

    Who may not send at all has sent no reading.
    """

    submitted = False  # from then on the pipeline counts

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if request.method == "POST" and not self.submitted and response.status_code not in NOT_COUNTED:
            if response.status_code >= 500:
                count_readings(self.stream, "failed")
            elif response.status_code >= 400:
                count_readings(self.stream, "refused")
        return super().finalize_response(request, response, *args, **kwargs)


class ReadingList(ReadingDoor):
    """GET a page of readings; POST one."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ, "POST": Action.INGEST}

    def get(self, request: Request) -> Response:
        page, ordering = page_of(request), ordering_of(request, self.stream)
        selection = selection_of(request, self.stream, caller_of(request))
        count = store().count(self.stream, selection)
        require_page(page, count)
        rows = queries.page(
            store().engine, self.stream, selection, ordering=ordering, offset=page.offset, limit=page.size
        )
        return Response(page_answer(request, page, count, serializer_of(self.stream)(rows, many=True).data))

    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        serializer = serializer_of(self.stream)(data=request.data)
        serializer.is_valid(raise_exception=True)
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        self.submitted = True
        result = ingest_row(self.stream, serializer.validated_data["row"], tenant_id=tenant.pk, by=caller.identity)
        if isinstance(result, Refusal):
            raise ValidationError({result.column: [result.reason]})
        if result.outcome is Outcome.DUPLICATE:
            fields = f"{self.stream.asset_field} and {self.stream.time_field}"
            raise ValidationError({"non_field_errors": [f"A reading with this {fields} exists already."]})
        row = result.reading.row
        stored = StoredRow(ReadingKey(result.reading.asset_id, row.at), row.asset_key, row.values, row.flags)
        return Response(serializer_of(self.stream)(stored).data, status=status.HTTP_201_CREATED)


class ReadingDetail(StreamView):
    """GET one reading by its id."""

    def get(self, request: Request, reading_id: str) -> Response:
        caller = caller_of(request)
        key = ReadingKey.from_public_id(reading_id)
        tenant_id = None if caller.above_tenants else caller.tenant_id
        row = key and queries.row(store().engine, self.stream, key, tenant_id=tenant_id)
        if not row:
            raise NotFoundError("There is no such reading.")
        return Response(serializer_of(self.stream)(row).data)
