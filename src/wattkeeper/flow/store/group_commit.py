"""Group commit: what is submitted waits for the flush that holds it, and then hears what became of it.

One thread flushes. While a flush is on its way to the disk, the next one gathers; an idle one flushes at once. The
queue is bounded: past it a caller hears "busy" instead of waiting for ever.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from wattkeeper.base.core.errors import BusyError, WattkeeperError

log = logging.getLogger(__name__)

QUEUE_ROWS = 10_000
FLUSH_ROWS = 2_000

T = TypeVar("T")
R = TypeVar("R")


class StoppingError(WattkeeperError):
    """The server is stopping."""

    status = 503


class GroupCommit(Generic[T, R]):
    """`flush` gets some items in the order in which they came, and gives a result for each.

    Until `start`, in a command or a test, there is no thread: every item is a flush of its own, made by its caller.
    """

    def __init__(
        self,
        name: str,
        flush: Callable[[Sequence[T]], Sequence[R]],
        *,
        before: Callable[[], object] = lambda: None,
        finish: Callable[[], object] = lambda: None,
    ) -> None:
        self._name = name
        self._flush = flush
        self._before = before  # each flush of the thread
        self._finish = finish  # when the thread ends
        self._waiting: queue.Queue[tuple[T, Future[R]] | None] = queue.Queue(QUEUE_ROWS)
        self._alone = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"flush {self._name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Flush what waits, then end. Whoever comes later hears StoppingError."""
        self._stopping = True
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()

    def submit(self, item: T) -> Future[R]:
        """The result comes when the flush is over. BusyError if too many wait already."""
        if self._stopping:
            raise StoppingError("The server is stopping.")
        future: Future[R] = Future()
        if self._thread is None:
            with self._alone:
                self._resolve([(item, future)])
            return future
        try:
            self._waiting.put_nowait((item, future))
        except queue.Full:
            raise BusyError("Too many readings are waiting to be written; send this one again.") from None
        return future

    def _run(self) -> None:
        try:
            while batch := self._gathered():
                self._before()
                self._resolve(batch)
        finally:
            self._finish()

    def _gathered(self) -> list[tuple[T, Future[R]]]:
        """What waits, at least one; nothing when it is over."""
        batch: list[tuple[T, Future[R]]] = []
        item = self._waiting.get()
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

    def _resolve(self, batch: Sequence[tuple[T, Future[R]]]) -> None:
        try:
            results = self._flush([item for item, _ in batch])
        except Exception as error:
            log.exception("A flush of %d readings of %s failed", len(batch), self._name)
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
