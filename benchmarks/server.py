"""A server of our own to measure, in its own processes, on a home of its own."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import watched

# The server looks once a minute whether something is worth merging.
QUIET_SECONDS = 65
USER, PASSWORD = "bench", secrets.token_urlsafe(16)
ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, str(ROOT / "manage.py")]


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    key: str
    worker: int
    gaps_path: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Api-Key {self.key}"}

    def memory(self) -> int:
        """Bytes that the worker holds."""
        return self._status("VmRSS")

    def memory_peak(self) -> int:
        """The most that it has held since `memory_forget`."""
        return self._status("VmHWM")

    def memory_forget(self) -> None:
        Path(f"/proc/{self.worker}/clear_refs").write_text("5")

    def settle(self) -> float:
        """Wait until nothing goes on in the background any more, as after a load; the seconds that took."""
        start, quiet = time.monotonic(), 0
        while quiet < QUIET_SECONDS:
            before = self.cpu_seconds()
            time.sleep(1)
            quiet = quiet + 1 if self.cpu_seconds() - before < 0.1 else 0
        return time.monotonic() - start - QUIET_SECONDS

    def longest_hold(self, since: float) -> float:
        """The longest that the event loop was held since then, in seconds."""
        gaps = (line.split() for line in self.gaps_path.read_text().splitlines())
        return max((float(held) for when, held in gaps if float(when) >= since), default=0.0)

    def cpu_seconds(self) -> float:
        """Processor time that the worker has used, of all its threads."""
        fields = Path(f"/proc/{self.worker}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.worker}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
        raise KeyError(name)


@contextmanager
def serving(home: Path, *, before: Sequence[str] = ()) -> Iterator[Server]:
    """A server as in production, with an admin key and an admin. `before`: a module that fills its database."""
    env = {
        **os.environ,
        "DJANGO_ENV": "production",  # its static files are gathered and compressed
        "SECRET_KEY": secrets.token_urlsafe(48),
        "WATTKEEPER_HOME": str(home),
        watched.LOG: str(home / "gaps.log"),
    }
    home.mkdir()
    (home / "gaps.log").touch()
    subprocess.run([*COMMAND, "migrate", "--verbosity", "0"], env=env, check=True)
    made = subprocess.run(
        [*COMMAND, "key", "add", "bench", "--scope", "admin"], env=env, check=True, capture_output=True
    )
    subprocess.run(
        [*COMMAND, "user", "add", USER, "--role", "admin", "--password-stdin"],
        env=env,
        check=True,
        input=f"{PASSWORD}\n".encode(),
        stdout=subprocess.DEVNULL,
    )
    if before:
        subprocess.run([sys.executable, "-m", *before], env=env, cwd=ROOT, check=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = "from benchmarks.server import main; main()"
    with subprocess.Popen([sys.executable, "-c", program, str(port)], env=env) as parent:
        try:
            _wait_for(url, parent)
            worker = int(Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()[-1])
            yield Server(url, made.stdout.decode().strip(), worker, home / "gaps.log")
        finally:
            parent.terminate()


def main() -> None:
    """`wattkeeper serve` of the watched program, on the port that is the first argument."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    from wattkeeper.config.management.commands.serve import Command

    command = Command()
    command.application = "benchmarks.watched:application"
    call_command(command, port=int(sys.argv[1]))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(url: str, parent: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            httpx.get(f"{url}/login/")
            return
        except httpx.HTTPError:
            if parent.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError("The server did not start.")
