"""Tells listeners, after the commit, what has happened.

Listeners may push a frame, count or forget a cache; they never write. A listener that fails is logged and
does not disturb the others: what it was told has already happened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

log = logging.getLogger(__name__)
E = TypeVar("E")

_listeners: dict[type, list[Callable[[Any], None]]] = {}


def listen(event_type: type[E], listener: Callable[[E], None]) -> None:
    """Call `listener` with every event of `event_type` that is told from now on."""
    _listeners.setdefault(event_type, []).append(listener)


def tell(event: object) -> None:
    """Hand `event` to everyone who listens for its type."""
    for listener in _listeners.get(type(event), ()):
        try:
            listener(event)
        except Exception:
            log.exception("A listener failed on %s", type(event).__name__)
