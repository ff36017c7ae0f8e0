"""Group commit: what is submitted waits for the flush that holds it, and then hears what became of it.

A flush has two steps, a thread each: while one batch is followed up, the next is being written. What comes while a
batch is written gathers for the one after it. What waits is bounded: past it a caller hears "busy" instead of waiting
for ever.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from wattkeeper.base.core.errors import BusyError, WattkeeperError

log = logging.getLogger(__name__)

QUEUE_ROWS = 10_000
FLUSH_ROWS = 4_000  # and what came together with the last of them
# A flush costs much by itself and little for each row. Where many send, those who have just been answered send their
# next ones now: as long as more come in a tick, a busy flush waits for them; after a small one not as long.
TICK_SECONDS, TICK_SECONDS_SMALL, GATHER_SECONDS = 0.006, 0.003, 0.030
SMALL_ROWS = 16

T = TypeVar("T")
W = TypeVar("W")
R = TypeVar("R")


class StoppingError(WattkeeperError):
    """The server is stopping."""

    status = 503


@dataclass(frozen=True, slots=True)
class Steps(Generic[T, W, R]):
    """`write` gets some items in the order in which they came, `follow` what it gave; it has a result for each.

    `failed` hears how many items got none. `before` and `after`: each step of a thread, and the end of a thread.
    """

    write: Callable[[Sequence[T]], W]
    follow: Callable[[W], Sequence[R]]
    failed: Callable[[int], object]
    before: Callable[[], object]
    after: Callable[[], object]


class _Together(Generic[T, R]):
    """Items that came together, and stay so: one future for all of them."""

    __slots__ = ("future", "items")

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items
        self.future: Future[Sequence[R]] = Future()


_Batch = Sequence[_Together[T, R]]


class GroupCommit(Generic[T, W, R]):
    """Until `start`, in a command or a test, there are no threads: all that comes together is a flush of its own."""

    def __init__(self, name: str, steps: Steps[T, W, R]) -> None:
        self._name = name
        self._steps = steps
        self._waiting: deque[_Together[T, R]] = deque()
        self._rows = 0  # that wait
        self._came = threading.Condition()
        self._written: queue.Queue[tuple[_Batch[T, R], W] | None] = queue.Queue(1)
        self._alone = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def start(self) -> None:
        for step, run in (("write", self._run_write), ("follow", self._run_follow)):
            self._threads.append(threading.Thread(target=run, name=f"{step} {self._name}", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Flush what waits, then end. Whoever comes later hears StoppingError."""
        with self._came:
            self._stopping = True
            self._came.notify()
        for thread in self._threads:
            thread.join()

    def submit(self, items: Sequence[T]) -> Future[Sequence[R]]:
        """The results of items that came together, in their order, when their flush is over.

        BusyError, and none is taken, if too many wait already.
        """
        together: _Together[T, R] = _Together(items)
        if not self._threads:
            with self._alone:
                self._require_running()
                self._flush([together])
            return together.future
        with self._came:
            self._require_running()
            if self._rows and self._rows + len(items) > QUEUE_ROWS:
                raise BusyError("Too many readings are waiting to be written; send again what you sent.")
            self._waiting.append(together)
            self._rows += len(items)
            if len(self._waiting) == 1:
                self._came.notify()
        return together.future

    def _require_running(self) -> None:
        if self._stopping:
            raise StoppingError("The server is stopping.")

    def _run_write(self) -> None:
        try:
            last = 0  # rows
            while batch := self._gathered(last=last):
                last = sum(len(together.items) for together in batch)
                if (written := self._write(batch)) is not None:
                    self._written.put((batch, written))
        finally:
            self._written.put(None)
            self._steps.after()

    def _run_follow(self) -> None:
        try:
            while (item := self._written.get()) is not None:
                self._follow(*item)
        finally:
            self._steps.after()

    def _gathered(self, *, last: int) -> list[_Together[T, R]]:
        """What waits, at least one; nothing when it is over."""
        with self._came:
            self._came.wait_for(lambda: self._waiting or self._stopping)
        if last > 1:
            self._await_more(TICK_SECONDS if last > SMALL_ROWS else TICK_SECONDS_SMALL)
        batch: list[_Together[T, R]] = []
        with self._came:
            rows = 0
            while self._waiting and rows < FLUSH_ROWS:
                together = self._waiting.popleft()
                rows += len(together.items)
                batch.append(together)
            self._rows -= rows
        return batch

    def _await_more(self, tick: float) -> None:
        until, before = time.monotonic() + GATHER_SECONDS, 0
        while before < self._rows < FLUSH_ROWS and time.monotonic() < until and not self._stopping:
            before = self._rows
            time.sleep(tick)

    def _flush(self, batch: _Batch[T, R]) -> None:
        if (written := self._write(batch)) is not None:
            self._follow(batch, written)

    def _write(self, batch: _Batch[T, R]) -> W | None:
        try:
            self._prepare()
            return self._steps.write([item for together in batch for item in together.items])
        except Exception as error:
            self._fail(batch, error)
            return None

    def _follow(self, batch: _Batch[T, R], written: W) -> None:
        try:
            self._prepare()
            results = self._steps.follow(written)
            assert len(results) == sum(len(together.items) for together in batch)
        except Exception as error:
            self._fail(batch, error)
            return
        done = 0
        for together in batch:
            first, done = done, done + len(together.items)
            together.future.set_result(results[first:done])

    def _prepare(self) -> None:
        """In a thread of its own; whatever fails there fails the batch, not the thread."""
        if self._threads:
            self._steps.before()

    def _fail(self, batch: _Batch[T, R], error: Exception) -> None:
        count = sum(len(together.items) for together in batch)
        log.error("A flush of %d readings of %s failed", count, self._name, exc_info=error)
        self._steps.failed(count)
        for together in batch:
            together.future.set_exception(error)
