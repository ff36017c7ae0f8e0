"""The order of arrival: a clock that never gives a number twice, in microseconds since 1970."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from wattkeeper.base.core.clock import EPOCH, now, to_microseconds

# No load takes longer than this.
LOAD_AHEAD = timedelta(days=1)


def moment_of(arrival: int) -> datetime:
    """When, by the clock, what has this number came; at the latest."""
    return EPOCH + timedelta(microseconds=arrival)


class ArrivalClock:
    """Numbers follow the wall clock, but only rise: also over a batch larger than its microseconds, over a
    restart (`newest_seen`) and over a clock that is set back."""

    def __init__(self, *, newest_seen: int = 0) -> None:
        self._last = newest_seen
        self._last_of_load = newest_seen
        self._lock = threading.Lock()

    def reserve(self, count: int = 1) -> int:
        """The first of `count` consecutive numbers that are now the caller's."""
        with self._lock:
            first = max(self._last + 1, to_microseconds(now()))
            self._last = first + count - 1
            return first

    def reserve_for_load(self, count: int) -> int:
        """The same for rows that are still to be read: later than every single reading that comes until then.

        A single reading is acknowledged within milliseconds; a row of a file counts only with the whole file, and
        must not win over a reading that was acknowledged in between.
        """
        with self._lock:
            ahead = max(self._last, to_microseconds(now())) + LOAD_AHEAD // timedelta(microseconds=1)
            first = max(self._last_of_load + 1, ahead)
            self._last_of_load = first + count - 1
            return first
