"""The form by which a list of things is filtered, as the address has filled it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattkeeper.base.assets.filters import AssetFilter
from wattkeeper.base.assets.states import state_channels
from wattkeeper.views.dashboard.state_badges import badges_of
from wattkeeper.views.dashboard.templatetags.components import StateBadge


def filter_context(wanted: AssetFilter) -> dict[str, Any]:
    """What `wattkeeper/assets/filters.html` shows; it needs the fleet's `counts` besides.

    `filters` is how many conditions stand in the unfolded panel. Of each channel there are its bounds or its text, and
    its choices, each with its word.
    """
    said = wanted.describe()
    badges = badges_of(wanted.kind.name)
    return {
        "kind": wanted.kind,
        "filter": wanted,
        "filters": bool(wanted.type) + len(wanted.bounds) + len(wanted.equals),
        "filter_channels": [
            (
                channel,
                *(said.get(f"{prefix}{channel.name}", "") for prefix in ("min_", "max_", "below_", "")),
                [(choice, _word(badges.get(channel.name, {}), choice)) for choice in channel.choices],
            )
            for channel in state_channels(wanted.kind)
        ],
    }


def _word(badges: Mapping[str, StateBadge], state: str) -> str:
    return badges[state].word if state in badges else state
