"""Django behind ASGI, with a few threads that last."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from os import SEEK_END
from typing import IO, Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# As many requests are answered at once; the others wait in line. Most of the time of each is waiting: for the
# engine, or for the flush that holds its reading.
THREADS = 64


class PooledHandler(ASGIHandler):
    """Runs the middlewares and the view of a request in one go on a thread that the next request finds again.

    Django's own handler gives every request threads of its own and changes between them at every middleware.
    A third of the time of a short answer went into that: into the hops, and into what a new thread has to set
    up again, a connection to the database and the engine's state. See docs/decisions/0007-threads.md.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """Always as synchronous ones, which is what all of ours are at heart."""
        super().load_middleware(is_async=False)

    def create_request(
        self, scope: Mapping[str, Any], body_file: IO[Any]
    ) -> tuple[ASGIRequest, None] | tuple[None, HttpResponseBase]:
        """A body that came in pieces without a length (`Transfer-Encoding: chunked`) has one now."""
        created = super().create_request(scope, body_file)
        request, _ = created
        if request is not None and "CONTENT_LENGTH" not in request.META and (size := body_file.seek(0, SEEK_END)):
            request.META["CONTENT_LENGTH"] = str(size)
            body_file.seek(0)
        return created

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, copy_context().run, self._answer, request)

    def _answer(self, request: Any) -> HttpResponseBase:
        # Django does this at the start and the end of a request, but in other threads than this.
        close_old_connections()
        try:
            return self.get_response(request)
        finally:
            close_old_connections()
