"""How batteries are shown live: as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wattkeeper.kinds.battery.queries import batteries_of
from wattkeeper.kinds.battery.serializers import BatterySerializer


def batteries_shown(asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Those of the ids that are batteries in use."""
    shown = BatterySerializer()
    return {asset.pk: shown.to_representation(asset) for asset in batteries_of(None).filter(pk__in=asset_ids)}
