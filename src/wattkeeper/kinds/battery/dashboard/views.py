"""The dashboard's answers: figures, charts, lists and all of it at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.download import Download
from wattkeeper.flow.store.queries import StoredRow
from wattkeeper.kinds.battery.dashboard import queries
from wattkeeper.kinds.battery.dashboard.trend import fleet_trend, trend_of
from wattkeeper.kinds.battery.serializers import BatterySerializer
from wattkeeper.kinds.battery.views import battery_of
from wattkeeper.views.api.alert_serializers import AlertSerializer
from wattkeeper.views.api.parameters import tenant_filter, whole


class DashboardView(APIView):
    """A view of the fleet of the caller's tenant."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}


class StreamedView(DashboardView):
    """A view whose answer is made while it is sent: the fleet may be large."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        # It is JSON whatever is accepted, and no renderer of REST framework makes it.
        return super().perform_content_negotiation(request, force=True)


class Stats(DashboardView):
    """GET the fleet in figures."""

    def get(self, request: Request) -> Response:
        return Response(queries.stats(_tenant_id(request)))


class ChartData(DashboardView):
    """GET how many batteries there are of each status, type and range."""

    def get(self, request: Request) -> Response:
        return Response(queries.charts(_tenant_id(request)))


class BatteryDetails(StreamedView):
    """GET every battery with what it does now."""

    is_list = True

    def get(self, request: Request) -> StreamingHttpResponse:
        return _streamed(_batteries(_tenant_id(request)))


class AlertSummary(DashboardView):
    """GET how many alerts there are, and the newest that are unresolved."""

    def get(self, request: Request) -> Response:
        return Response(_alerts(_tenant_id(request)))


class Trend(DashboardView):
    """GET the latest lines of a battery; without one, the newest readings of all."""

    def get(self, request: Request) -> Response:
        battery_id = whole(request, "battery_id", default=0, least=1, most=10**12 - 1)
        if battery_id:
            return Response(_lines(trend_of(battery_of(caller_of(request), battery_id))))
        return Response(_lines(fleet_trend(_tenant_id(request))))


class Export(StreamedView):
    """GET all of it as a file."""

    def get(self, request: Request) -> StreamingHttpResponse:
        response = _streamed(_everything(_tenant_id(request)))
        response["Content-Disposition"] = 'attachment; filename="dashboard.json"'
        return response


def _tenant_id(request: Request) -> int | None:
    return tenant_filter(request, caller_of(request))


def _alerts(tenant_id: int | None) -> dict[str, Any]:
    counted, newest = queries.alert_summary(tenant_id)
    return {**counted, "recent_unresolved": AlertSerializer(newest, many=True).data}


def _lines(rows: list[StoredRow]) -> dict[str, list[Any]]:
    return {
        "timestamps": [row.key.at.isoformat().replace("+00:00", "Z") for row in rows],
        "charge": [row.values["current_charge"] for row in rows],
        "voltage": [row.values["current_voltage"] for row in rows],
        "temperature": [row.values["current_temperature"] for row in rows],
    }


def _batteries(tenant_id: int | None) -> Iterator[bytes]:
    """A JSON array, a battery a line."""
    serializer, before = BatterySerializer(), b"[\n"
    for chunk in queries.every_battery(tenant_id):
        yield before + b",\n".join(_json(serializer.to_representation(battery)) for battery in chunk)
        before = b",\n"
    yield before.removeprefix(b",") + b"]\n"


def _everything(tenant_id: int | None) -> Iterator[bytes]:
    head = {
        "timestamp": now().isoformat().replace("+00:00", "Z"),
        "stats": queries.stats(tenant_id),
        "charts": queries.charts(tenant_id),
    }
    alerts = _json(_alerts(tenant_id))
    batteries = _batteries(tenant_id)
    yield _json(head).removesuffix(b"}") + b', "batteries": ' + next(batteries)
    yield from batteries
    yield b', "alerts": ' + alerts + b"}\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False, allow_nan=False).encode()


def _streamed(pieces: Iterator[bytes]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(Download(pieces), content_type="application/json")
    response["X-Accel-Buffering"] = "no"
    return response
