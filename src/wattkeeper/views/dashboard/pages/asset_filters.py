"""The form by which a list of things is filtered, as the address has filled it in."""

from __future__ import annotations

from typing import Any

from wattkeeper.base.assets.filters import AssetFilter
from wattkeeper.base.assets.states import state_channels


def filter_context(wanted: AssetFilter) -> dict[str, Any]:
    """What `wattkeeper/assets/filters.html` shows; it needs the fleet's `counts` besides.

    `filters` is how many conditions stand in the unfolded panel.
    """
    said = wanted.describe()
    return {
        "kind": wanted.kind,
        "filter": wanted,
        "filters": len(wanted.at_least) + len(wanted.at_most) + len(wanted.equals),
        "filter_channels": [
            (channel, *(said.get(name, "") for name in (f"min_{channel.name}", f"max_{channel.name}", channel.name)))
            for channel in state_channels(wanted.kind)
        ],
    }
