"""A peer in processes of its own, served as ours is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.server import free_port

ROOT = Path(__file__).parents[2]


@contextmanager
def peer_serving(module: str, count: int, *, threads: int, **env: str) -> Iterator[int]:
    """The port of the peer `module`, which makes `count` things first. `env` says where its database is."""
    peer_env = {**os.environ, **env, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-m", module, str(count)], env=peer_env, cwd=ROOT, check=True)
    port = free_port()
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1"]
    options = ["--blocking-threads", str(threads), "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen([*granian, *options, f"{module}:application"], env=peer_env, cwd=ROOT) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/")
            yield port
        finally:
            process.terminate()


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("The peer did not start.")
