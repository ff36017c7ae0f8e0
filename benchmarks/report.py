"""What was measured, and how it is shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

COLUMNS = ("what", "measured", "peer", "limit", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `kept` is None where there is nothing to keep, or nothing to compare with."""

    what: str
    measured: str
    peer: str = ""
    limit: str = ""
    kept: bool | None = None

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.measured, self.peer, self.limit, {True: "kept", False: "MISSED", None: ""}[self.kept])


def markdown(figures: Iterable[Figure]) -> str:
    rows = [COLUMNS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def machine() -> str:
    """What the figures were measured on, in a line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    total = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({model}), {total / 1e6:.0f} GB, "
        f"Python {platform.python_version()}, load average at the start {load:.1f}"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
