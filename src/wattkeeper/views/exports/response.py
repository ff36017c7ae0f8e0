"""An export as a download, streamed so that a slow reader holds up nobody and costs no memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

from django.http import StreamingHttpResponse

from wattkeeper.views.exports.formats import ExportFormat, Question

_END = object()


def export_response(question: Question, format_: ExportFormat, *, stem: str) -> StreamingHttpResponse:
    """`stem` names the file; whatever in it is no letter, digit, dot or dash becomes an underscore."""
    pieces = format_.pieces(question)
    first = next(pieces, b"")  # what is wrong with the question is said before the answer's 200
    response = StreamingHttpResponse(_streamed(first, pieces), content_type=format_.content_type)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", stem)[:100].strip(".") or "export"
    response["Content-Disposition"] = f'attachment; filename="{name}.{format_.extension}"'
    response["X-Accel-Buffering"] = "no"
    return response


async def _streamed(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece is fetched in a thread of this download's own, when the reader has taken the one before."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="export") as thread:
        try:
            yield first
            while (piece := await loop.run_in_executor(thread, next, pieces, _END)) is not _END:
                yield piece  # type: ignore[misc]  # the sentinel is the only other thing
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                await loop.run_in_executor(thread, close)
