"""How fresh a reading is, as a badge says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wattkeeper.base.assets.states import Freshness
from wattkeeper.views.dashboard.asset_looks import Looks
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge

FRESHNESS_BADGES: Mapping[str, StateBadge] = {
    Freshness.NOW: StateBadge("Reporting", Level.QUIET, "signal"),
    Freshness.STALE: StateBadge("Silent", Level.WARNING, "signal-slash"),
    Freshness.NEVER: StateBadge("No reading yet", Level.QUIET, "minus-circle"),
}


def badges_beside(fresh: Iterable[tuple[int, Freshness]], looks: Looks) -> Mapping[int, Mapping[str, StateBadge]]:
    """How the freshness of each thing is shown, by its id: one that is silent for a good reason is not called so."""
    known = dict(fresh)
    quiet = [pk for pk, one in known.items() if one is Freshness.STALE]
    instead = looks.silent(quiet) if looks.silent and quiet else {}
    return {
        pk: {**FRESHNESS_BADGES, Freshness.STALE: instead[pk]} if pk in instead else FRESHNESS_BADGES for pk in known
    }
