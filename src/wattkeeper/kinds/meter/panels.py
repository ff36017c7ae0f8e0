"""What only meters have on the page of one thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.base.catalog.kinds import Panel
from wattkeeper.base.core.clock import now
from wattkeeper.kinds.meter.codes import manufacturers, media
from wattkeeper.kinds.meter.consumption import Per
from wattkeeper.kinds.meter.dashboard.bars import picture_of
from wattkeeper.kinds.meter.dashboard.decoded import decoded
from wattkeeper.kinds.meter.dashboard.windows import use_window_of
from wattkeeper.kinds.meter.queries import messages_of, meter_by_id, use_of
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.kinds.meter.wording import counter_of

MESSAGES = 5


def consumption_context(meter: Asset, query: Mapping[str, str]) -> dict[str, Any]:
    """What `meter/consumption.html` shows. BadRequestError as `use_window_of` says."""
    state = getattr(meter, "meter_state", None)
    channel, zone = counter_of(state), site_zones(meter.tenant_id).of(meter.site)
    latest = (state.at if state else now()).astimezone(zone).date()
    window = use_window_of(query, latest=latest)
    context: dict[str, Any] = {"meter": meter, "window": window, "zone": zone, "has_counter": bool(channel)}
    if not channel:
        return context
    uses = use_of(meter, per=window.per, since=window.since, until=window.until)
    before = []
    if window.per is Per.MONTH:
        earlier = window.year_before()
        before = use_of(meter, per=window.per, since=earlier.since, until=earlier.until)
        if all(use.amount is None for use in before):
            before = []
    told = MESSAGE.channel(channel)
    unit = told.unit.value or "units"
    return context | {
        "label": told.label,
        "unit": unit,
        "picture": picture_of(uses, before, per=window.per, zone=zone, unit=unit, now=now()),
        "is_compared": bool(before),
        "other": window.other(latest=latest),
        "is_first": window.is_first,
        "is_last": window.until > latest,
    }


def meter_context(meter: Asset) -> dict[str, Any]:
    """What `meter/meter.html` shows."""
    who = meter.meter
    after = getattr(meter, "replaced_by", None)
    return {
        "meter": meter,
        "manufacturer": manufacturers.words_of(who.manufacturer),
        "identnr": who.identnr,
        "version": who.version,
        "medium": media.words_of(who.device_type),
        "replaces": who.replaces,
        "replaced_by": after.asset if after else None,
    }


def _meter(asset_id: int) -> Asset | None:
    return meter_by_id(asset_id, tenant_id=None)


def _consumption(asset_id: int) -> Mapping[str, Any]:
    meter = _meter(asset_id)
    return consumption_context(meter, {}) if meter else {}


def _messages(asset_id: int) -> Mapping[str, Any]:
    meter = _meter(asset_id)
    if meter is None:
        return {}
    found, zone = messages_of(meter, offset=0, limit=MESSAGES), site_zones(meter.tenant_id).of(meter.site)
    return {"meter": meter, "messages": [decoded(row) for row in found], "zone": zone}


def _who(asset_id: int) -> Mapping[str, Any]:
    meter = _meter(asset_id)
    return meter_context(meter) if meter else {}


PANELS = (
    Panel("Meter", "meter/meter.html", _who),
    Panel("Consumption", "meter/consumption.html", _consumption, wide=True),
    Panel("Messages", "meter/messages_newest.html", _messages, wide=True),
)
