"""How fresh a reading is, as a badge says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wattkeeper.base.assets.states import STALE_AFTER, Freshness
from wattkeeper.base.core.clock import now
from wattkeeper.views.dashboard.templatetags.components import Level


@dataclass(frozen=True, slots=True)
class FreshnessBadge:
    """The word, the level and the icon of one state of freshness."""

    word: str
    level: Level
    icon: str


BADGES = {
    Freshness.NOW: FreshnessBadge("Reporting", Level.QUIET, "signal"),
    Freshness.STALE: FreshnessBadge("Silent", Level.WARNING, "signal-slash"),
    Freshness.NEVER: FreshnessBadge("No reading yet", Level.QUIET, "minus-circle"),
}


def freshness_of(at: datetime | None) -> FreshnessBadge:
    """The badge of a thing whose newest reading was taken at `at`."""
    if at is None:
        return BADGES[Freshness.NEVER]
    return BADGES[Freshness.NOW if now() - at < STALE_AFTER else Freshness.STALE]
