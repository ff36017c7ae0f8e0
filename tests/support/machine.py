"""What a test needs of the machine: `@pytest.mark.needs("strace")` skips it where that is absent, never in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis

# Whoever this is may make databases.
POSTGRES = os.environ.get("WATTKEEPER_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("WATTKEEPER_TEST_REDIS", "redis://127.0.0.1:6379/0")


def _tmpfs() -> str:
    if shutil.which("mount") is None:
        return "there is no command mount"
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True, text=True, check=False)
        if mounted.returncode:
            return f"mounting fails, which is for root: {mounted.stderr.strip()}"
        subprocess.run(["umount", folder], check=True)
    return ""


def _strace() -> str:
    if shutil.which("strace") is None:
        return "there is no command strace"
    # Containers often have the command but not the right to use it.
    traced = subprocess.run(["strace", "-o", os.devnull, sys.executable, "-c", ""], capture_output=True, check=False)
    return "tracing a process is not allowed" if traced.returncode else ""


def _chromium() -> str:
    return (
        "" if any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))) else "no browser is installed"
    )


def _postgres() -> str:
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return f"no server answers: {str(error).splitlines()[0]}"
    return ""


def _redis() -> str:
    try:
        with redis.Redis.from_url(REDIS, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        return f"no server answers: {error}"
    return ""


# Each says why its thing is absent, or nothing. A need that is not listed is a command by its name.
_NEEDS: Mapping[str, Callable[[], str]] = {
    "tmpfs": _tmpfs,
    "strace": _strace,
    "chromium": _chromium,
    "postgres": _postgres,
    "redis": _redis,
}


@cache
def absent(what: str) -> str:
    """Why this machine does not have it; empty if it has."""
    if what in _NEEDS:
        return _NEEDS[what]()
    return "" if shutil.which(what) else f"there is no command {what}"


@pytest.fixture
def database_url() -> Iterator[str]:
    """An empty database of this test's own."""
    name = f"wattkeeper_{uuid4().hex}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield urlsplit(POSTGRES)._replace(path=f"/{name}").geturl()
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for what in mark.args:
            if why := absent(what):
                pytest.skip(f"needs {what}: {why}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With xdist this runs in its workers too, which have no reporter and whose status nobody reads."""
    if _skipped_in_ci(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if count := _skipped_in_ci(config):
        terminalreporter.section("skipped in CI", red=True)
        terminalreporter.line(f"CI has all that tests need, but {count} skipped: the run fails.", red=True)


def _skipped_in_ci(config: pytest.Config) -> int:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI", "").lower() != "true" or reporter is None or hasattr(config, "workerinput"):
        return 0
    return len(reporter.stats.get("skipped", ()))


def repository() -> Path:
    """The folder that holds `manage.py`."""
    return Path(__file__).parents[2]
