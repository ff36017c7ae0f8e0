"""How a battery has been doing of late, in a few hundred points."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.queries import Selection, StoredRow
from wattkeeper.flow.store.series import series
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.battery.logs import newest_readings
from wattkeeper.kinds.battery.streams import STATUS

WINDOW = timedelta(hours=24)
ROWS = 500  # given as they are; of more, each channel keeps so many points
FLEET_ROWS = 100
CHANNELS = ("current_charge", "current_voltage", "current_temperature")


def trend_of(battery: Asset) -> list[StoredRow]:
    """The rows of its latest window, the oldest first: the shape of each channel's line is in them.

    The window is the last day that it has spoken of, or as far back as its newest ROWS readings reach.
    """
    whole = Selection(tenant_id=battery.tenant_id, asset_ids=[battery.pk])
    newest = newest_readings([battery.pk], tenant_id=battery.tenant_id, count=ROWS)[::-1]
    if len(newest) < ROWS:
        return newest
    window = replace(whole, since=min(newest[0].key.at, newest[-1].key.at - WINDOW))
    drawn = series(store().engine, STATUS, window, channels=CHANNELS, points=ROWS)
    # Lines have points of their own each: a row is given where any has one, with all that was said then.
    samples = (zip(line.times, line.values, strict=True) for line in drawn.lines.values())
    times = sorted({time for line in samples for time, value in line if value is not None})
    return queries.rows_at(store().engine, STATUS, window, times)


def fleet_trend(tenant_id: int | None) -> list[StoredRow]:
    """The newest rows of all batteries, the oldest first."""
    return newest_readings(None, tenant_id=tenant_id, count=FLEET_ROWS)[::-1]
