"""Which periodic function is due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from wattkeeper.base.jobs.registry import periodics

log = logging.getLogger(__name__)

# Ticks come about a minute apart, never exactly: half of one early is in time.
SLACK_SECONDS = 30.0


class Timetable:
    """Calls what is due at each tick; all is due at the first one, so that no restart can starve it."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: dict[str, float] = {}
        self._ticking = threading.Lock()

    def tick(self) -> None:
        """One that fails is logged and does not disturb the others; a tick during another does nothing."""
        if not self._ticking.acquire(blocking=False):
            return
        try:
            for entry in periodics():
                moment = self._monotonic()
                last = self._last.get(entry.name)
                if last is not None and moment - last < entry.minutes * 60 - SLACK_SECONDS:
                    continue
                self._last[entry.name] = moment
                try:
                    entry.function()
                except Exception:
                    log.exception("The periodic function %s failed", entry.name)
        finally:
            self._ticking.release()
