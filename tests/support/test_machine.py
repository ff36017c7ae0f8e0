"""The marker `needs`, and that a test which CI should have run and did not is a failure there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import absent, repository

TESTS = """
import pytest

def test_ours():
    pass

@pytest.mark.needs("no-such-command")
def test_of_something_absent():
    raise AssertionError("the machine does not have it")

@pytest.mark.needs("sh")
def test_of_something_here():
    pass
"""


def run(folder: Path, *options: str, ci: str) -> subprocess.CompletedProcess[str]:
    """A run of its own, with nothing but the plugin."""
    (folder / "test_some.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = needs(what): see tests/support/machine.py\n")
    path = os.pathsep.join([str(repository()), *sys.path])
    env = {**os.environ, "CI": ci, "PYTHONPATH": path, "PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.machine", "-p", "no:cacheprovider", "-rs", *options]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), ("-p", "xdist.plugin", "-n", "1")], ids=["alone", "distributed"])
@pytest.mark.parametrize(("ci", "code"), [("", 0), ("false", 0), ("true", 1)])
def test_a_skipped_test_fails_the_run_in_ci_and_only_there(
    tmp_path: Path, options: tuple[str, ...], ci: str, code: int
) -> None:
    ran = run(tmp_path, *options, ci=ci)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "2 passed, 1 skipped" in ran.stdout
    assert "needs no-such-command: there is no command no-such-command" in ran.stdout
    assert ("CI has all that tests need, but 1 skipped: the run fails." in ran.stdout) is (code == 1)


def test_a_run_that_skips_nothing_passes_in_ci(tmp_path: Path) -> None:
    ran = run(tmp_path, "--deselect", "test_some.py::test_of_something_absent", ci="true")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_command_is_absent_with_a_reason_or_here() -> None:
    assert absent("sh") == ""
    assert absent("no-such-command") == "there is no command no-such-command"
