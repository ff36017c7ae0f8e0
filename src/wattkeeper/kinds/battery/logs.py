"""What batteries have said, out of the readings' store."""

from __future__ import annotations

from collections.abc import Sequence

from wattkeeper.base.core.clock import now
from wattkeeper.flow.readings.timestamps import CLOCK_TOLERANCE
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.queries import Ordering, Selection, StoredRow
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.battery.streams import STATUS


def log_page(selection: Selection, *, newest_first: bool, offset: int, limit: int) -> list[StoredRow]:
    """The readings meant, by time."""
    ordering = Ordering(column=STATUS.time_field, descending=newest_first)
    return queries.page(store().engine, STATUS, selection, ordering=ordering, offset=offset, limit=limit)


def newest_readings(battery_ids: Sequence[int] | None, *, tenant_id: int | None, count: int) -> list[StoredRow]:
    """The newest readings of those batteries (None: of all), the newest first; of what is yet to come none."""
    selection = Selection(tenant_id=tenant_id, asset_ids=battery_ids, until=now() + CLOCK_TOLERANCE)
    return log_page(selection, newest_first=True, offset=0, limit=count)
