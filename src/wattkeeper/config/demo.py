"""The demo: a tenant with people and a simulated fleet, whose history is loaded and whose present is fed in."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import close_old_connections

from wattkeeper.base.accounts.actions import tenant_get_or_create, user_add
from wattkeeper.base.accounts.matrix import Role
from wattkeeper.base.accounts.models import Tenant, User
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.flow.ingest import ingest_file, ingest_row
from wattkeeper.flow.readings.reading import LoadReceipt, Row
from wattkeeper.flow.sources.csv_upload.assemble import assemble
from wattkeeper.flow.sources.csv_upload.header import HEAD_BYTES, header_of
from wattkeeper.kinds.vehicle import demo as vehicles
from wattkeeper.kinds.vehicle.streams import TELEMETRY

log = logging.getLogger(__name__)

TENANT = "demo"
PASSWORD = "watts-and-volts"  # noqa: S105  (printed at every start; the demo refuses to run in production)
SENDER = "demo"
RETRY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class DemoState:
    """Kept beside the data, so that the fleet's life goes on where it was."""

    vehicles: int
    origin: datetime
    fed_until: datetime

    @classmethod
    def read(cls, path: Path) -> DemoState | None:
        try:
            kept = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        times = (datetime.fromisoformat(kept[name]).astimezone(UTC) for name in ("origin", "fed_until"))
        return cls(kept["vehicles"], *times)

    def write(self, path: Path) -> None:
        times = {"origin": self.origin.isoformat(), "fed_until": self.fed_until.isoformat()}
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps({"vehicles": self.vehicles, **times}))
        unfinished.replace(path)  # a crash leaves the old one or the new one, never half of one


def state_path(home: Path) -> Path:
    return home / "demo.json"


def people_make() -> list[tuple[str, str]]:
    """The demo's logins, as (name, role); those that exist stay as they are."""
    tenant, _ = tenant_get_or_create(slug=TENANT, name="Demo fleet", actor=SENDER)
    logins = [(f"demo-{role.value}", role) for role in (Role.ADMIN, Role.MANAGER, Role.OPERATOR, Role.VIEWER)]
    for name, role in logins:
        if not User.objects.filter(username=name).exists():
            user_add(name=name, password=PASSWORD, role=role, tenant=tenant, actor=SENDER)
    return [(name, role.value) for name, role in logins]


def history_load(home: Path, *, vehicle_count: int, days: int) -> LoadReceipt:
    """Bring the fleet's history up to now. The readings' store must be open."""
    path, present = state_path(home), now()
    state = DemoState.read(path)
    if state is None:
        origin = present - timedelta(days=days)
        state = DemoState(vehicle_count, origin, origin)
    tenant = Tenant.objects.get(slug=TENANT)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        source = Path(folder) / "history.csv"
        with source.open("w", newline="") as out:
            vehicles.history_write(
                out, vehicles=state.vehicles, origin=state.origin, since=state.fed_until, until=present
            )
        with source.open("rb") as head:
            header = header_of(head.read(HEAD_BYTES), TELEMETRY, asset_named=False)
        file = assemble([source], Path(folder) / "whole", header, asset_key=None, progress=lambda read: None)
        receipt = ingest_file(TELEMETRY, file, tenant_id=tenant.pk, batch_id=batch_id_new(), by=SENDER)
    DemoState(state.vehicles, state.origin, present).write(path)
    return receipt


class DemoFeed:
    """Sends each sample of the simulated fleet when its time has come, as a vehicle would."""

    def __init__(self, home: Path) -> None:
        self._path = state_path(home)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        state = DemoState.read(self._path)
        tenant = Tenant.objects.filter(slug=TENANT).first()
        if state is None or tenant is None:
            return
        fed_until = state.fed_until
        rows = vehicles.present(vehicles=state.vehicles, origin=state.origin, since=fed_until)
        try:
            for row in rows:
                if self._over.wait(max((row.at - now()).total_seconds(), 0)):
                    break
                self._send(row, tenant.pk)
                fed_until = row.at + timedelta(microseconds=1)
        finally:
            DemoState(state.vehicles, state.origin, fed_until).write(self._path)
            close_old_connections()

    def _send(self, row: Row, tenant_id: int) -> None:
        """Again and again where the server is busy, as a vehicle would."""
        while not self._over.is_set():
            try:
                ingest_row(TELEMETRY, row, tenant_id=tenant_id, by=SENDER)
            except Exception:  # whatever it is, the fleet that the newcomer looks at goes on
                log.exception("A reading of the demo could not be sent; it is tried again")
                self._over.wait(RETRY_SECONDS)
            else:
                return
