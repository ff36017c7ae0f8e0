"""How pages show what a battery does."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.kinds.battery.models import Status
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge

STATUS_BADGES: Mapping[str, StateBadge] = {
    Status.CHARGING: StateBadge("Charging", Level.INFO, "bolt"),
    Status.DISCHARGING: StateBadge("Discharging", Level.QUIET, "battery-50"),
    Status.IDLE: StateBadge("Idle", Level.QUIET, "pause-circle"),
    Status.FAULT: StateBadge("Fault", Level.CRITICAL, "exclamation-triangle"),
}
BADGES = {"current_status": STATUS_BADGES}
