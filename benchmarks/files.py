"""The simulator's files that are loaded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from wattkeeper.kinds.vehicle.simulator.feed import write_csv
from wattkeeper.kinds.vehicle.simulator.vehicles import fleet_ids

START = datetime(2025, 1, 1, tzinfo=UTC)


def fleet_file(path: Path, *, rows: int, vehicles: int, readable: bool) -> Path:
    """A clean file. Readable ids are short: 54 bytes a row instead of 81."""
    with path.open("wb") as out:
        write_csv(out, vehicles=fleet_ids(vehicles, seed=1, readable=readable), rows=rows, seed=1, start=START)
    return path
