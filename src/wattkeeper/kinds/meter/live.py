"""How meters are shown live: as the API shows them, with their state beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wattkeeper.kinds.meter.api.serializers import MeterSerializer
from wattkeeper.kinds.meter.queries import meters_of


def meters_shown(asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Those of the ids that are meters in use."""
    shown, found = MeterSerializer(), {}
    for asset in meters_of(None).filter(pk__in=asset_ids):
        said = shown.to_representation(asset)
        found[asset.pk] = {**said, **(said["state"] or {"at": None})}
    return found
