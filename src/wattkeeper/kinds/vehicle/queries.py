"""What is asked about vehicles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wattkeeper.kinds.vehicle.models import VehicleState


def states_of(asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """The current state of those vehicles that have one: `at` and a value for each channel."""
    states = VehicleState.objects.filter(asset_id__in=asset_ids).values()
    return {state["asset_id"]: dict(state) for state in states}
