"""The clock beside the flushes: what is silent makes no flush, what a failed one left waits for no other, and a rule
that has changed is asked without one."""

from __future__ import annotations

import logging
import threading
import time

from django.db import close_old_connections, connections

from wattkeeper.base.catalog import registry
from wattkeeper.base.core.clock import now
from wattkeeper.flow import ingest

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0


class Watch:
    """Judges silences, and what is stored but not judged, every few seconds: `start` and `stop` once."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        listening_since, pause = now(), EVERY_SECONDS
        try:
            while not self._over.wait(pause):
                close_old_connections()
                began = time.monotonic()
                try:
                    ingest.silences_judge(listening_since=listening_since)
                    ingest.rules_rejudge()
                    for stream in registry.streams():
                        ingest.catch_up(stream)
                except Exception:
                    log.exception("The watch failed; it goes on")
                # A fleet that is silent as a whole takes a second to look at: no more than a tenth of the time for it.
                pause = max(EVERY_SECONDS, 10 * (time.monotonic() - began))
        finally:
            connections.close_all()
