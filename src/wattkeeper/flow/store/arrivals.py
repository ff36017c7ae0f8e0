"""The order of arrival: a clock that never gives a number twice, in microseconds since 1970."""

from __future__ import annotations

import threading

from wattkeeper.base.core.clock import now, to_microseconds


class ArrivalClock:
    """Numbers follow the wall clock, but only rise: also over a batch larger than its microseconds, over a
    restart (`newest_seen`) and over a clock that is set back."""

    def __init__(self, *, newest_seen: int = 0) -> None:
        self._last = newest_seen
        self._lock = threading.Lock()

    def reserve(self, count: int = 1) -> int:
        """The first of `count` consecutive numbers that are now the caller's."""
        with self._lock:
            first = max(self._last + 1, to_microseconds(now()))
            self._last = first + count - 1
            return first
