"""What is still to be sent to one socket: the newest of each thing, so that who is slow gets less, not later. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wattkeeper.views.live.frames import Frame, Numbered, Topic, id_of, merged

BYTES_MOST = 4 << 20  # that may wait
_APART_MOST = 16  # frames that lie beside one another before they are put together


class FullError(Exception):
    """More waits than may: whoever reads so slowly is better off fetching anew."""


@dataclass(slots=True)
class _Waiting:
    """Frames of one topic and kind; none but the first may be sent as it is."""

    frames: list[Frame]
    first: int
    last: int
    whole: Numbered | None

    def add(self, frame: Frame, number: int) -> int:
        """How many bytes more it holds."""
        self.frames.append(frame)
        self.last, self.whole = number, None
        if len(self.frames) < _APART_MOST:
            return frame.size
        before = sum(one.size for one in self.frames) - frame.size
        self.frames = [merged(self.frames)]
        return self.frames[0].size - before


class Mailbox:
    """Of one tenant (None: of all) and one kind (empty: of all).

    `watched`: the things that it is told of, None: all. Alerts it hears of anyway.
    """

    def __init__(self, *, tenant_id: int | None, kind: str = "", watched: Iterable[int] | None = None) -> None:
        self.tenant_id, self.kind = tenant_id, kind
        self.watched: frozenset[int] | None = None if watched is None else frozenset(watched)
        self._waiting: dict[tuple[Topic, str], _Waiting] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, numbered: Numbered) -> bool:
        """Whether it is for this socket. FullError where too much waits already."""
        frame = numbered.frame
        if frame.topic is Topic.RESYNC:
            self._waiting = {(frame.topic, ""): _Waiting([frame], numbered.number, numbered.number, numbered)}
            self._bytes = 0
            return True
        if (self.tenant_id is not None and frame.tenant_id != self.tenant_id) or self.kind not in ("", frame.kind):
            return False
        narrowed: Frame | None = frame
        if frame.topic is Topic.ASSETS and self.watched is not None:
            narrowed = frame.narrowed(self.watched)
            if narrowed is None:
                return False
        assert narrowed is not None
        waiting = self._waiting.get((frame.topic, frame.kind))
        if waiting is None:
            whole = numbered if narrowed is frame else None
            waiting = self._waiting[frame.topic, frame.kind] = _Waiting([], numbered.number, numbered.number, whole)
            waiting.frames.append(narrowed)
            self._bytes += narrowed.size
        else:
            self._bytes += waiting.add(narrowed, numbered.number)
        if self._bytes > BYTES_MOST:
            raise FullError
        return True

    def take(self, epoch: str) -> str:
        """The text of what has waited longest.

        Its id is one from which nothing is lost that still waits: whoever comes back with it gets that again.
        """
        key, waiting = min(self._waiting.items(), key=lambda item: item[1].first)
        del self._waiting[key]
        self._bytes -= sum(frame.size for frame in waiting.frames)
        if not self._waiting:
            self._bytes = 0
        number = min([waiting.last, *(one.first - 1 for one in self._waiting.values())])
        if waiting.whole is not None and number == waiting.whole.number:
            return waiting.whole.whole
        frame = waiting.frames[0] if len(waiting.frames) == 1 else merged(waiting.frames)
        return frame.text(id_of(epoch, number))
