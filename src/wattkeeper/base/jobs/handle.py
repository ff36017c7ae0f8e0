"""What a job's function holds of its run, and the heartbeat beside it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from wattkeeper.base.core import clock
from wattkeeper.base.jobs.models import Run, RunState

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
PROGRESS_SECONDS = 0.5


class RunStopped(BaseException):
    """The run is no longer this worker's; what it still does would be lost. Not an Exception, so that a job's
    `except Exception` around one bad row does not swallow it."""


class RunHandle:
    """A run as its function sees it: `id`, `args`, `progress`."""

    def __init__(self, run: Run, *, worker: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.id: UUID = run.pk
        self.args: dict[str, Any] = run.args
        self._worker = worker
        self._monotonic = monotonic
        self._lost = False
        self._written_at: float | None = None
        self._progress: dict[str, Any] = {}

    def progress(self, done: int, total: int | None, text: str = "") -> None:
        """Say how far the run is: rows or steps, `total` None where nobody knows.

        At most two calls a second are written; the last one is, at the latest with the outcome. Raises
        RunStopped when the run has been taken from this worker.
        """
        self._progress = {"progress_done": done, "progress_total": total, "progress_text": text[:200]}
        moment = self._monotonic()
        if self._written_at is not None and moment - self._written_at < PROGRESS_SECONDS and not self._lost:
            return
        self._written_at = moment
        if not self.write(heartbeat_at=clock.now(), **self._progress):
            raise RunStopped(f"Run {self.id} was taken from {self._worker}")

    def heartbeat(self) -> None:
        """A sign of life, from the thread beside the function."""
        self._lost = not self.write(heartbeat_at=clock.now())

    def finish(self, state: RunState, *, outcome: dict[str, Any] | None = None, error: str = "") -> bool:
        """The last write, with the last progress; False if the run is no longer this worker's."""
        moment = clock.now()
        return self.write(
            state=state,
            outcome=outcome,
            error=error,
            finished_at=moment,
            heartbeat_at=moment,
            **self._progress,
        )

    def write(self, **values: Any) -> bool:
        """Write to the run if it is still this worker's; says whether it was."""
        return bool(self._mine().update(**values))

    def _mine(self) -> QuerySet[Run]:
        return Run.objects.filter(pk=self.id, state=RunState.RUNNING, worker=self._worker)


@contextmanager
def heartbeat_beside(handle: RunHandle) -> Iterator[None]:
    """A heartbeat every few seconds from a thread of its own, for as long as the block lasts."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(HEARTBEAT_SECONDS):
                try:
                    handle.heartbeat()
                except DatabaseError:
                    log.warning("No heartbeat written for run %s", handle.id, exc_info=True)
                    connection.close()  # a broken one would fail every later beat too
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{handle.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
