"""The event loop of a serving process: told to stop, it says goodbye first.

Granian ends with the signal itself, before the lifespan hears of it: live sockets would break off without a word, and
those that are in the middle of a send would trouble the interpreter's end.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVarTuple, Unpack

import uvloop

log = logging.getLogger(__name__)

Ts = TypeVarTuple("Ts")

_STOPS = (signal.SIGTERM, signal.SIGINT)


class PoliteLoop(uvloop.Loop):
    """Calls `goodbye` before whatever a signal to stop calls. The second such signal does not wait for it."""

    goodbye: Callable[[], Awaitable[None]] | None = None
    _leaving = False

    def add_signal_handler(self, sig: int, callback: Callable[[Unpack[Ts]], object], *args: *Ts) -> None:
        call = partial(callback, *args)
        super().add_signal_handler(sig, *((self._stop, call) if sig in _STOPS else (call,)))

    def _stop(self, call: Callable[[], Any]) -> None:
        if self.goodbye is None or self._leaving:
            call()
            return
        self._leaving = True
        self.create_task(self._leave(self.goodbye, call))

    async def _leave(self, goodbye: Callable[[], Awaitable[None]], call: Callable[[], Any]) -> None:
        try:
            await goodbye()
        except Exception:
            log.exception("The server stops without a goodbye")
        finally:
            call()


def polite_loop() -> PoliteLoop:
    """Made and set, as Granian wants it."""
    loop = PoliteLoop()
    asyncio.set_event_loop(loop)
    return loop
