"""The figures of the dashboard, each of a tenant's batteries in use (tenant None: of all), at a site or everywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Avg, Count, Q, QuerySet

from wattkeeper.base.assets.memory import remembered
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.alerts.queries import alert_counts, alerts_of, levels_counted, types_counted
from wattkeeper.kinds.battery.models import BatteryState, Device, Status
from wattkeeper.kinds.battery.queries import batteries_of
from wattkeeper.kinds.battery.streams import STATUS

LOW_HEALTH_PERCENT = 50
RECENT_ALERTS = 10

BATTERIES_A_QUESTION = 1_000


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of a value: from `low` on and below `high`, or above `low` and up to `high` where `from_above`."""

    label: str
    low: float | None = None
    high: float | None = None
    from_above: bool = False

    def condition(self, column: str) -> Q:
        low, high = ("gt", "lte") if self.from_above else ("gte", "lt")
        bounds = {f"{column}__{low}": self.low, f"{column}__{high}": self.high, f"{column}__isnull": False}
        return Q(**{name: bound for name, bound in bounds.items() if bound is not None})


HEALTH_BANDS = (
    Band("Excellent (90-100%)", low=90),
    Band("Good (70-89%)", low=70, high=90),
    Band("Fair (50-69%)", low=50, high=70),
    Band("Poor (<50%)", high=50),
)
CHARGE_BANDS = (
    Band("Full (90-100%)", low=90),
    Band("High (70-89%)", low=70, high=90),
    Band("Medium (40-69%)", low=40, high=70),
    Band("Low (10-39%)", low=10, high=40),
    Band("Critical (<10%)", high=10),
)
CYCLE_BANDS = (
    Band("New (0-100)", high=100, from_above=True),
    Band("Good (100-500)", low=100, high=500, from_above=True),
    Band("Aging (500-1000)", low=500, high=1000, from_above=True),
    Band("Old (1000+)", low=1000, from_above=True),
)
_BANDS: Mapping[str, tuple[str, Sequence[Band]]] = {
    "health_ranges": ("health_percentage", HEALTH_BANDS),
    "charge_ranges": ("current_charge", CHARGE_BANDS),
    "cycle_ranges": ("cycle_count", CYCLE_BANDS),
}


def stats(tenant_id: int | None, *, site: str = "") -> dict[str, dict[str, Any]]:
    """How many, and how they are on average; 0 where nothing is known. A device is where one of its batteries is."""
    found = _states(tenant_id, site).aggregate(
        total=Count("pk"),
        active=_number_of(current_status__in=(Status.CHARGING, Status.DISCHARGING)),
        faulty=_number_of(current_status=Status.FAULT),
        low=_number_of(health_percentage__lt=LOW_HEALTH_PERCENT),
        **{name: Avg(name) for name in ("health_percentage", "current_charge", "current_temperature")},
    )
    alerts = alert_counts(tenant_id, kind=STATUS.kind, site=site)
    devices = Device.objects.all() if tenant_id is None else Device.objects.filter(tenant_id=tenant_id)
    if site:
        devices = devices.filter(pk__in=devices.filter(batteries__asset__site=site).values("pk"))
    return {
        "batteries": {"total": found["total"], "active": found["active"], "faulty": found["faulty"]},
        "health": {"average": _average(found["health_percentage"]), "low_count": found["low"]},
        "charge": {"average": _average(found["current_charge"])},
        "temperature": {"average": _average(found["current_temperature"])},
        "alerts": {"total": alerts.total, "unresolved": alerts.unresolved, "critical": alerts.critical},
        "devices": devices.aggregate(total=Count("pk"), active=Count("pk", filter=Q(is_active=True))),
    }


def charts(tenant_id: int | None, *, site: str = "") -> dict[str, Any]:
    """How many there are of each status, type and range, and alerts of each type."""
    conditions = {
        f"{chart} {band.label}": band.condition(column) for chart, (column, bands) in _BANDS.items() for band in bands
    }
    statuses = {f"status {status}": Q(current_status=status) for status in Status.values}
    every = {**conditions, **statuses}
    counted = _states(tenant_id, site).aggregate(
        **{f"n{place}": Count("pk", filter=one) for place, one in enumerate(every.values())}
    )
    numbers = dict(zip(every, counted.values(), strict=True))
    assets = assets_of_kind(STATUS.kind, tenant_id=tenant_id)
    types = (assets.filter(site=site) if site else assets).values("type").annotate(count=Count("pk"))
    return {
        "status": [
            {"current_status": status, "count": count}
            for status in Status.values
            if (count := numbers[f"status {status}"])
        ],
        **{
            chart: {band.label: numbers[f"{chart} {band.label}"] for band in bands}
            for chart, (_, bands) in _BANDS.items()
        },
        "types": [{"battery_type": one["type"], "count": one["count"]} for one in types.order_by("-count", "type")],
        "alert_types": _listed("alert_type", types_counted(tenant_id, kind=STATUS.kind, site=site)),
    }


def figures(tenant_id: int | None, *, site: str = "") -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """`stats` and `charts`, for which many pages ask at once: of a large fleet, as they were some seconds ago."""
    return remembered(
        ("battery figures", tenant_id, site),
        lambda: (stats(tenant_id, site=site), charts(tenant_id, site=site)),
        size=lambda found: int(found[0]["batteries"]["total"]),
    )


def alert_summary(tenant_id: int | None) -> tuple[dict[str, list[dict[str, Any]]], list[Alert]]:
    """How many alerts there are of each type and level; and the newest that are unresolved."""
    counted = {
        "alert_types": _listed("alert_type", types_counted(tenant_id, kind=STATUS.kind)),
        "alert_levels": _listed("alert_level", levels_counted(tenant_id, kind=STATUS.kind)),
    }
    return counted, list(alerts_of(tenant_id, kind=STATUS.kind, is_resolved=False)[:RECENT_ALERTS])


def every_battery(tenant_id: int | None) -> Iterator[list[Asset]]:
    """All batteries in the order of their ids, some at a time; what is registered meanwhile may be among them."""
    after, asked_in = 0, threading.get_ident()
    while True:
        chunk = list(batteries_of(tenant_id).filter(pk__gt=after)[:BATTERIES_A_QUESTION])
        if threading.get_ident() != asked_in:
            # Of the thread that sends the answer: nobody else would close it, and a slow reader holds none.
            connection.close()
        if chunk:
            yield chunk
            after = chunk[-1].pk
        if len(chunk) < BATTERIES_A_QUESTION:
            return


def _number_of(**conditions: Any) -> Count:
    return Count("pk", filter=Q(**conditions))


def _states(tenant_id: int | None, site: str) -> QuerySet[BatteryState]:
    """Each battery has one, so that no outer join is needed, which SQLite would take much longer for."""
    states = BatteryState.objects.filter(asset__kind=STATUS.kind, asset__archived_at=None)
    if site:
        states = states.filter(asset__site=site)
    return states if tenant_id is None else states.filter(asset__tenant_id=tenant_id)


def _average(value: float | None) -> float:
    return round(value or 0, 2)


def _listed(name: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{name: key, "count": count} for key, count in counts.items()]
