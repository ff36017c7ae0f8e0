"""How readings become a vehicle's current state."""

from __future__ import annotations

from collections.abc import Sequence

from wattkeeper.base.assets.actions import state_advance
from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.kinds.vehicle.models import VehicleState


def state_apply(stream: Stream, rows: Sequence[NewestRow]) -> None:
    """Move the vehicles' states forward to `rows`, in one statement, never back."""
    state_advance(VehicleState, [{"asset_id": row.asset_id, "at": row.at, **row.values} for row in rows])
