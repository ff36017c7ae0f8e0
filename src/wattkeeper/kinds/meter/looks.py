"""How the list and the page of one meter show it: its newest value, its status and its clock in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from wattkeeper.base.assets.models import Asset
from wattkeeper.kinds.meter.badges import STATUS, STATUS_BADGES, medium_icon
from wattkeeper.kinds.meter.models import Meter, MeterState
from wattkeeper.kinds.meter.wording import clock_words, latest_of, status_words
from wattkeeper.views.dashboard.asset_looks import Column, Link, Looks, Tile
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge, icon, known_value, state_badge


def _state(asset: Asset) -> MeterState | None:
    return getattr(asset, "meter_state", None)


def _medium(asset: Asset) -> SafeString:
    if not asset.type:
        return known_value(None, "type")
    return format_html("{} <bdi>{}</bdi>", icon(medium_icon(asset.type)), asset.type)


def _latest(asset: Asset) -> SafeString:
    latest = latest_of(_state(asset))
    return known_value(str(latest) if latest else None, "latest")


def _status(asset: Asset) -> SafeString:
    state = _state(asset)
    return state_badge(STATUS, STATUS_BADGES, status_words(state.status if state else None))


def _clock(asset: Asset) -> SafeString:
    state = _state(asset)
    return known_value(clock_words(state.clock_offset) if state else None, "clock")


def _tiles(asset: Asset) -> Sequence[Tile]:
    return (
        Tile("Latest value", _latest(asset), is_wide=True),
        Tile("Medium", _medium(asset)),
        Tile("Status", _status(asset)),
        Tile("Clock", _clock(asset)),
    )


def _replaced(asset_ids: Sequence[int]) -> Mapping[int, StateBadge]:
    """Those in whose place another meter hangs."""
    found = Meter.objects.filter(replaces__in=asset_ids).values_list("replaces", flat=True)
    return {pk: StateBadge("Replaced", Level.QUIET, "arrow-path") for pk in found if pk is not None}


LOOKS = Looks(
    columns=(
        Column(name="latest", label="Latest value", cell=_latest, numeric=True),
        Column(name="status", label="Status", cell=_status, sort="status"),
        Column(name="type", label="Medium", cell=_medium),
        Column(name="clock_offset", label="Clock", cell=_clock, sort="clock_offset"),
    ),
    at_first=("latest", "status", "type"),
    tiles=_tiles,
    window="30d",
    has_keys=True,
    hides_unsaid=True,
    silent=_replaced,
    first_sent="/api/data/",
    links=(Link("Settings", "meter-settings", "cog-6-tooth"),),
)
