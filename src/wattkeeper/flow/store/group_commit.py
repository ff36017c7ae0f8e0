"""Group commit: what is submitted waits for the flush that holds it, and then hears what became of it.

A flush has two steps, a thread each: while one batch is followed up, the next is being written. What comes while a
batch is written gathers for the one after it. The queue is bounded: past it a caller hears "busy" instead of waiting
for ever.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from wattkeeper.base.core.errors import BusyError, WattkeeperError

log = logging.getLogger(__name__)

QUEUE_ROWS = 10_000
FLUSH_ROWS = 2_000
# What a busy flush waits for more to come: those who have just been answered send their next ones now.
GATHER_SECONDS = 0.003

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


_Batch = list[tuple[T, "Future[R]"]]


class GroupCommit(Generic[T, W, R]):
    """Until `start`, in a command or a test, there are no threads: every item is a flush of its own."""

    def __init__(self, name: str, steps: Steps[T, W, R]) -> None:
        self._name = name
        self._steps = steps
        self._waiting: queue.Queue[tuple[T, Future[R]] | None] = queue.Queue(QUEUE_ROWS)
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
        self._stopping = True
        if self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, item: T) -> Future[R]:
        """The result comes when the flush is over. BusyError if too many wait already."""
        if self._stopping:
            raise StoppingError("The server is stopping.")
        future: Future[R] = Future()
        if not self._threads:
            with self._alone:
                self._flush([(item, future)])
            return future
        try:
            self._waiting.put_nowait((item, future))
        except queue.Full:
            raise BusyError("Too many readings are waiting to be written; send this one again.") from None
        return future

    def _run_write(self) -> None:
        try:
            size = 0
            while batch := self._gathered(is_busy=size > 1):
                self._steps.before()
                size = len(batch)
                if (written := self._write(batch)) is not None:
                    self._written.put((batch, written))
        finally:
            self._written.put(None)
            self._steps.after()

    def _run_follow(self) -> None:
        try:
            while (item := self._written.get()) is not None:
                self._steps.before()
                self._follow(*item)
        finally:
            self._steps.after()

    def _gathered(self, *, is_busy: bool) -> _Batch[T, R]:
        """What waits, at least one; nothing when it is over."""
        batch: _Batch[T, R] = []
        item = self._waiting.get()
        if is_busy and item is not None and not self._stopping:
            threading.Event().wait(GATHER_SECONDS)
        while item is not None:
            batch.append(item)
            if len(batch) == FLUSH_ROWS:
                return batch
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return batch
        if batch:
            self._waiting.put(None)  # the end comes after this batch
        return batch

    def _flush(self, batch: _Batch[T, R]) -> None:
        if (written := self._write(batch)) is not None:
            self._follow(batch, written)

    def _write(self, batch: _Batch[T, R]) -> W | None:
        try:
            return self._steps.write([item for item, _ in batch])
        except Exception as error:
            self._fail(batch, error)
            return None

    def _follow(self, batch: _Batch[T, R], written: W) -> None:
        try:
            results = self._steps.follow(written)
        except Exception as error:
            self._fail(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _fail(self, batch: _Batch[T, R], error: Exception) -> None:
        log.error("A flush of %d readings of %s failed", len(batch), self._name, exc_info=error)
        self._steps.failed(len(batch))
        for _, future in batch:
            future.set_exception(error)
