"""The way to the queue, which `config` lays: this package knows neither its kind nor its place."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

Enqueue = Callable[[UUID], None]

_enqueue: Enqueue | None = None


def connect(enqueue: Enqueue | None) -> Enqueue | None:
    """Hand every run that is to be done to `enqueue` from now on; gives what was connected before."""
    global _enqueue
    before, _enqueue = _enqueue, enqueue
    return before


def put(run_id: UUID) -> None:
    """Put the run on the queue. Without a queue it stays a row, which the next server's start finds."""
    if _enqueue is not None:
        _enqueue(run_id)
