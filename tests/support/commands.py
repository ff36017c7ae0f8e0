"""The commands that talk to a server, called where we are, against a server that does what a test tells it."""

from __future__ import annotations

import io
from pathlib import Path

from django.core.management import call_command

KEY = "wk_0123456789abcdef_never_shown"
HEADER = "vehicle_id,timestamp,speed,odometer,soc,elevation,shift_state"
REPORT = {
    "inserted": 1,
    "duplicates": 0,
    "refused": 0,
    "flagged": 0,
    "ignored_columns": [],
    "refused_rows": [],
    "refused_csv": "/refused/",
}


def remote(name: str, *arguments: object, url: str, key: str = KEY) -> str:
    """What `wattkeeper NAME` prints; CommandError, with the sentence it would end with, where it fails."""
    said = io.StringIO()
    call_command(name, *map(str, arguments), "--kind", "vehicle", "--server", url, "--key", key, "--quiet", stdout=said)
    return said.getvalue()


def fleet_file(folder: Path, vehicles: list[str], rows: int = 3, *, name: str = "fleet.csv") -> Path:
    """A file with `rows` readings of each vehicle, a minute apart."""
    path = folder / name
    lines = [
        f"{vehicle},2024-05-01T10:{minute:02}:00Z,0,{100 + minute}.5,{80 - minute},12.5,D"
        for vehicle in vehicles
        for minute in range(rows)
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path
