"""What only batteries have on the page of one thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattkeeper.base.catalog.kinds import Panel
from wattkeeper.kinds.battery.queries import devices_holding


def _holding(asset_id: int) -> Mapping[str, Any]:
    return {"devices": devices_holding(asset_id)}


DEVICES = Panel("Devices", "battery/devices.html", _holding)
