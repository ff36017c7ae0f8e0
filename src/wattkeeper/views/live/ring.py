"""The newest frames, for those who were away for a moment, and since when none is missing of a tenant. Pure.

Whoever listens says so (`wanted`), again and again while they do; a tenant that nobody has wanted for a while gets no
frames, and what then happens to its things nobody can be told later.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from wattkeeper.views.live.frames import Numbered, Topic

FRAMES_MOST = 4_000
BYTES_MOST = 16 << 20
LINGER_SECONDS = 60.0  # that a tenant gets frames after it was last wanted


@dataclass(slots=True)
class _Wanted:
    since: int  # the number from which on no frame is missing
    last: float  # when it was last said, by the clock


class Ring:
    """The frames of one epoch, in the order of their numbers."""

    def __init__(self, *, frames_most: int = FRAMES_MOST, bytes_most: int = BYTES_MOST) -> None:
        self._frames_most, self._bytes_most = frames_most, bytes_most
        self._frames: deque[Numbered] = deque()
        self._wanted: dict[int | None, _Wanted] = {}
        self.restart("", 0)

    def restart(self, epoch: str, newest: int) -> None:
        """Begin anew: what was before this number, or had another epoch, is gone."""
        self.epoch, self.newest = epoch, newest
        self._floor = newest  # who has seen this much has missed nothing that is gone from here
        self._frames.clear()
        self._wanted.clear()
        self._bytes = 0

    def add(self, numbered: Numbered, *, at: float) -> None:
        """The next frame; `at`: seconds since 1970, by the clock of whoever gives the numbers."""
        frame, self.newest = numbered.frame, numbered.number
        if frame.topic is Topic.WANTED:
            self._want(frame.tenant_id, at)
            return
        if frame.topic is Topic.RESYNC:  # nobody comes over this
            self._floor = numbered.number
            self._frames.clear()
            self._bytes = 0
            return
        self._frames.append(numbered)
        self._bytes += frame.size
        while len(self._frames) > self._frames_most or self._bytes > self._bytes_most:
            gone = self._frames.popleft()
            self._floor = gone.number
            self._bytes -= gone.frame.size

    def is_wanted(self, tenant_id: int | None, *, at: float) -> bool:
        """Whether somebody listens to this tenant, or did a moment ago."""
        return any(at - one.last <= LINGER_SECONDS for one in self._for(tenant_id))

    def is_any_wanted(self, *, at: float) -> bool:
        """Whether somebody listens to anything."""
        return any(at - one.last <= LINGER_SECONDS for one in list(self._wanted.values()))

    def since(self, number: int, tenant_id: int | None, *, at: float) -> list[Numbered] | None:
        """The frames after `number`; None where some may be missing of the tenant's (None: of all tenants')."""
        complete = any(one.since <= number and at - one.last <= LINGER_SECONDS for one in self._for(tenant_id))
        if not complete or not self._floor <= number <= self.newest:
            return None
        found = []
        for numbered in reversed(self._frames):
            if numbered.number <= number:
                break
            found.append(numbered)
        return found[::-1]

    def _for(self, tenant_id: int | None) -> list[_Wanted]:
        """Who wants all tenants wants this one, too."""
        found = (self._wanted.get(scope) for scope in {tenant_id, None})
        return [one for one in found if one is not None]

    def _want(self, tenant_id: int | None, at: float) -> None:
        known = self._wanted.get(tenant_id)
        if known is None or at - known.last > LINGER_SECONDS:
            self._wanted[tenant_id] = _Wanted(self.newest, at)
        else:
            known.last = max(known.last, at)
