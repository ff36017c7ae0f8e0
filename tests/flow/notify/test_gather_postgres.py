"""On PostgreSQL ids are not committed in their order: nothing is skipped, and nothing is told twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import repository
from tests.support.servers import PATIENCE_SECONDS, command, environment
from wattkeeper.flow.notify.gather import _without

pytestmark = pytest.mark.needs("postgres")


def test_what_is_committed_late_is_told_and_what_never_comes_is_forgotten(tmp_path: Path, database_url: str) -> None:
    home = tmp_path / "home"
    command("migrate", "--verbosity", 0, home=home, DATABASE_URL=database_url).check_returncode()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.out_of_order"],
        env=environment(home, DATABASE_URL=database_url),
        cwd=repository(),
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "nothing is committed": [0, 0],
        "only the last is committed": [1, 1],
        "the first has come too": [4, 1],
        "the second will never come": [4, 1],  # until the third, which may have its ids as well, is over
        "others are told meanwhile": [5, 1],
        "all are there": [6, 0],
        "nothing is told twice": [6, 0],
        "nothing is watched any more": [7, 0],
    }


def test_what_has_been_found_is_taken_out_of_a_gap() -> None:
    assert _without([(5, 9, 1)], [5, 7]) == [(6, 6, 1), (8, 9, 1)]
    assert _without([(5, 9, 1), (12, 12, 2)], [9, 12]) == [(5, 8, 1)]
    assert _without([(5, 5, 1)], [5]) == []
    assert _without([(5, 6, 1)], []) == [(5, 6, 1)]
