"""The one door for changes to batteries and devices."""

from __future__ import annotations

from collections.abc import Sequence

from wattkeeper.base.assets.actions import state_advance
from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.kinds.battery.models import BatteryState
from wattkeeper.kinds.battery.streams import STATUS

_CHANNELS = tuple(channel.name for channel in STATUS.channels)


def state_apply(stream: Stream, rows: Sequence[NewestRow]) -> None:
    """Move the batteries' states forward to `rows`, in one statement, never back. What a row leaves out stays."""
    present = now()
    heads = (({"asset_id": row.asset_id, "at": row.at, "updated_at": present}, row.values) for row in rows)
    states = [{**head, **{name: values.get(name) for name in _CHANNELS}} for head, values in heads]
    state_advance(BatteryState, states, nulls_keep=True)
