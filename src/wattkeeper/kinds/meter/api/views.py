"""The registry of meters, their messages as they came, and what they tell of a use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import fleet_size
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.flow.store import queries as rows
from wattkeeper.flow.store.queries import Ordering
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter import queries
from wattkeeper.kinds.meter.api.serializers import MeterMessageSerializer, MeterSerializer, day_of, told
from wattkeeper.kinds.meter.codes import manufacturers
from wattkeeper.kinds.meter.consumption import Per
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.kinds.meter.wording import counter_of
from wattkeeper.views.api.lists import SIZE, list_response
from wattkeeper.views.api.parameters import (
    one_of,
    page_answer,
    page_of,
    require_page,
    selection_of,
    sort_of,
    tenant_filter,
    text,
    whole,
)

TYPE_MOST = 255
DAYS_MOST = {Per.DAY: 1_100, Per.MONTH: 7_400}
DAYS_USUALLY = {Per.DAY: 31, Per.MONTH: 366}
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2190, 1, 1)


class MeterList(APIView):
    """GET a page of the meters."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        tenant_id = tenant_filter(request, caller_of(request))
        type_ = whole(request, "type", default=-1, least=0, most=TYPE_MOST)
        asked = queries.meters_asked(
            tenant_id,
            search=text(request, "search"),
            site=(site := text(request, "site")),
            type=None if type_ < 0 else type_,
            manufacturer=_manufacturer(request),
            ordering=sort_of(request, queries.METER_ORDERINGS),
        )
        narrows = site or type_ >= 0 or text(request, "search") or text(request, "manufacturer")
        return list_response(
            request, asked, MeterSerializer, count=None if narrows else fleet_size(MESSAGE.kind, tenant_id=tenant_id)
        )


class MeterDetail(APIView):
    """GET one meter."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, meter_id: int) -> Response:
        return Response(MeterSerializer(_meter(request, meter_id)).data)


class MeterMessages(APIView):
    """GET a page of a meter's messages, the newest first."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, meter_id: int) -> Response:
        meter, page = _meter(request, meter_id), page_of(request, size=SIZE)
        asked = selection_of(request, MESSAGE, caller_of(request))
        meant = replace(asked, tenant_id=meter.tenant_id, asset_ids=[meter.pk])
        count = store().count(MESSAGE, meant)
        require_page(page, count)
        newest_first = Ordering(column=MESSAGE.time_field, descending=True)
        found = rows.page(store().engine, MESSAGE, meant, ordering=newest_first, offset=page.offset, limit=page.size)
        return Response(page_answer(request, page, count, MeterMessageSerializer(found, many=True).data))


class MeterConsumption(APIView):
    """GET what a meter tells of a use, by the local day or month."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, meter_id: int) -> Response:
        meter = _meter(request, meter_id)
        zone = site_zones(meter.tenant_id).of(meter.site)
        per = Per(one_of(text(request, "per"), list(Per), "per") or Per.DAY)
        tomorrow = clock.now().astimezone(zone).date() + timedelta(days=1)
        until = _day(request, "until") or tomorrow
        since = _day(request, "since") or max(until - timedelta(days=DAYS_USUALLY[per]), FIRST_DAY)
        if since >= until:
            raise BadRequestError("The time ends before it begins: give an `until` after `since`.", field="until")
        if (until - since).days > DAYS_MOST[per]:
            raise BadRequestError(f"More than {DAYS_MOST[per]:,} days; ask for less.", field="since")
        answer = told(
            channel=counter_of(getattr(meter, "meter_state", None)),
            zone=zone.key,
            per=per,
            meters=queries.chain_of(meter.meter),
            uses=queries.use_of(meter, per=per, since=since, until=until),
        )
        return Response(answer)


def _meter(request: Request, meter_id: int) -> Asset:
    found = queries.meter_by_id(meter_id, tenant_id=caller_of(request).tenant_id)
    if found is None:
        raise NotFoundError("There is no such meter.")
    return found


def _manufacturer(request: Request) -> int | None:
    """A number, or three letters."""
    said = text(request, "manufacturer")
    if not said:
        return None
    code = manufacturers.code_asked(said)
    if code is None:
        raise BadRequestError(
            f"{said[:40]!r} is not a manufacturer's number or its three letters.", field="manufacturer"
        )
    return code


def _day(request: Request, name: str) -> date | None:
    said = text(request, name)
    if not said:
        return None
    day = day_of(said)
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise BadRequestError(f"{said[:40]!r} is not a day such as 2026-01-31.", field=name)
    return day
