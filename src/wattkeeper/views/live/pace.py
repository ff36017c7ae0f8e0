"""How often frames are made: seldom enough that they never eat the server. Pure, but for a lock."""

from __future__ import annotations

import threading
import time

ASSETS_SECONDS = 0.1  # between two frames of assets, at least
ASSETS_SHARE = 10.0  # times what the last ones took to make and send
ALERTS_SECONDS = 0.0
ALERTS_SHARE = 1.0
LONGEST_SECONDS = 2.0
# The slowest few of the sockets do not make the others wait.
_ENOUGH = 0.95


class Batch:
    """Sockets that were idle and now have something to send; over when nearly all of them have."""

    def __init__(self, pace: Pace, began: float) -> None:
        self._pace, self._began = pace, began
        self._woken = self._sent = 0

    def woken(self) -> None:
        self._woken += 1

    def sent(self) -> None:
        self._sent += 1
        if self._sent == max(1, int(self._woken * _ENOUGH)):
            self._pace.over(time.monotonic() - self._began)


class Pace:
    """When the next frames may be made, by `time.monotonic`, after what the last ones took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._assets_at = self._alerts_at = 0.0
        self._making = self._sending = 0.0

    @property
    def assets_from(self) -> float:
        with self._lock:
            took = min(self._making + self._sending, LONGEST_SECONDS / ASSETS_SHARE)
            return self._assets_at + max(ASSETS_SECONDS, ASSETS_SHARE * took)

    @property
    def alerts_from(self) -> float:
        with self._lock:
            took = min(self._making + self._sending, ASSETS_SECONDS / ALERTS_SHARE)
            return self._alerts_at + max(ALERTS_SECONDS, ALERTS_SHARE * took)

    def made(self, *, began: float, with_assets: bool) -> None:
        """Frames were made, which began then."""
        now = time.monotonic()
        with self._lock:
            self._alerts_at = began
            if with_assets:
                self._assets_at, self._making = began, now - began

    def over(self, seconds: float) -> None:
        """So long it took until nearly all sockets had sent what they had got."""
        with self._lock:
            self._sending = seconds
