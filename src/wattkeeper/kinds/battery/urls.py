"""The batteries' own endpoints, mounted at `/api/`, with their documentation."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.urls import include, path
from drf_spectacular.utils import OpenApiParameter

from wattkeeper.kinds.battery.device_views import DeviceDetail, DeviceList, DeviceStatus
from wattkeeper.kinds.battery.log_views import LOG_ORDERINGS, NEWEST_FIRST, LogDetail, LogList
from wattkeeper.kinds.battery.models import DeviceType, Status
from wattkeeper.kinds.battery.queries import BATTERY_ORDERINGS, DEVICE_ORDERINGS
from wattkeeper.kinds.battery.serializers import (
    BatterySerializer,
    DeviceSerializer,
    DeviceStatusSerializer,
    HealthReportSerializer,
    LogSerializer,
    StatusUpdateSerializer,
)
from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.kinds.battery.views import (
    END_OF_LIFE_PERCENT,
    BatteryDetail,
    BatteryList,
    CriticalStatusBatteries,
    HealthReport,
    LowHealthBatteries,
    StatusUpdate,
)
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.serializers import paged
from wattkeeper.views.api.stream_urls import (
    SEARCHED,
    TENANT_MEANT,
    TENANT_OF_NEW,
    described,
    operation,
    ordering,
    paging,
    selection_parameters,
)

READ, WRITE = [404], [400, 404, 409, 503, 507]
LISTED = [*paging(SIZE), TENANT_MEANT]
THRESHOLD = {"type": "number", "minimum": 0, "maximum": 100, "default": END_OF_LIFE_PERCENT}
NUMBER_OF_ONE = {"type": "integer", "minimum": 1, "maximum": 10**12 - 1}

_battery = partial(operation, tags=["Batteries"])
_device = partial(operation, tags=["Devices"])
_log = partial(operation, tags=["Logs"])


def _listed(what: str, item: Any, *parameters: OpenApiParameter) -> dict[str, Any]:
    return {
        "description": f"{what} A page after the last one is a 404.",
        "responses": {200: paged(item)},
        "fails": [400, 404],
        "parameters": [*parameters, *LISTED],
    }


def _changed(what: str, item: Any) -> dict[str, Any]:
    return {"description": what, "responses": {200: item}, "fails": WRITE, "request": item(partial=True)}


urlpatterns = [
    path(
        "batteries/",
        described(
            BatteryList,
            get=_battery(
                **_listed(
                    "The batteries in use, with what each does now.",
                    BatterySerializer,
                    OpenApiParameter("search", SEARCHED, description="A part of the serial number or the type."),
                    OpenApiParameter("battery_type", SEARCHED, description="The whole of it."),
                    OpenApiParameter("current_status", str, enum=Status.values),
                    ordering(BATTERY_ORDERINGS, default="id"),
                )
            ),
            post=_battery(
                "Register a battery. One that was deleted comes back by its serial number, with its id and history.",
                {201: BatterySerializer},
                fails=[400, 503, 507],
                request=BatterySerializer,
                parameters=[TENANT_OF_NEW],
            ),
        ),
        name="api-batteries",
    ),
    path(
        "batteries/low_health_batteries/",
        described(
            LowHealthBatteries,
            get=_battery(
                **_listed(
                    "The batteries with a health below the threshold, the worst first.",
                    BatterySerializer,
                    OpenApiParameter("threshold", THRESHOLD, description="In %."),
                )
            ),
        ),
    ),
    path(
        "batteries/critical_status_batteries/",
        described(
            CriticalStatusBatteries, get=_battery(**_listed("The batteries that report a fault.", BatterySerializer))
        ),
    ),
    path(
        "batteries/<int:battery_id>/",
        described(
            BatteryDetail,
            get=_battery("One battery.", {200: BatterySerializer}, fails=READ),
            put=_battery(**_changed("Change some of a battery's fields; what is left out stays.", BatterySerializer)),
            patch=_battery(**_changed("As PUT.", BatterySerializer)),
            delete=_battery("Take a battery out of use; what it has said stays.", {204: None}, fails=WRITE),
        ),
        name="api-battery",
    ),
    path(
        "batteries/<int:battery_id>/update_status/",
        described(
            StatusUpdate,
            post=_battery(
                "What a battery does: stored, judged, and its state from now on unless it is late. The same "
                "`logged_at` again changes nothing.",
                {200: BatterySerializer},
                fails=WRITE,
                request=StatusUpdateSerializer,
            ),
        ),
        name="api-battery-update-status",
    ),
    path(
        "batteries/<int:battery_id>/health_report/",
        described(
            HealthReport,
            get=_battery(
                "How a battery is: its state, its unresolved alerts, its newest 100 readings and their average "
                "temperature.",
                {200: HealthReportSerializer},
                fails=[404, 503],
            ),
        ),
    ),
    path(
        "logs/",
        described(
            LogList,
            get=_log(
                **_listed(
                    "What the batteries have said.",
                    LogSerializer,
                    OpenApiParameter("search", SEARCHED, description="A part of the serial number, as it was then."),
                    OpenApiParameter("battery", NUMBER_OF_ONE, description="An id."),
                    *(one for one in selection_parameters(STATUS) if one.name not in {"ordering", "tenant"}),
                    ordering(LOG_ORDERINGS, default=NEWEST_FIRST),
                )
            ),
        ),
        name="api-battery-logs",
    ),
    path("logs/<str:log_id>/", described(LogDetail, get=_log("One line of it.", {200: LogSerializer}, fails=READ))),
    path(
        "devices/",
        described(
            DeviceList,
            get=_device(
                **_listed(
                    "The devices, with the batteries that they hold.",
                    DeviceSerializer,
                    OpenApiParameter("search", SEARCHED, description="A part of the name or the serial number."),
                    OpenApiParameter("device_type", str, enum=DeviceType.values),
                    OpenApiParameter("is_active", bool),
                    OpenApiParameter("battery", NUMBER_OF_ONE, description="The id of one that they hold."),
                    ordering(DEVICE_ORDERINGS, default="id"),
                )
            ),
            post=_device(
                "Add a device.",
                {201: DeviceSerializer},
                fails=[400, 503, 507],
                request=DeviceSerializer,
                parameters=[TENANT_OF_NEW],
            ),
        ),
        name="api-devices",
    ),
    path(
        "devices/<int:device_id>/",
        described(
            DeviceDetail,
            get=_device("One device.", {200: DeviceSerializer}, fails=READ),
            put=_device(**_changed("Change some of a device's fields; what is left out stays.", DeviceSerializer)),
            patch=_device(**_changed("As PUT.", DeviceSerializer)),
            delete=_device("Forget a device; its batteries stay.", {204: None}, fails=WRITE),
        ),
        name="api-device",
    ),
    path(
        "devices/<int:device_id>/battery_status/",
        described(
            DeviceStatus,
            get=_device("A device with what its batteries do now.", {200: DeviceStatusSerializer}, fails=READ),
        ),
    ),
    path("dashboard/", include("wattkeeper.kinds.battery.dashboard.urls")),
]
