"""The registry of batteries, what each does now, and the report of its health."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from statistics import fmean
from typing import Any, ClassVar

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import Caller, caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import fleet_size
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import BusyError, NotFoundError
from wattkeeper.flow.alerts.queries import alerts_of
from wattkeeper.flow.ingest import ingest_row
from wattkeeper.flow.readings.normalise import row_flags
from wattkeeper.flow.readings.reading import Outcome, Refusal, Row
from wattkeeper.kinds.battery import queries
from wattkeeper.kinds.battery.actions import battery_archive, battery_change, battery_register
from wattkeeper.kinds.battery.logs import newest_readings
from wattkeeper.kinds.battery.models import Status
from wattkeeper.kinds.battery.serializers import BatterySerializer, HealthReportSerializer, StatusUpdateSerializer
from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.views.api.lists import list_response
from wattkeeper.views.api.parameters import number, one_of, sort_of, tenant_filter, text
from wattkeeper.views.api.readings import ReadingDoor

END_OF_LIFE_PERCENT = 80.0
REPORTED = 100  # alerts and readings, of a battery's health
_MICROSECOND = timedelta(microseconds=1)
_ATTEMPTS = 20  # to find a microsecond in which the battery has said nothing yet


def battery_of(caller: Caller, battery_id: int) -> Asset:
    """NotFoundError where there is no such battery in use that is the caller's."""
    found = queries.battery_by_id(battery_id, tenant_id=caller.tenant_id)
    if found is None:
        raise NotFoundError("There is no such battery.")
    return found


class BatteryList(APIView):
    """GET a page of the batteries; POST a new one."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ, "POST": Action.ASSET_EDIT}

    def get(self, request: Request) -> Response:
        tenant_id = tenant_filter(request, caller_of(request))
        wanted = {
            "search": text(request, "search"),
            "type": text(request, "battery_type"),
            "status": one_of(text(request, "current_status"), Status.values, "current_status"),
        }
        ordering = sort_of(request, queries.BATTERY_ORDERINGS)
        asked = queries.batteries_asked(tenant_id, **wanted, ordering=ordering)
        count = None if any(wanted.values()) else fleet_size(STATUS.kind, tenant_id=tenant_id)
        return list_response(request, asked, BatterySerializer, count=count)

    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        serializer = BatterySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        made = battery_register(tenant=tenant, values=serializer.validated_data, actor=caller.identity)
        return Response(_answer(caller, made.pk), status=status.HTTP_201_CREATED)


class BatteryDetail(APIView):
    """GET one battery; PUT and PATCH some of its fields; DELETE takes it out of use."""

    actions: ClassVar[Mapping[str, Action]] = {
        "GET": Action.READ,
        "PUT": Action.ASSET_EDIT,
        "PATCH": Action.ASSET_EDIT,
        "DELETE": Action.ASSET_EDIT,
    }

    def get(self, request: Request, battery_id: int) -> Response:
        return Response(_answer(caller_of(request), battery_id))

    def put(self, request: Request, battery_id: int) -> Response:
        caller = caller_of(request)
        battery = battery_of(caller, battery_id)
        serializer = BatterySerializer(battery, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        battery_change(battery, values=serializer.validated_data, actor=caller.identity)
        return Response(_answer(caller, battery_id))

    def patch(self, request: Request, battery_id: int) -> Response:
        return self.put(request, battery_id)

    def delete(self, request: Request, battery_id: int) -> Response:
        caller = caller_of(request)
        battery_archive(battery_of(caller, battery_id), actor=caller.identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LowHealthBatteries(APIView):
    """GET the batteries whose health is below a threshold, the worst first."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        threshold = number(request, "threshold", default=END_OF_LIFE_PERCENT, least=0, most=100)
        batteries = queries.batteries_of(tenant_filter(request, caller_of(request)))
        low = batteries.filter(battery_state__health_percentage__lt=threshold)
        return list_response(request, low.order_by("battery_state__health_percentage", "pk"), BatterySerializer)


class CriticalStatusBatteries(APIView):
    """GET the batteries that report a fault."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        tenant_id = tenant_filter(request, caller_of(request))
        return list_response(request, queries.batteries_asked(tenant_id, status=Status.FAULT), BatterySerializer)


class StatusUpdate(ReadingDoor):
    """POST what a battery does: it is stored, judged, and becomes the battery's state unless it is late."""

    stream = STATUS
    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.STATUS_UPDATE}

    def post(self, request: Request, battery_id: int) -> Response:
        caller = caller_of(request)
        battery = battery_of(caller, battery_id)
        serializer = StatusUpdateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.submitted = True
        _update(battery, serializer.validated_data, by=caller.identity)
        return Response(_answer(caller, battery_id))


class HealthReport(APIView):
    """GET what a battery does, what is wrong with it, and what it has said last."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, battery_id: int) -> Response:
        battery = battery_of(caller_of(request), battery_id)
        alerts = alerts_of(battery.tenant_id, asset_id=battery.pk, is_resolved=False)[:REPORTED]
        readings = newest_readings([battery.pk], tenant_id=battery.tenant_id, count=REPORTED)
        temperatures = [value for one in readings if (value := one.values["current_temperature"]) is not None]
        report = {
            "battery": battery,
            "recent_alerts": alerts,
            "recent_readings": readings,
            "average_temperature": round(fmean(temperatures), 2) if temperatures else 0.0,
        }
        return Response(HealthReportSerializer(report).data)


def _update(battery: Asset, said: Mapping[str, Any], *, by: str) -> None:
    """Stores the reading that `said` is. The same `logged_at` again stores nothing; without one it is a new reading."""
    values = {channel.name: said.get(channel.name) for channel in STATUS.channels}
    if values["current"] is None:
        values["current"] = 0.0
    named = said.get("logged_at")
    at = named or clock.now()
    for _ in range(_ATTEMPTS):
        row = Row(battery.key, at, values, row_flags(STATUS, values))
        receipt = ingest_row(STATUS, row, tenant_id=battery.tenant_id, by=by)
        if isinstance(receipt, Refusal):  # archived a moment ago
            raise NotFoundError("There is no such battery.")
        if receipt.outcome is Outcome.STORED or named is not None:
            return
        at = max(clock.now(), at + _MICROSECOND)
    raise BusyError("This battery says too much at once; send it again.")


def _answer(caller: Caller, battery_id: int) -> Any:
    return BatterySerializer(battery_of(caller, battery_id)).data
