"""How frames come to be numbered, and to hubs: in this process alone, or through something that several share."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from wattkeeper.views.live.frames import Frame, Numbered, Topic


@dataclass(frozen=True, slots=True)
class Delivery:
    """Numbered frames in their order, with when they were numbered (seconds since 1970).

    `restart`: they begin anew from this number; what was before is not to be counted on. `again`: assets and alerts
    of which an older state than the newest may have been shown last: the hub looks at them once more.
    """

    frames: Sequence[tuple[Numbered, float]] = ()
    restart: tuple[str, int] | None = None
    again: Sequence[tuple[Topic, int]] = ()


Deliver = Callable[[Delivery], None]


class Link(Protocol):
    """`start` and `stop` once. It calls `deliver` from threads of its own, or of whoever publishes."""

    def start(self, deliver: Deliver) -> None:
        """Deliver a restart, and from then on whatever anybody publishes."""

    def publish(self, frames: Sequence[Frame]) -> None:
        """Have these delivered, numbered, in their order, to all hubs."""

    def stop(self) -> None:
        """Deliver nothing more."""


class Numbers:
    """Numbers of this process's own, with an epoch that nobody else has."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(6)
        self._last = 0

    def given(self, frames: Sequence[Frame]) -> Delivery:
        now, numbered = time.time(), []
        for frame in frames:
            self._last += 1
            numbered.append((Numbered(self.epoch, self._last, frame), now))
        return Delivery(numbered)

    def begin(self) -> Delivery:
        return Delivery(restart=(self.epoch, 0))


class LocalLink:
    """One process: what is published is delivered at once."""

    def __init__(self) -> None:
        self._numbers = Numbers()
        self._deliver: Deliver | None = None

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        deliver(self._numbers.begin())

    def publish(self, frames: Sequence[Frame]) -> None:
        if self._deliver is not None:
            self._deliver(self._numbers.given(frames))

    def stop(self) -> None:
        self._deliver = None
