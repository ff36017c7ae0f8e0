"""The short form of `make soak`."""

from __future__ import annotations

from pathlib import Path

from tests.support.soak import Plan, soak


def test_a_server_that_is_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Readings, alerts and their transitions are what the readings mean, and the counters of the last one balance."""
    outcome = soak(tmp_path / "home", Plan(kills=2, seconds=3, batteries=32, clients=32))
    assert outcome.wrong == [], outcome.table()
    assert outcome.cleared > 0, outcome.table()  # there was time for something to happen
