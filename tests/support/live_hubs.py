"""Hubs without a server: on an event loop, with subscribers that keep what they are sent."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.support.servers import PATIENCE_SECONDS
from wattkeeper.views.live.frames import Frame, Topic
from wattkeeper.views.live.hub import Hub, Subscriber
from wattkeeper.views.live.links import Link
from wattkeeper.views.live.mailbox import Mailbox


class Listener:
    """A socket without a network: what it gets lies in `heard`."""

    def __init__(self, hub: Hub, *, tenant_id: int | None = 1, after: str = "", **options: Any) -> None:
        self.heard: list[dict[str, Any]] = []
        self.is_dropped = False
        self._hub = hub
        self._subscriber = Subscriber(Mailbox(tenant_id=tenant_id, **options), wake=self._wake, drop=self._drop)
        self.id, self.resumed = hub.open(self._subscriber, after=after)
        self._wake()

    @property
    def assets(self) -> Mapping[int, Any]:
        """What it has been told last of each asset; None: it is gone."""
        found: dict[int, Any] = {}
        for frame in self.heard:
            found |= {one["id"]: one for one in frame.get("things", ())} | dict.fromkeys(frame.get("removed", ()))
        return found

    def close(self) -> None:
        self._hub.close(self._subscriber)

    def _wake(self) -> None:
        while len(self._subscriber.mailbox):
            said = json.loads(self._subscriber.mailbox.take(self._hub.epoch))
            self.heard.append(said)
            self.id = said["id"]
        self._hub.sent(self._subscriber)
        self._subscriber.is_idle = True

    def _drop(self) -> None:
        self.is_dropped = True
        self.close()


@asynccontextmanager
async def hub_on(link: Link) -> AsyncIterator[Hub]:
    """A started hub on the running loop."""
    hub = Hub(asyncio.get_running_loop(), link)
    await asyncio.to_thread(hub.start)
    try:
        await asyncio.sleep(0)
        yield hub
    finally:
        await asyncio.to_thread(hub.stop)


def things(said: Mapping[int, Any], *, tenant_id: int = 1, kind: str = "thing") -> Frame:
    """A frame of assets; None takes one away."""
    items = {pk: None if value is None else json.dumps({"id": pk, "value": value}) for pk, value in said.items()}
    return Frame(Topic.ASSETS, tenant_id, kind, "things", items)


async def until(true: Callable[[], object], what: str) -> None:
    """Look again and again, while the loop goes on."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < give_up, f"Waited in vain until {what}"
        await asyncio.sleep(0.01)


class Cable:
    """A way to a server that can be cut and mended: `port` leads there while it is whole."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._is_whole = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._is_whole = False
            self._hang_up()

    def mend(self) -> None:
        with self._lock:
            self._is_whole = True

    def close(self) -> None:
        with suppress(OSError):  # not there any more
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _hang_up(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._is_whole:
                    here.close()
                    continue
                there = socket.create_connection(self._there)
                self._ends += [here, there]
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
