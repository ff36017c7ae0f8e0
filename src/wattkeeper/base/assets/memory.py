"""Counts of large fleets, for a few seconds: what is small is counted each time, and is always right."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

LARGE = 20_000  # things; to count fewer takes a few milliseconds
SECONDS = 5.0
MOST = 1_000

_lock = threading.Lock()
_kept: dict[Hashable, tuple[float, Any]] = {}


def remembered(question: Hashable, ask: Callable[[], T], *, size: Callable[[T], int]) -> T:
    """What `ask` answers, or answered to the same `question` less than SECONDS ago if that was LARGE by `size`."""
    with _lock:
        until, answer = _kept.get(question, (0.0, None))
    if time.monotonic() < until:
        return answer  # type: ignore[no-any-return]
    found = ask()
    if size(found) >= LARGE:
        with _lock:
            if len(_kept) >= MOST:
                _kept.clear()
            _kept[question] = (time.monotonic() + SECONDS, found)
    return found


def forget() -> None:
    """Things have come or gone. Another process hears of it when its time is over."""
    with _lock:
        _kept.clear()
