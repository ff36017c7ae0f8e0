"""A server as it is in use: a home of its own, a key, and `manage.py serve` in a session of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class RunningServer:
    url: str
    key: str
    home: Path


@dataclass(frozen=True)
class Outcome:
    """What a command has said and how it ended."""

    code: int
    stdout: str
    stderr: str


def wattkeeper(*arguments: object, home: Path, folder: Path | None = None, **variables: str) -> Outcome:
    """`wattkeeper ...` in a process of its own, as an operator calls it."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "manage.py"), *map(str, arguments)],
        env=environment(home, **variables),
        cwd=folder or home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def environment(home: Path, **variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")}
    return {**kept, "WATTKEEPER_HOME": str(home), **variables}


def home_make(home: Path) -> str:
    """A home that is ready to be served; gives a key of the tenant `default` that may do everything."""
    home.mkdir(parents=True)
    migrated = wattkeeper("migrate", "--verbosity", 0, home=home)
    assert migrated.code == 0, migrated.stderr
    return wattkeeper("key", "add", "tests", "--scope", "admin", home=home).stdout.strip()


@contextmanager
def served(home: Path, *command: str, key: str) -> Iterator[RunningServer]:
    """`command`, by default `serve`, at work on `home` until the end; then it is told to stop."""
    url = f"http://127.0.0.1:{port_free()}"
    words = [*(command or ("serve",)), "--port", url.rpartition(":")[2]]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "manage.py"), *words],
            env=environment(home),
            cwd=home,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(url, server, home / "server.log")
        yield RunningServer(url, key, home)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def port_free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{url}/login/")
        except httpx.TransportError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.1)
        else:
            return
