"""What the demo begins with: the sample fleet, and the fleets' history, loaded as a file would be."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.config.demo.fleets import FLEETS, Fleet
from wattkeeper.config.demo.people import SENDER, TENANT
from wattkeeper.config.demo.state import FleetState, state_read, state_write
from wattkeeper.flow.ingest import ingest_file
from wattkeeper.flow.sources.csv_upload.assemble import assemble
from wattkeeper.flow.sources.csv_upload.header import HEAD_BYTES, header_of
from wattkeeper.kinds.battery.demo import sample_make


def sample_load() -> None:
    """Give the demo what it lacks of the sample fleet, which tells nothing but what it is made with."""
    sample_make(Tenant.objects.get(slug=TENANT).pk, actor=SENDER)


def history_load(home: Path, *, sizes: Mapping[str, int], days: int) -> int:
    """Bring the fleets' histories up to now; gives how many readings were stored.

    `sizes` by the fleets' names: of those that are new. Each begins `days` ago. The readings' store must be open.
    """
    tenant, present = Tenant.objects.get(slug=TENANT), now()
    fleets = state_read(home)
    stored = 0
    for name, size in sizes.items():
        origin = present - timedelta(days=days)
        state = fleets.get(name) or FleetState(size, origin, fed_until=origin)
        stored += _load(home, FLEETS[name], state, until=present, tenant=tenant)
        fleets[name] = replace(state, fed_until=present)
        state_write(home, fleets)
    return stored


def _load(home: Path, fleet: Fleet, state: FleetState, *, until: datetime, tenant: Tenant) -> int:
    fleet.tend(size=state.size, origin=state.origin, at=until, tenant=tenant, by=SENDER)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        source = Path(folder) / "history.csv"
        with source.open("w", newline="") as out:
            fleet.history_write(out, size=state.size, origin=state.origin, since=state.fed_until, until=until)
        with source.open("rb") as head:
            header = header_of(head.read(HEAD_BYTES), fleet.STREAM, asset_named=False)
        file = assemble([source], Path(folder) / "whole", header, asset_key=None, progress=lambda read: None)
        return ingest_file(fleet.STREAM, file, tenant_id=tenant.pk, batch_id=batch_id_new(), by=SENDER).stored
