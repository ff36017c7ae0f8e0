"""A file that is made while it is sent: a slow reader holds up nobody, and the file is never whole in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakSet

from wattkeeper.base.core.errors import BusyError

# Each holds up to 150 MB of the engine's for as long as its reader takes, and the thread of a request until it begins.
MOST_AT_ONCE = 8
RETRY_AFTER_SECONDS = 10

_END = object()
_lock = threading.Lock()


class Download:
    """Gives `pieces` to an asynchronous server, each when the reader has taken the one before.

    Each is made in a thread of this download's own, but for the first: what is wrong with the question is said
    before the answer's 200. However the answer ends, `pieces` is closed and makes room for another download: at its
    end, at a failure, by `close`, which Django calls of an answer that it is done with, or when nobody knows the
    download any more, because the reader went away before it began.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        with _lock:
            if len(_open) >= MOST_AT_ONCE:
                raise BusyError(
                    f"{MOST_AT_ONCE} files are being downloaded already; try again later.",
                    retry_after_seconds=RETRY_AFTER_SECONDS,
                )
            _open.add(self)
        self._closed = False
        self._pieces = pieces
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="download")
        try:
            self._first: bytes | None = next(pieces, b"")
        except BaseException:
            self.close()
            raise

    def __aiter__(self) -> Download:
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._closed:
            raise StopAsyncIteration
        try:
            piece = await asyncio.get_running_loop().run_in_executor(self._thread, next, self._pieces, _END)
        except BaseException:
            self.close()
            raise
        if not isinstance(piece, bytes):
            self.close()
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """End it; the thread does it after the piece that it may be making. More than once does nothing more."""
        if self._closed:
            return
        self._closed = True
        try:
            self._thread.submit(self._end)
        except RuntimeError:  # the program ends, and starts no more threads
            self._end()
        self._thread.shutdown(wait=False)

    def _end(self) -> None:
        """Let go of what the pieces hold, and only then let another in."""
        try:
            if close := getattr(self._pieces, "close", None):
                close()
        finally:
            with _lock:
                _open.discard(self)


_open: WeakSet[Download] = WeakSet()  # a forgotten one leaves by itself, and its pieces are closed with it
