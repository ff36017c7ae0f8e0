"""Who holds a run, and whether they still live.

A worker text is `host:pid:start:claim`. `start` tells a process from an earlier one with the same pid (in a
container the server is always pid 1); `claim` tells two claims of one process apart, so that a thread which
lost its run cannot write to the run that another thread of the same process took over.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from functools import cache
from pathlib import Path

_held: set[str] = set()
_held_lock = threading.Lock()


def claim_new() -> str:
    """A new worker text of this process, held until `claim_drop`."""
    claim = f"{_process(os.getpid())}:{secrets.token_hex(4)}"
    with _held_lock:
        _held.add(claim)
    return claim


def claim_drop(claim: str) -> None:
    with _held_lock:
        _held.discard(claim)


def claims_held() -> list[str]:
    """The claims of this process that it is working on."""
    with _held_lock:
        return list(_held)


def is_held_here(worker: str) -> bool:
    """True: a thread of this process works on it, whatever its heartbeat says (a laptop may have slept)."""
    with _held_lock:
        return worker in _held


def is_known_dead(worker: str) -> bool:
    """True only where this machine can tell: the worker's process is gone, or is ours and dropped the claim.

    Of another host's worker nothing is known but its heartbeat.
    """
    try:
        host, pid_text, start, _ = worker.rsplit(":", 3)
        pid = int(pid_text)
    except ValueError:
        return False
    if host != _host():
        return False
    if pid == os.getpid():
        return not is_held_here(worker)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it lives, and is another user's
    status = _status(pid)
    return status is not None and (status[0] == "Z" or status[1] != start)


@cache
def _host() -> str:
    return socket.gethostname()[:100]


@cache
def _process(pid: int) -> str:
    status = _status(pid)
    return f"{_host()}:{pid}:{status[1] if status else secrets.token_hex(4)}"


def _status(pid: int) -> tuple[str, str] | None:
    """State letter and start (ticks since boot) of a process, where the system shows them (Linux)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return fields[0], fields[19]
