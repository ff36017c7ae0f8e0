"""Doors for what comes thousands of times a second: plain ASGI beside Django, for the plain case alone.

Whatever is not plain (no credentials, a body that is refused, a session's cookie) goes to Django, body and all, so that
there is one place that says what is wrong.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
from django.db import close_old_connections
from django.http import HttpRequest

from wattkeeper.base.accounts.callers import Caller, caller_of
from wattkeeper.base.core.errors import BusyError, WattkeeperError
from wattkeeper.views.api.errors import as_known

K = TypeVar("K")
T = TypeVar("T")

log = logging.getLogger(__name__)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CALLER_SECONDS = 10.0  # that a caller is remembered
REMEMBERED_MOST = 100_000
BODY_MOST = 64 << 10  # bytes: what is larger is not plain
THREADS = 4

_JSON = b"application/json"
_JSON_TYPE = (b"content-type", _JSON)
_NOTHING: tuple[float, None] = 0.0, None

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="door")


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON, ready to be sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class HotDoor:
    """Answers POSTs to paths of a pattern, by credentials in the `Authorization` header; `otherwise` does the rest.

    `answer` is asked with the caller, the match of the path, the body and its `Content-Encoding`, which is one of
    `encodings`; None means that this is not plain. `body_most`: bytes; what is larger is not plain.
    """

    def __init__(
        self,
        path: re.Pattern[str],
        answer: Callable[[Caller, re.Match[str], bytes, str], Awaitable[Answer | None]],
        *,
        otherwise: Application,
        body_most: int = BODY_MOST,
        encodings: Sequence[str] = ("",),
    ) -> None:
        self._path = path
        self._answer = answer
        self._otherwise = otherwise
        self._body_most = body_most
        self._encodings = encodings
        self._callers: Memory[bytes, Caller] = Memory(seconds=CALLER_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = self._path.fullmatch(scope["path"]) if scope["method"] == "POST" else None
        if match is None or scope.get("query_string"):  # that asks for more, as `?tenant=`
            await self._otherwise(scope, receive, send)
            return
        headers = dict(scope["headers"])
        authorization = headers.get(b"authorization")
        encoding = _encoding(headers)
        if authorization is None or encoding not in self._encodings or not self._is_plain(headers):
            await self._otherwise(scope, receive, send)
            return
        body, answer = await _body(receive), None
        if body is None:  # the client has gone; half a body is no request
            return
        if caller := self._callers.lately(authorization) or await self._caller(authorization):
            answer = await self._answer(caller, match, body, encoding)
        if answer is None:
            await self._otherwise(scope, _again(body, receive), send)
            return
        said = [_JSON_TYPE, (b"content-length", b"%d" % len(answer.body)), *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": said})
        await send({"type": "http.response.body", "body": answer.body})

    def _is_plain(self, headers: Mapping[bytes, bytes]) -> bool:
        length, type_ = headers.get(b"content-length", b""), headers.get(b"content-type", b"")
        is_json = type_ == _JSON or type_.partition(b";")[0].strip().lower() == _JSON
        return is_json and length.isdigit() and int(length) <= self._body_most

    async def _caller(self, authorization: bytes) -> Caller | None:
        return await self._callers.get(authorization, partial(_known_caller, authorization))


class Memory(Generic[K, T]):
    """What was found lately: asked for in a thread, kept for some seconds. What is not there is not remembered."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[K, tuple[float, T]] = {}

    def lately(self, key: K) -> T | None:
        """What is kept of this key."""
        until, value = self._kept.get(key, _NOTHING)
        return value if time.monotonic() < until else None

    async def get(self, key: K, find: Callable[[], T | None]) -> T | None:
        """What `find` gave for this key, now or lately."""
        if (value := self.lately(key)) is not None:
            return value
        found = await in_thread(find)
        if found is not None:
            if len(self._kept) >= REMEMBERED_MOST:
                self._kept.clear()
            self._kept[key] = (time.monotonic() + self._seconds, found)
        return found

    def forget(self, key: K) -> None:
        self._kept.pop(key, None)


async def in_thread(ask: Callable[[], T]) -> T:
    """What `ask` gives, in a thread that may use the database."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _asked, ask)


class Bridge(Generic[T]):
    """Results of other threads for those who await them: one call into the event loop for all of a flush.

    `seconds`: that anybody waits, then it is a TimeoutError; one timer for all, since thousands wait at a time.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._done: list[tuple[asyncio.Future[T], Future[T]]] = []
        self._waiting: dict[asyncio.Future[T], float] = {}  # until when, in the order in which they came
        self._timer: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None

    def awaited(self, future: Future[T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._waiting[waiter] = loop.time() + self._seconds
        if self._timer is None or self._timer[0] is not loop:
            self._timer = loop, loop.call_later(self._seconds, self._give_up, loop)
        future.add_done_callback(partial(self._note, loop, waiter))
        return waiter

    def _note(self, loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[T], future: Future[T]) -> None:
        with self._lock:
            self._done.append((waiter, future))
            is_first = len(self._done) == 1
        if is_first:
            loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        with self._lock:
            done, self._done = self._done, []
        for waiter, future in done:
            self._waiting.pop(waiter, None)
            if waiter.done():  # whoever waited has gone
                continue
            if error := future.exception():
                waiter.set_exception(error)
            else:
                waiter.set_result(future.result())
        if self._timer and not self._waiting:
            self._timer[1].cancel()
            self._timer = None

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Whoever has waited too long hears so; then it is the next one's turn."""
        self._timer = None
        while self._waiting:
            waiter, until = next(iter(self._waiting.items()))
            if until > loop.time():
                self._timer = loop, loop.call_at(until, self._give_up, loop)
                return
            del self._waiting[waiter]
            if not waiter.done():
                waiter.set_exception(TimeoutError())


def failed(error: Exception) -> Answer:
    """The answer to a failure, as Django would give it."""
    known = as_known(error)
    if not isinstance(known, WattkeeperError):
        log.error("A door failed", exc_info=error)
        return Answer(500, msgspec.json.encode({"detail": "Internal error"}))
    retry = ((b"retry-after", str(known.retry_after_seconds).encode()),) if isinstance(known, BusyError) else ()
    return Answer(known.status, msgspec.json.encode({"detail": str(known)}), retry)


def _asked(find: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return find()
    finally:
        close_old_connections()


def _known_caller(authorization: bytes) -> Caller | None:
    request = HttpRequest()
    request.META["HTTP_AUTHORIZATION"] = authorization.decode("latin-1")
    caller = caller_of(request)
    return caller if caller.is_known else None


def _encoding(headers: Mapping[bytes, bytes]) -> str:
    said = headers.get(b"content-encoding")
    return encoding_said(said.decode("latin-1")) if said else ""


def encoding_said(said: str) -> str:
    """What a `Content-Encoding` names; empty where the body is as it is."""
    encoding = said.strip().lower()
    return "" if encoding == "identity" else encoding


async def _body(receive: Receive) -> bytes | None:
    """All of it; None where the client goes before its end."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = bytes(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join([*pieces, piece]) if pieces else piece
        pieces.append(piece)


def _again(body: bytes, receive: Receive) -> Receive:
    """The same request once more, for who has not read its body."""
    whole = [{"type": "http.request", "body": body, "more_body": False}]

    async def repeated() -> Mapping[str, Any]:
        return whole.pop() if whole else await receive()

    return repeated
