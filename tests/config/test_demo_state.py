"""What the demo remembers of its fleets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from wattkeeper.config.demo.state import FleetState, state_path, state_read, state_write

ORIGIN, FED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, 0, 0, 0, 1, tzinfo=UTC)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    fleets = {"vehicles": FleetState(12, ORIGIN, FED), "packs": FleetState(200, FED, FED)}
    state_write(tmp_path, fleets)
    assert state_read(tmp_path) == fleets


def test_before_the_first_start_there_is_no_fleet(tmp_path: Path) -> None:
    assert state_read(tmp_path) == {}


def test_the_state_of_a_demo_that_had_only_vehicles_is_understood(tmp_path: Path) -> None:
    older = {"vehicles": 3, "origin": "2026-01-01T01:00:00+01:00", "fed_until": "2026-01-08T00:00:00.000001+00:00"}
    state_path(tmp_path).write_text(json.dumps(older))
    assert state_read(tmp_path) == {"vehicles": FleetState(3, ORIGIN, FED)}


def test_a_state_that_is_written_leaves_no_other_file(tmp_path: Path) -> None:
    state_write(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]
