"""What the demo begins with: the sample fleet, and the fleets' history, loaded as a file would be, or row by row."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.config.demo.fleets import FLEETS, FileFleet, RowsFleet
from wattkeeper.config.demo.people import SENDER, TENANT
from wattkeeper.config.demo.state import FleetState, state_read, state_write
from wattkeeper.flow.ingest import KindAssets, ingest_file, ingest_history
from wattkeeper.flow.readings.reading import Reading
from wattkeeper.flow.sources.csv_upload.assemble import assemble
from wattkeeper.flow.sources.csv_upload.header import HEAD_BYTES, header_of
from wattkeeper.kinds.battery.demo import sample_make

ROWS_AT_ONCE = 2_000


def sample_load() -> None:
    """Give the demo what it lacks of the sample fleet, which tells nothing but what it is made with."""
    sample_make(Tenant.objects.get(slug=TENANT).pk, actor=SENDER)


def history_load(home: Path, *, sizes: Mapping[str, int], days: int) -> int:
    """Bring the fleets' histories up to now; gives how many readings were stored.

    `sizes` by the fleets' names: of those that are new. Each begins `days` ago, or as long as its own history is. The
    readings' store must be open.
    """
    tenant, present = Tenant.objects.get(slug=TENANT), now()
    fleets = state_read(home)
    stored = 0
    for name, size in sizes.items():
        fleet = FLEETS[name]
        origin = present - timedelta(days=fleet.HISTORY_DAYS or days)
        state = fleets.setdefault(name, FleetState(size, origin, fed_until=origin))
        state_write(home, fleets)  # whatever happens on the way, the next start tells of the same lives
        fleet.tend(size=state.size, origin=state.origin, at=present, tenant=tenant, by=SENDER)
        if isinstance(fleet, RowsFleet):
            stored += _rows_load(fleet, state, until=present, tenant=tenant)
        else:
            stored += _file_load(home, fleet, state, until=present, tenant=tenant)
        fleets[name] = replace(state, fed_until=present)
        state_write(home, fleets)
    return stored


def _rows_load(fleet: RowsFleet, state: FleetState, *, until: datetime, tenant: Tenant) -> int:
    """Of things that are all registered: what nobody knows is left out."""
    assets, stored = KindAssets(tenant.pk, fleet.STREAM.kind, SENDER), 0
    rows = fleet.history_rows(size=state.size, origin=state.origin, since=state.fed_until, until=until)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        ids = assets.ids_of([row.asset_key for row in some])
        known = [Reading(tenant.pk, ids[row.asset_key], row) for row in some if row.asset_key in ids]
        stored += ingest_history(fleet.STREAM, known)
    return stored


def _file_load(home: Path, fleet: FileFleet, state: FleetState, *, until: datetime, tenant: Tenant) -> int:
    with tempfile.TemporaryDirectory(dir=home) as folder:
        source = Path(folder) / "history.csv"
        with source.open("w", newline="") as out:
            fleet.history_write(out, size=state.size, origin=state.origin, since=state.fed_until, until=until)
        with source.open("rb") as head:
            header = header_of(head.read(HEAD_BYTES), fleet.STREAM, asset_named=False)
        file = assemble([source], Path(folder) / "whole", header, asset_key=None, progress=lambda read: None)
        return ingest_file(fleet.STREAM, file, tenant_id=tenant.pk, batch_id=batch_id_new(), by=SENDER).stored
