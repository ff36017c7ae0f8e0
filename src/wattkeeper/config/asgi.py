"""The program as a server runs it: the lifespan opens and closes what a process holds; Django answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
django.setup(set_prefix=False)

from wattkeeper.config import serving  # noqa: E402  (needs the app registry)
from wattkeeper.config.handler import PooledHandler  # noqa: E402
from wattkeeper.config.loop import PoliteLoop  # noqa: E402
from wattkeeper.config.static import static_files  # noqa: E402
from wattkeeper.kinds.battery.door import status_door  # noqa: E402
from wattkeeper.kinds.battery.streams import STATUS  # noqa: E402
from wattkeeper.kinds.meter.door import data_door  # noqa: E402
from wattkeeper.views.live.door import LiveDoor  # noqa: E402

answers = data_door(status_door(static_files(PooledHandler())))
live = LiveDoor({"/ws/live/": "", "/ws/dashboard/": STATUS.kind})

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# The largest thing that a door takes is a chunk of a file; nobody may fill the disk with one request.
MAX_BODY_BYTES = 32 << 20


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI entry point."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _http(scope, receive, send)
    elif scope["type"] == "websocket":
        await live(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    loop = asyncio.get_running_loop()
    if isinstance(loop, PoliteLoop):
        loop.goodbye = live.goodbye
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await asyncio.to_thread(serving.start, loop)
            except Exception as error:
                serving.log.error("Cannot start: %s", error)
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await live.goodbye()
            await asyncio.to_thread(serving.stop)
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    """The doors and Django, behind a limit on the body: Django reads all of it before it looks at anything."""
    headers = dict(scope["headers"])
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > MAX_BODY_BYTES:
        await _too_large(send)
        return
    if b"content-length" in headers and b"transfer-encoding" not in headers:
        await answers(scope, receive, send)  # the server sees to it that it is no longer than it says
        return
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    await answers(scope, limited, send)
    if received > MAX_BODY_BYTES:
        await _too_large(send)


async def _too_large(send: Send) -> None:
    body = b'{"detail": "The body is larger than 32 MiB. Send it in parts."}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
