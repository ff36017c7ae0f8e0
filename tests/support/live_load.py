"""Many live sockets at once, as the dashboard's pages open them, and when each heard of each alert.

It parses websockets by hand: what is measured shares the machine with this.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context

PATH = "/ws/dashboard/"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
_ALERTS = b'{"type":"alert_update"'
_TYPE_ENDS = 40  # a frame's type stands at its beginning

Turn = tuple[int, datetime]  # a battery, and the event time of the reading that opened or cleared its alert


@dataclass(frozen=True)
class LiveLoad:
    """So many sockets, each watching so many of the batteries, for so long."""

    port: int
    headers: Mapping[str, str]
    batteries: Sequence[int]
    sockets: int = 500
    watched: int = 20
    seconds: float = 10.0
    path: str = PATH
    host: str = "127.0.0.1"


@dataclass
class Heard:
    """What the sockets heard. Moments by `time.monotonic`."""

    opened: int = 0
    frames: Counter[str] = field(default_factory=Counter)  # by type, of all sockets
    closed: Counter[int] = field(default_factory=Counter)  # by code; 0: broken off
    turns: dict[Turn, list[float]] = field(default_factory=lambda: defaultdict(list))  # one moment a socket that heard

    def delays(self, sent: Mapping[tuple[int, str], float]) -> list[tuple[float, float, float]]:
        """Seconds from sending each reading until the first, the median and the last socket heard of its alert."""
        found = []
        for (battery, at), began in sent.items():
            if moments := self.turns.get((battery, datetime.fromisoformat(at))):
                delays = [moment - began for moment in moments]
                found.append((min(delays), statistics.median(delays), max(delays)))
        return found

    def each(self, sent: Mapping[tuple[int, str], float]) -> list[float]:
        """The same for every socket, in their order."""
        found = [
            moment - began
            for (battery, at), began in sent.items()
            for moment in self.turns.get((battery, datetime.fromisoformat(at)), ())
        ]
        return sorted(found)


class _Socket(asyncio.Protocol):
    def __init__(self, load: LiveLoad, place: int, heard: Heard, texts: dict[bytes, list[Turn]]) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load, self._heard, self._texts = load, heard, texts
        step = max(1, len(load.batteries) // load.watched)
        self._watched = [
            load.batteries[(place + step * number) % len(load.batteries)] for number in range(load.watched)
        ]
        self._is_open = False
        self._data = b""
        self._turns: set[Turn] = set()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        query = f"?assets={','.join(map(str, self._watched))}" if self._watched else ""
        lines = [f"GET {self._load.path}{query} HTTP/1.1", f"Host: {self._load.host}:{self._load.port}"]
        lines += [f"{name}: {value}" for name, value in self._load.headers.items()]
        key = base64.b64encode(os.urandom(16)).decode()
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        moment = time.monotonic()
        self._data = self._data + data if self._data else data
        if not self._is_open:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._heard.closed[int(head[9:12])] += 1
                self.end()
                return
            self._is_open, self._data = True, rest
            self._heard.opened += 1
        self._parse(moment)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self._heard.closed[0] += 1
            self.over.set_result(None)

    def end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)
        if self._transport is not None:
            self._transport.close()

    def _parse(self, moment: float) -> None:
        data, at = self._data, 0
        while len(data) - at >= 2:
            length, begin = data[at + 1] & 0x7F, at + 2
            if length == 126:
                length, begin = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif length == 127:
                length, begin = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if len(data) < max(begin, begin + length):
                break
            self._take(data[at] & 0x0F, data[begin : begin + length], moment)
            at = begin + length
        self._data = data[at:]

    def _take(self, opcode: int, payload: bytes, moment: float) -> None:
        if opcode == TEXT:
            self._heard.frames[payload[9:_TYPE_ENDS].partition(b'"')[0].decode()] += 1
            if payload.startswith(_ALERTS):
                for turn in self._turns_in(payload):
                    if turn not in self._turns:
                        self._turns.add(turn)
                        self._heard.turns[turn].append(moment)
        elif opcode == CLOSE:
            self._heard.closed[int.from_bytes(payload[:2])] += 1
            self.end()
        elif opcode == PING and self._transport is not None:
            mask = os.urandom(4)
            masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
            self._transport.write(bytes([0x80 | PONG, 0x80 | len(payload)]) + mask + masked)

    def _turns_in(self, payload: bytes) -> list[Turn]:
        """Read once for all sockets, which mostly get the same text."""
        known = self._texts.get(payload)
        if known is None:
            known = self._texts[payload] = [
                (alert["battery"], datetime.fromisoformat(alert[name]))
                for alert in json.loads(payload)["alerts"]
                for name in ("opened_at", "cleared_at")
                if alert[name]
            ]
        return known


def live_listen(load: LiveLoad) -> Heard:
    """Listen until the time is over. Runs an event loop: call it in a process or thread of its own."""
    return asyncio.run(_listen(load))


@contextmanager
def listening() -> Iterator[Callable[[LiveLoad], Future[Heard]]]:
    """`live_listen` in another process, under way when it is asked for its result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(time.time).result()
        yield lambda load: pool.submit(live_listen, load)


async def _listen(load: LiveLoad) -> Heard:
    heard, loop, texts = Heard(), asyncio.get_running_loop(), dict[bytes, list[Turn]]()
    sockets = []
    for place in range(load.sockets):
        socket = _Socket(load, place, heard, texts)
        await loop.create_connection(lambda socket=socket: socket, load.host, load.port)
        sockets.append(socket)
    await asyncio.wait([socket.over for socket in sockets], timeout=load.seconds)
    for socket in sockets:
        socket.end()
    heard.turns = dict(heard.turns)
    return heard
