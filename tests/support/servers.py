"""The real program in processes and on a home of its own, to be killed, stopped and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx
import psutil
from django.conf import settings

from tests.support.machine import repository
from wattkeeper.config.env import Env

API = "/api/v1/vehicle_data/"
# How long anything may take before a test gives up on it: for hangs, not for slowness.
PATIENCE_SECONDS = 60


class Server:
    """`wattkeeper serve`. `start` and `stop` as often as you like: the home and the address stay."""

    def __init__(
        self, home: Path, *, key: str, log: Path, env: Mapping[str, str], prefix: Sequence[str], words: Sequence[str]
    ) -> None:
        self.home, self.key, self.log = home, key, log
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._env, self._prefix, self._words = environment(home, **env), prefix, words

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def parent(self) -> int:
        """The supervisor's process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def worker(self) -> int:
        """The process that answers."""
        return psutil.Process(self.parent).children()[0].pid

    @property
    def output(self) -> str:
        return self.log.read_text()

    def client(self) -> httpx.Client:
        """Speaks with the key, to paths below the vehicles' API."""
        headers = {"Authorization": f"Api-Key {self.key}"}
        return httpx.Client(base_url=f"{self.url}{API}", headers=headers, timeout=PATIENCE_SECONDS)

    def start(self) -> None:
        """Returns when the server answers."""
        with self.log.open("ab") as log:
            command = [*self._prefix, *COMMAND, *self._words, "--port", str(self.port)]
            self.process = subprocess.Popen(
                command, env=self._env, cwd=self.home, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._answers, f"the server answers:\n{self.output}")

    def signal(self, number: signal.Signals) -> None:
        """To the supervisor, as a service manager would send it."""
        os.kill(self.parent, number)

    def wait(self) -> int:
        """Its exit code, once all of its processes are gone."""
        assert self.process is not None
        code = self.process.wait(PATIENCE_SECONDS)
        wait_until(lambda: not group_members(self.parent), "the last process of the server is gone")
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill_group(self) -> None:
        """As a power cut would end it, but for what the kernel has yet to write."""
        os.killpg(self.parent, signal.SIGKILL)
        self.wait()

    def end(self) -> None:
        """Whatever still runs of it is killed."""
        if self.process is not None and group_members(self.parent):
            self.kill_group()

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"The server ended with {self.process.returncode}:\n{self.output}")
        try:
            return httpx.get(f"{self.url}/login/").is_success
        except httpx.TransportError:
            return False


COMMAND = [sys.executable, str(repository() / "manage.py")]


@contextmanager
def serving(
    home: Path, *, key: str = "", prefix: Sequence[str] = (), words: Sequence[str] = ("serve",), **env: str
) -> Iterator[Server]:
    """A started server on `home`; `env` are settings by their names.

    Without a `key` the home is made, in an empty folder or none. Its log lies beside it. `words` are the command
    that serves, `prefix` is one that runs it.
    """
    key = key or home_make(home)
    log = home.with_name(f"{home.name}.log")
    server = Server(home, key=key, log=log, env=env, prefix=prefix, words=words)
    try:
        server.start()
        yield server
    finally:
        server.end()


def home_make(home: Path) -> str:
    """A migrated home; the secret of its key, which may do all."""
    template, key = _template()
    shutil.copytree(template, home, dirs_exist_ok=True)
    return key


def demo_make(home: Path) -> str:
    """A home with a small demo: three vehicles, twenty packs, a day of each, ten meters; the secret of its key."""
    template, key = _demo()
    shutil.copytree(template, home, dirs_exist_ok=True, symlinks=True)  # the engine's folders lead to one another
    return key


@cache
def _demo() -> tuple[Path, str]:
    home = Path(settings.HOME) / "demo"
    key = home_make(home)
    command("demo", "--vehicles", 3, "--packs", 20, "--meters", 10, "--days", 1, home=home).check_returncode()
    return home, key


@cache
def _template() -> tuple[Path, str]:
    """Migrated once a test process: each home is a copy."""
    home = Path(settings.HOME) / "template"
    command("migrate", "--verbosity", "0", home=home).check_returncode()
    key = command("key", "add", "tests", "--scope", "admin", home=home)
    key.check_returncode()
    return home, key.stdout.strip()


def command(*arguments: object, home: Path, folder: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `wattkeeper ARGUMENTS` on a home, in its folder or another, to the end."""
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(home, **env),
        cwd=folder or home,  # a developer's .env lies elsewhere
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )


def environment(home: Path, **env: str) -> dict[str, str]:
    """Ours without the settings that it may hold."""
    known = {name.upper() for name in Env.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name.upper() not in known}
    return {**inherited, "WATTKEEPER_HOME": str(home), "NO_COLOR": "1", **env}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def group_members(group: int) -> list[int]:
    """The processes of a group that still live. A zombie does not, for nobody may be there to collect it; but one
    of several threads is still about to die, and holds its files until then."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and not (
                process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
            ):
                found.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def wait_until(true: Callable[[], object], what: str) -> None:
    """Look again and again; AssertionError that names `what` if it never comes."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < until, f"Waited in vain until {what}"
        time.sleep(0.02)
