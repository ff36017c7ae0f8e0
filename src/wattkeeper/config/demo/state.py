"""How far the demo's fleets have come: kept beside the data, so that their lives go on where they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FleetState:
    """A fleet of `size` that lives since `origin`, and whose samples before `fed_until` are all sent."""

    size: int
    origin: datetime
    fed_until: datetime


def state_path(home: Path) -> Path:
    return home / "demo.json"


def state_read(home: Path) -> dict[str, FleetState]:
    """The fleets by their names; none before the first start."""
    try:
        kept = json.loads(state_path(home).read_text())
    except FileNotFoundError:
        return {}
    if "fleets" not in kept:  # as it was when vehicles were the only fleet
        kept = {"fleets": {"vehicles": {"size": kept["vehicles"], **kept}}}
    return {name: _fleet_of(fleet) for name, fleet in kept["fleets"].items()}


def state_write(home: Path, fleets: Mapping[str, FleetState]) -> None:
    texts = {
        name: {"size": fleet.size, "origin": fleet.origin.isoformat(), "fed_until": fleet.fed_until.isoformat()}
        for name, fleet in fleets.items()
    }
    path = state_path(home)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps({"fleets": texts}))
    unfinished.replace(path)  # a crash leaves the old one or the new one, never half of one


def _fleet_of(kept: Mapping[str, Any]) -> FleetState:
    origin, fed_until = (datetime.fromisoformat(kept[name]).astimezone(UTC) for name in ("origin", "fed_until"))
    return FleetState(kept["size"], origin, fed_until)
