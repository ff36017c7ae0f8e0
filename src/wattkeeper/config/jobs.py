"""The queue of background jobs: Huey on a SQLite file of its own, worked off inside the server process.

See docs/decisions/0003-huey.md. What a run is, and why losing a message loses nothing: base/jobs/README.md.
"""

from __future__ import annotations

import logging
import threading
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import close_old_connections, connections

from wattkeeper.base.jobs.actions import run_execute, runs_reconcile, runs_release
from wattkeeper.base.jobs.periodic import Timetable

log = logging.getLogger(__name__)

WORKERS = 2
POLL_SECONDS = 0.05  # while there is work
POLL_MAX_SECONDS = 0.25  # while there is none
STOP_SECONDS = 4.0

_queue: Any = None
_queue_lock = threading.Lock()


def queue() -> Any:
    """The queue of this home. Its file is made at the first call, not at import: most commands need none."""
    global _queue
    with _queue_lock:
        if _queue is None:
            _queue = _open()
        return _queue


def queue_close() -> None:
    """Close the file; the next call of `queue` opens it again."""
    global _queue
    with _queue_lock:
        if _queue is not None:
            _queue.storage.close()
            _queue = None


def enqueue(run_id: UUID) -> None:
    """Have the server do the run: it is on disk when this returns."""
    huey = queue()
    huey.enqueue(huey.execute_task.s(str(run_id)))


class EmbeddedConsumer:
    """Works the queue off beside the main thread: `start` and `stop` once, from the server's lifespan."""

    def __init__(self, *, stop_seconds: float = STOP_SECONDS) -> None:
        self._consumer = queue().create_consumer(
            workers=WORKERS,
            initial_delay=POLL_SECONDS,
            max_delay=POLL_MAX_SECONDS,
            shutdown_timeout=stop_seconds,
        )
        # Signals are the server's, and only the main thread may set their handlers.
        self._consumer._set_signal_handlers = lambda: None
        self._started = False

    def start(self) -> None:
        """Find the runs that an earlier server left, then work. The database must be migrated."""
        runs_reconcile(at_start=True)
        self._started = True
        self._consumer.start()

    def stop(self) -> None:
        """Take no more; wait a few seconds for the jobs at work; give back the runs that are still not over.

        A job's thread cannot be ended from outside: it stops at its next `progress`, or with the process, and
        can write no outcome any more.
        """
        if not self._started:
            return
        self._consumer.stop(graceful=True)
        if given_back := runs_release():
            log.warning("%d jobs were stopped; the next start takes them up again", given_back)
        queue_close()


def _open() -> Any:
    from huey import SqliteHuey, crontab  # 0.1 s of imports that most commands do without

    settings.HOME.mkdir(parents=True, exist_ok=True)
    huey = SqliteHuey("wattkeeper", filename=str(settings.HOME / "jobs.sqlite3"), fsync=True, results=False)
    timetable = Timetable()

    def execute(run_id: str) -> None:
        close_old_connections()
        try:
            run_execute(UUID(run_id))
        except ObjectDoesNotExist:
            log.warning("Run %s is on the queue but not in the database", run_id)
        finally:
            close_old_connections()

    def tick() -> None:
        close_old_connections()
        try:
            timetable.tick()
        finally:
            close_old_connections()

    huey.execute_task = huey.task(name="execute")(execute)
    # Ahead of the jobs, and dropped when all workers were busy for a minute: ticks must not pile up.
    huey.periodic_task(crontab(), name="tick", priority=10, expires=55)(tick)
    huey.on_shutdown("connections")(connections.close_all)  # of the worker's own thread
    return huey
