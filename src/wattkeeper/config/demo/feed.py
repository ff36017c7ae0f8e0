"""The fleets' present: each sample is sent when its time has come, as the thing itself would."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from django.db import close_old_connections

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core.clock import now
from wattkeeper.config.demo.fleets import FLEETS, Fleet
from wattkeeper.config.demo.people import SENDER, TENANT
from wattkeeper.config.demo.state import FleetState, state_read, state_write
from wattkeeper.flow.ingest import WAIT_SECONDS, Ingested, KindAssets, ingest_submit
from wattkeeper.flow.readings.reading import Reading, Row

log = logging.getLogger(__name__)

RETRY_SECONDS = 10
TEND_EVERY = timedelta(hours=1)


class Due(NamedTuple):
    """A sample whose time comes."""

    fleet: Fleet
    row: Row

    @property
    def at(self) -> datetime:
        """When it is sent: when it is received, where its stream notes that, else its own time."""
        repeats = self.fleet.STREAM.repeats
        moment: datetime = self.row.values[repeats.received_at] if repeats else self.row.at
        return moment


class DemoFeed:
    """A thread that sends the samples of all fleets of the demo in the order of time."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        fleets, tenant = state_read(self._home), Tenant.objects.filter(slug=TENANT).first()
        if not fleets or tenant is None:
            return
        tended = now()
        try:
            for rows in _by_second(fleets):
                until = rows[-1].at
                if self._over.wait(max((until - now()).total_seconds(), 0)) or not self._send(rows, tenant.pk):
                    break
                fed_until = until + timedelta(microseconds=1)
                fleets = {name: replace(state, fed_until=fed_until) for name, state in fleets.items()}
                if now() - tended > TEND_EVERY:
                    tended = now()
                    _tend(fleets, tenant)
        finally:
            state_write(self._home, fleets)
            close_old_connections()

    def _send(self, rows: Sequence[Due], tenant_id: int) -> bool:
        """Again and again where the server is busy, as the things themselves would; whether all were taken."""
        while True:
            try:
                rows = _unsent(rows, tenant_id)
            except Exception:  # whatever it is, the fleet that the newcomer looks at goes on
                log.exception("Readings of the demo could not be sent; they are sent again")
                close_old_connections()
            if not rows:
                return True
            if self._over.wait(RETRY_SECONDS):
                return False


def _by_second(fleets: Mapping[str, FleetState]) -> Iterator[list[Due]]:
    """What is due in each second in which something is, in the order of time."""
    lives = (_due(FLEETS[name], state) for name, state in fleets.items())
    merged = heapq.merge(*lives, key=lambda due: due.at)
    return (list(rows) for _, rows in groupby(merged, key=lambda due: due.at.replace(microsecond=0)))


def _due(fleet: Fleet, state: FleetState) -> Iterator[Due]:
    rows = fleet.present(size=state.size, origin=state.origin, since=state.fed_until)
    return (Due(fleet, row) for row in rows)


def _unsent(rows: Sequence[Due], tenant_id: int) -> list[Due]:
    """Those that were not taken, after all were sent in one go: one flush takes as many as there are."""
    on_their_way = list(_submitted(rows, tenant_id))
    failed = [(due, error) for due, future in on_their_way if (error := future.exception(WAIT_SECONDS))]
    if failed:
        log.error("%d readings of the demo are sent again", len(failed), exc_info=failed[0][1])
    return [due for due, _ in failed]


def _submitted(rows: Sequence[Due], tenant_id: int) -> Iterator[tuple[Due, Future[Sequence[Ingested]]]]:
    """Those of known things: what somebody has removed is not heard any more."""
    for fleet in FLEETS.values():
        own = [due for due in rows if due.fleet is fleet]
        assets = KindAssets(tenant_id, fleet.STREAM.kind, SENDER)
        keys = [due.row.asset_key for due in own]
        ids = dict(assets.ids_of(keys))
        ids |= assets.register([key for key in keys if key not in ids])
        for due in own:
            if asset_id := ids.get(due.row.asset_key):
                yield due, ingest_submit(fleet.STREAM, [Reading(tenant_id, asset_id, due.row)])


def _tend(fleets: Mapping[str, FleetState], tenant: Tenant) -> None:
    for name, state in fleets.items():
        try:
            FLEETS[name].tend(size=state.size, origin=state.origin, at=now(), tenant=tenant, by=SENDER)
        except Exception:  # its readings go on
            log.exception("The demo's %s could not be tended", name)
