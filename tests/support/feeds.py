"""Files of the simulator, and their way to a running server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.support.servers import Server
from wattkeeper.config import remote
from wattkeeper.kinds.vehicle.simulator.feed import write_csv

START = datetime(2024, 3, 1, tzinfo=UTC)


def feed_make(path: Path, *, rows: int, vehicles: int = 3) -> remote.UploadFile:
    """A clean file of a small fleet, ready to be sent."""
    names = [f"truck-{number}" for number in range(vehicles)]
    with path.open("wb") as out:
        write_csv(out, vehicles=names, rows=rows, seed=7, start=START)
    return remote.UploadFile(path, None)


def chunks_send(server: Server, file: remote.UploadFile) -> None:
    """As `wattkeeper import` sends them."""
    with remote.Server(server.url, key=server.key, kind="vehicle") as there:
        there.send(file, lambda done, total: None)


def finalize(client: httpx.Client, file: remote.UploadFile) -> httpx.Response:
    """Ask for the load and do not wait for it."""
    return client.post("finalize_upload/", data=file.form(), headers={"Prefer": "respond-async"})


def runs(home: Path) -> list[tuple[str, int]]:
    """State and attempts of the loads, from the database itself: for servers that answer no more."""
    with closing(sqlite3.connect(home / "wattkeeper.sqlite3")) as database:
        return database.execute("SELECT state, attempts FROM jobs_run").fetchall()


def loaded(server: Server, file: remote.UploadFile) -> dict[str, Any]:
    """Finalize, as often as the server says that it is still at it; the report."""
    with remote.Server(server.url, key=server.key, kind="vehicle") as there:
        return there.finalize(file, lambda done, total: None)


def rows_stored(client: httpx.Client) -> int:
    """As the list counts them."""
    return int(client.get("", params={"page_size": 1}).json()["count"])


def reading(vehicle: str = "single", at: str = "2025-01-01T00:00:00Z", **fields: Any) -> dict[str, Any]:
    """One good row."""
    return {"vehicle_id": vehicle, "timestamp": at, "odometer": 10.5, "soc": 50, "elevation": 3, **fields}
