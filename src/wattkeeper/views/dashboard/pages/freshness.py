"""How fresh a reading is, as a badge says it."""

from __future__ import annotations

from datetime import datetime

from wattkeeper.base.assets.states import STALE_AFTER, Freshness
from wattkeeper.base.core.clock import now
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge

BADGES = {
    Freshness.NOW: StateBadge("Reporting", Level.QUIET, "signal"),
    Freshness.STALE: StateBadge("Silent", Level.WARNING, "signal-slash"),
    Freshness.NEVER: StateBadge("No reading yet", Level.QUIET, "minus-circle"),
}


def freshness_of(at: datetime | None) -> StateBadge:
    """The badge of a thing whose newest reading was taken at `at`."""
    if at is None:
        return BADGES[Freshness.NEVER]
    return BADGES[Freshness.NOW if now() - at < STALE_AFTER else Freshness.STALE]
