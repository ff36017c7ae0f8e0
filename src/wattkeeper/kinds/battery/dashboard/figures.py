"""The dashboard's figures as its page shows them: cards and charts, each leading to the list of what it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.kinds.battery.dashboard.queries import (
    CHARGE_BANDS,
    CYCLE_BANDS,
    HEALTH_BANDS,
    LOW_HEALTH_PERCENT,
    Band,
    figures,
)
from wattkeeper.kinds.battery.models import Status
from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.views.dashboard.scope import Scope
from wattkeeper.views.dashboard.templatetags.charts import Share

_STATUS_LOOKS = {Status.CHARGING: "series-2", Status.IDLE: "quiet", Status.FAULT: "critical"}
_HEALTH_LOOKS = ("fine", "series-1", "warning", "critical")
_CHARGE_LOOKS = ("fine", "series-1", "series-1", "warning", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One figure. `parts` are smaller ones that it is made of, each with its address or none; `look` is a Level."""

    name: str
    value: float
    unit: str = ""
    address: str = ""
    icon: str = ""
    look: str = ""
    parts: Sequence[tuple[str, str]] = ()


def figures_of(scope: Scope) -> dict[str, Any]:
    """`cards`, and `charts` by name."""
    stats, charts = figures(scope.tenant_id, site=scope.site)
    links = _Links(scope)
    return {
        "cards": _cards(stats, {one["current_status"]: one["count"] for one in charts["status"]}, links),
        "charts": _charts(charts, links),
    }


@dataclass(frozen=True, slots=True)
class _Links:
    """The addresses of lists, within the scope."""

    scope: Scope

    def batteries(self, **asked: str) -> str:
        return self._to("assets-battery", asked)

    def alerts(self, **asked: str) -> str:
        return self._to("alerts", {"kind": STATUS.kind, **asked})

    def band(self, column: str, band: Band) -> str:
        return self.batteries(**_bounds(column, band), sort=column)

    def _to(self, url_name: str, asked: Mapping[str, str]) -> str:
        query = urlencode({**self.scope.parameters, **asked})
        return f"{reverse(url_name)}?{query}" if query else reverse(url_name)


def _cards(stats: Mapping[str, Mapping[str, Any]], statuses: Mapping[str, int], links: _Links) -> list[Card]:
    batteries, health, alerts, devices = (stats[name] for name in ("batteries", "health", "alerts", "devices"))
    low, critical = health["low_count"], alerts["critical"]
    below = {"below_health_percentage": str(LOW_HEALTH_PERCENT), "sort": "health_percentage"}
    return [
        Card(name="Batteries", icon="battery-50", value=batteries["total"], address=links.batteries()),
        Card(
            name="Active",
            icon="bolt",
            value=batteries["active"],
            parts=[
                (f"{statuses.get(status, 0):,} {status.label.lower()}", links.batteries(current_status=status))
                for status in (Status.CHARGING, Status.DISCHARGING)
            ],
        ),
        Card(
            name="Faulty",
            icon="exclamation-triangle",
            value=batteries["faulty"],
            address=links.batteries(current_status=Status.FAULT),
            look="critical" if batteries["faulty"] else "",
        ),
        Card(
            name="Average health",
            icon="shield-check",
            value=health["average"],
            unit="%",
            address=links.batteries(sort="health_percentage"),
            look="warning" if low else "",
            parts=[(f"{low:,} below {LOW_HEALTH_PERCENT} %", links.batteries(**below))],
        ),
        Card(
            name="Average charge",
            icon="bolt",
            value=stats["charge"]["average"],
            unit="%",
            address=links.batteries(sort="current_charge"),
        ),
        Card(
            name="Average temperature",
            icon="fire",
            value=stats["temperature"]["average"],
            unit="°C",
            address=links.batteries(sort="-current_temperature"),
        ),
        Card(
            name="Unresolved alerts",
            icon="bell-alert",
            value=alerts["unresolved"],
            address=links.alerts(),
            look="critical" if critical else "warning" if alerts["unresolved"] else "",
            parts=[(f"{critical:,} critical", links.alerts(level=Level.CRITICAL))],
        ),
        Card(name="Devices", icon="cpu-chip", value=devices["total"], parts=[(f"{devices['active']:,} active", "")]),
    ]


def _charts(charts: Mapping[str, Any], links: _Links) -> dict[str, list[Share]]:
    return {
        "status": [
            Share(
                Status(one["current_status"]).label,
                one["count"],
                links.batteries(current_status=one["current_status"]),
                _STATUS_LOOKS.get(one["current_status"], "series-1"),
            )
            for one in charts["status"]
        ],
        "types": [_type(one["battery_type"], one["count"], links) for one in charts["types"]],
        "health": _bands(charts["health_ranges"], HEALTH_BANDS, "health_percentage", links, _HEALTH_LOOKS),
        "charge": _bands(charts["charge_ranges"], CHARGE_BANDS, "current_charge", links, _CHARGE_LOOKS),
        "cycles": _bands(charts["cycle_ranges"], CYCLE_BANDS, "cycle_count", links, ("series-1",) * len(CYCLE_BANDS)),
        "alerts": [
            Share(_words(one["alert_type"]), one["count"], links.alerts(type=one["alert_type"], state="all"))
            for one in charts["alert_types"]
        ],
    }


def _type(name: str, count: int, links: _Links) -> Share:
    """A list has no way to ask for what has no type."""
    return Share(name, count, links.batteries(type=name)) if name else Share("Not said", count)


def _bands(
    counts: Mapping[str, int], bands: Sequence[Band], column: str, links: _Links, looks: Sequence[str]
) -> list[Share]:
    named = zip(bands, looks, strict=True)
    return [Share(band.label, counts[band.label], links.band(column, band), look) for band, look in named]


def _bounds(column: str, band: Band) -> dict[str, str]:
    """The parameters of the list that mean the band."""
    if band.from_above:  # of whole numbers
        given = {f"min_{column}": None if band.low is None else band.low + 1, f"max_{column}": band.high}
    else:
        given = {f"min_{column}": band.low, f"below_{column}": band.high}
    return {name: f"{bound:.10g}" for name, bound in given.items() if bound is not None}


def _words(name: str) -> str:
    """`OVER_TEMPERATURE` as "Over temperature"."""
    return name.replace("_", " ").capitalize()
