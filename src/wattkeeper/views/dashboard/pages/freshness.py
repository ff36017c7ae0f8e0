"""How fresh a reading is, as a badge says it."""

from __future__ import annotations

from wattkeeper.base.assets.states import Freshness
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge

FRESHNESS_BADGES = {
    Freshness.NOW: StateBadge("Reporting", Level.QUIET, "signal"),
    Freshness.STALE: StateBadge("Silent", Level.WARNING, "signal-slash"),
    Freshness.NEVER: StateBadge("No reading yet", Level.QUIET, "minus-circle"),
}
