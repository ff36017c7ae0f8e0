"""What gateways send and the hot door leaves: of a session, of a key above tenants, of a body without a length. And
what of it is in no table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.core import clock
from wattkeeper.flow.ingest import WAIT_SECONDS
from wattkeeper.flow.store.names import NameSeen, names_seen
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter.known import meters
from wattkeeper.kinds.meter.receive import BODY_MOST, WHATS, answer_of, asked_of, body_of, submitted, unpacked
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.views.api.hot import encoding_said
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.parameters import one_of, page_answer, page_of, require_page, tenant_filter, text
from wattkeeper.views.api.readings import ReadingDoor


class RawJSONParser(BaseParser):
    """The body as it came: not a digit of it is lost."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bytes(stream.read(BODY_MOST + 1))  # `unpacked` says that this is too much


class MessageList(ReadingDoor):
    """POST one message of a gateway, or an array of them."""

    stream = MESSAGE
    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.INGEST}
    parser_classes = (RawJSONParser,)

    def post(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        body = body_of(unpacked(_raw(request), encoding_said(request.headers.get("Content-Encoding", ""))))
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        known = meters.ask(tenant.pk, list(body.meters.values()), by=caller.identity)
        asked = asked_of(body, known, tenant_id=tenant.pk, received_at=clock.now())
        self.submitted = True
        future = submitted(asked)
        status, answer = answer_of(asked, future.result(timeout=WAIT_SECONDS) if future else ())
        return HttpResponse(answer, status=status, content_type="application/json")


class UnknownCodeSerializer(serializers.Serializer[Any]):
    """A code that messages have and no table."""

    what = serializers.SerializerMethodField()
    code = serializers.SerializerMethodField()
    count = serializers.IntegerField(help_text="Messages.")
    first_seen = serializers.DateTimeField(help_text="As their messages count.")
    last_seen = serializers.DateTimeField(help_text="As their messages count.")
    meter = serializers.CharField(source="asset_key", help_text="The one that sent it last.")

    @extend_schema_field({"type": "string", "enum": list(WHATS)})
    def get_what(self, seen: NameSeen) -> str:
        return seen.name.partition(": ")[0]

    def get_code(self, seen: NameSeen) -> str:
        return seen.name.partition(": ")[2]


class UnknownCodeList(APIView):
    """GET a page of the codes that are in no table, those seen last first."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        selection = Selection(tenant_id=tenant_filter(request, caller_of(request)))
        what = one_of(text(request, "what"), WHATS, "what")
        page = page_of(request, size=SIZE)
        count, seen = names_seen(
            store().engine,
            MESSAGE,
            selection,
            "unknown",
            prefix=f"{what}: " if what else "",
            offset=page.offset,
            limit=page.size,
        )
        require_page(page, count)
        return Response(page_answer(request, page, count, UnknownCodeSerializer(seen, many=True).data))


def _raw(request: Request) -> bytes:
    body: Any = request.data  # a form's, where there is no body at all
    return body if isinstance(body, bytes) else b""
