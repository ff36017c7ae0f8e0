"""How readings become a vehicle's current state."""

from __future__ import annotations

from collections.abc import Sequence

from wattkeeper.base.assets.actions import state_advance
from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.kinds.vehicle.models import VehicleState

# A channel may be in the stream without being part of the state.
_CHANNELS = tuple(field.name for field in VehicleState._meta.fields if field.name not in {"asset", "at"})


def state_apply(stream: Stream, rows: Sequence[NewestRow]) -> None:
    """Move the vehicles' states forward to `rows`, in one statement, never back."""
    states = ((row.asset_id, row.at, *map(row.values.__getitem__, _CHANNELS)) for row in rows)
    state_advance(VehicleState, _CHANNELS, states)
