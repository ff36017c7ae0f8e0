"""A file that is made while it is sent: a slow reader holds up nobody, and the file is never whole in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

_END = object()


class Download:
    """Gives `pieces` to an asynchronous server, each when the reader has taken the one before.

    Each is made in a thread of this download's own, but for the first: what is wrong with the question is said
    before the answer's 200. However the answer ends, `pieces` is closed: at its end, by `close`, which Django calls
    of an answer, or when nobody knows the download any more, because the reader went away before it began.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._closed = False
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
        close = getattr(self._pieces, "close", _nothing)
        try:
            self._thread.submit(close)
        except RuntimeError:  # the program ends, and starts no more threads
            close()
        self._thread.shutdown(wait=False)

    def __del__(self) -> None:
        self.close()


def _nothing() -> None:
    """What there is to close of an iterator that is no generator."""
