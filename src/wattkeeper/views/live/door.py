"""The door of live sockets: plain ASGI beside Django. It admits, sends, and watches over those who are in."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import IntEnum
from functools import partial
from typing import Any

import msgspec

from wattkeeper.views.live import frames, process
from wattkeeper.views.live.entry import Asked, RefusedError, asked, assets_named, still_admitted
from wattkeeper.views.live.hub import DROPPED, Hub, Subscriber
from wattkeeper.views.live.mailbox import Mailbox

log = logging.getLogger(__name__)

Scope = Mapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SOCKETS_MOST = 2_000  # at once, of this process
STUCK_SECONDS = 10.0  # that one message may take to be taken
ALIVE_SECONDS = 15.0  # of silence, after which a socket hears that it is not forgotten
CHECK_SECONDS = 60.0  # between two looks whether who is in may still be in
GOODBYE_SECONDS = 1.0  # that a server which stops waits for its sockets
MESSAGE_MOST = 64 << 10  # bytes that a client may send at once
MESSAGES_MOST = 30  # that a client may send between two looks
_LOOK_SECONDS = 1.0
_THREADS = 4
_RETRY_AFTER = b"10"


class Close(IntEnum):
    """Why the server closes a socket."""

    LOGGED_OUT = 4401
    TOO_SLOW = 4008
    RESTARTING = 1012
    MISBEHAVED = 1008


class LiveDoor:
    """Opens sockets at some paths: by path, the kind that is shown there, empty: all kinds."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self.paths = paths
        self._kinds = {path.rstrip("/"): kind for path, kind in paths.items()}
        self._sockets: set[_Socket] = set()
        self._opening = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="live-door")
        self._keeper: asyncio.Task[None] | None = None
        self._checks: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        kind, hub = self._kinds.get(scope["path"].rstrip("/")), process.hub()
        if kind is None:
            await _refuse(scope, send, 404)
        elif hub is None or len(self._sockets) + self._opening >= SOCKETS_MOST:
            await _refuse(scope, send, 503, (b"retry-after", _RETRY_AFTER))
        else:
            self._opening += 1
            try:
                wanted = await self._in_thread(partial(asked, scope, kind=kind))
                await send({"type": "websocket.accept"})
            except RefusedError as error:
                await _refuse(scope, send, error.status)
                return
            finally:
                self._opening -= 1
            await self._serve(_Socket(scope, wanted, hub, send), receive)

    async def goodbye(self) -> None:
        """The server stops: all sockets are closed, and their clients come back to the next one."""
        if self._keeper is not None:
            self._keeper.cancel()
        closing = [one.drop(Close.RESTARTING) for one in self._sockets]
        if closing:
            await asyncio.wait(closing, timeout=GOODBYE_SECONDS)

    async def _serve(self, socket: _Socket, receive: Receive) -> None:
        self._sockets.add(socket)
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep())
        try:
            await socket.run(receive)
        finally:
            self._sockets.discard(socket)

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def _keep(self) -> None:
        """Looks after all sockets every second: one timer, instead of one for each thing that each may miss."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now, due = time.monotonic(), list[_Socket]()
            for socket in list(self._sockets):
                if socket.is_stuck(now):
                    socket.drop(Close.TOO_SLOW)
                    continue
                socket.look(now)
                if now >= socket.checked + CHECK_SECONDS:
                    socket.checked = now
                    due.append(socket)
            for socket in due:
                check = asyncio.ensure_future(self._check(socket))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)

    async def _check(self, socket: _Socket) -> None:
        try:
            if not await self._in_thread(partial(still_admitted, socket.scope, socket.asked)):
                socket.drop(Close.LOGGED_OUT)
        except Exception:  # the database does not answer: nobody is thrown out for that
            log.exception("Whether a live socket may stay open could not be looked up")


class _Socket:
    """One open socket: this coroutine hears what its client says, one task sends. All of the event loop."""

    def __init__(self, scope: Scope, asked: Asked, hub: Hub, send: Send) -> None:
        self.scope, self.asked = scope, asked
        self.checked = time.monotonic()
        self._hub, self._send = hub, send
        mailbox = Mailbox(tenant_id=asked.tenant_id, kind=asked.kind, watched=asked.watched)
        self._subscriber = Subscriber(mailbox, wake=self._wake, drop=self._drop_slow)
        self._waker: asyncio.Future[None] | None = None
        self._sending_since: float | None = None
        self._spoke = time.monotonic()
        self._heard = 0  # messages of the client since the last look
        self._is_alive_due = False
        self._sender: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._over = asyncio.get_running_loop().create_future()

    async def run(self, receive: Receive) -> None:
        """Until either side ends it."""
        begins, resumed = self._hub.open(self._subscriber, after=self.asked.after)
        loop = asyncio.get_running_loop()
        self._sender = loop.create_task(self._sending(frames.hello(begins, resumed=resumed)))
        self._sender.add_done_callback(self._sent)
        self._listener = loop.create_task(self._listening(receive))
        try:
            await asyncio.wait([self._over, self._listener], return_when=asyncio.FIRST_COMPLETED)
            if self._ending is not None:
                await self._ending
        finally:
            self._hub.close(self._subscriber)
            await self._fall_silent()

    def is_stuck(self, now: float) -> bool:
        return self._sending_since is not None and now - self._sending_since > STUCK_SECONDS

    def look(self, now: float) -> None:
        """Have it say that it is alive, where it has been silent."""
        self._heard = 0
        if self._sending_since is None and now - self._spoke >= ALIVE_SECONDS:
            self._is_alive_due = True
            self._wake()

    def _drop_slow(self) -> None:
        self.drop(Close.TOO_SLOW)

    def drop(self, why: Close, *, said: str = "") -> asyncio.Task[None]:
        """Close it soon, for the first reason that is given; `said`: a last message."""
        if self._ending is None:
            self._hub.close(self._subscriber)
            DROPPED.labels(why.name.lower()).inc()
            self._ending = asyncio.get_running_loop().create_task(self._close(why, said=said))
        return self._ending

    async def _close(self, why: Close, *, said: str) -> None:
        """Say why, if the client takes it, and end."""
        # Granian closes nothing while somebody waits for what the client says.
        await self._fall_silent()
        with suppress(Exception):
            async with asyncio.timeout(GOODBYE_SECONDS):
                if said:
                    await self._send({"type": "websocket.send", "text": said})
                await self._send({"type": "websocket.close", "code": int(why)})
        self._end()

    async def _fall_silent(self) -> None:
        """Neither hear nor send any more."""
        tasks = [task for task in (self._listener, self._sender) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            done, _ = await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)
            for task in done:
                if not task.cancelled() and (error := task.exception()):
                    log.debug("A live socket broke off: %s", error)

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def _sent(self, sender: asyncio.Task[None]) -> None:
        """It has ended because it cannot send any more, unless somebody has told it to."""
        if not sender.cancelled():
            self._end()

    def _wake(self) -> None:
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    async def _sending(self, greeting: str) -> None:
        await self._say(greeting)
        subscriber, loop = self._subscriber, asyncio.get_running_loop()
        while True:
            if len(subscriber.mailbox):
                await self._say(subscriber.mailbox.take(self._hub.epoch))
            elif self._is_alive_due:
                await self._say(frames.alive(self._hub.newest_id))
            else:
                self._hub.sent(subscriber)
                self._waker = loop.create_future()
                subscriber.is_idle = True
                await self._waker
                subscriber.is_idle = False

    async def _say(self, text: str) -> None:
        self._sending_since = time.monotonic()
        await self._send({"type": "websocket.send", "text": text})
        self._sending_since, self._spoke, self._is_alive_due = None, time.monotonic(), False

    async def _listening(self, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                self._hear(message)
            except ValueError as error:
                self.drop(Close.MISBEHAVED, said=frames.error(str(error)))
                return

    def _hear(self, message: Message) -> None:
        """What the client says; ValueError with a sentence where it is nothing that we know."""
        self._heard += 1
        text = message.get("text")
        if self._heard > MESSAGES_MOST:
            raise ValueError("too many messages")
        if not isinstance(text, str) or len(text) > MESSAGE_MOST:
            raise ValueError("messages are short JSON texts")
        try:
            said = msgspec.json.decode(text)
        except (ValueError, RecursionError):  # nested too deeply is no JSON of anybody's
            raise ValueError("this is no JSON") from None
        if not isinstance(said, dict) or said.get("type") != "watch" or "assets" not in said:
            raise ValueError("the one message there is has type watch, and assets")
        self._hub.watch(self._subscriber, None if said["assets"] is None else assets_named(said["assets"]))


async def _refuse(scope: Scope, send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """Before it is open: with a status of HTTP where the server can say one, else it is a 403."""
    if "websocket.http.response" in scope.get("extensions", {}) and status != 403:
        await send({"type": "websocket.http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 1008})
