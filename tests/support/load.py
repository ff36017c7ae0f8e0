"""Requests from many clients at once, light enough to leave the machine to the server.

Each thing that is spoken of belongs to one client, which sends its requests one after the other over one connection and
a request that was not acknowledged again. So what is stored of a thing is a row without gaps, whatever happened on the
way.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Protocol

RETRY_SECONDS = 0.05
GOOD, BUSY = frozenset({200, 201}), 503


class Script(Protocol):
    """What is sent: the request `number` of a thing says the same however often it is sent."""

    def body(self, thing: int, number: int) -> bytes: ...

    def mark(self, thing: int, number: int) -> str:
        """Under what name it is noted when this one was sent first; empty: it is not."""


@dataclass
class Sent:
    """What became of a load. `unsure` are the numbers that were sent last and not answered, by thing."""

    seconds: float = 0.0
    acknowledged: dict[int, int] = field(default_factory=dict)  # by thing: so many, from the first one on
    unsure: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)  # of the acknowledged, in seconds
    answers: Counter[int] = field(default_factory=Counter)  # by HTTP status
    turned: dict[tuple[int, str], float] = field(default_factory=dict)  # by thing and mark: when, by `time.monotonic`
    said: str = ""  # of the first answer that is neither GOOD nor BUSY

    @property
    def rate(self) -> float:
        """Acknowledged requests a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Seconds that this share of the acknowledged took at most."""
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


@dataclass(frozen=True)
class Load:
    """Who sends what to whom, and for how long. `path` may have `{thing}` in it. `first`: the next number of a thing, 0
    where it is not there."""

    port: int
    headers: Mapping[str, str]
    things: Sequence[int]
    script: Script
    path: str
    clients: int = 64
    seconds: float = 10.0
    host: str = "127.0.0.1"
    first: Mapping[int, int] = field(default_factory=dict)
    rate: float = 0.0  # requests a second in all, 0: as many as are answered
    most: int = 0  # requests in all, 0: until the time is over


class _Client(asyncio.Protocol):
    """One connection: sends a request when the answer to the one before has come, until the time is over."""

    def __init__(self, load: Load, things: Sequence[int], sent: Sent, until: float, *, place: int = 0) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load, self._sent, self._until = load, sent, until
        # Of its own requests each comes so long after the one before; the clients' first ones lie evenly in between.
        self._pause = load.clients / load.rate if load.rate else 0.0
        self._due = until - load.seconds + (place / load.rate if load.rate else 0.0)
        self._turns = deque(things)
        self._numbers = {thing: load.first.get(thing, 0) for thing in things}
        self._heads = {thing: _head(load, thing) for thing in things}
        self._answer = b""
        self._began = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send_when_due()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            self._answer = b""
            self._answered(int(head[9:12]), body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _send_when_due(self) -> None:
        early = self._due - time.perf_counter()
        self._due += self._pause
        if early > 0:
            asyncio.get_running_loop().call_later(early, self._send)
        else:
            self._send()

    def _send(self) -> None:
        assert self._transport is not None
        is_enough = self._load.most and len(self._sent.latencies) >= self._load.most
        if is_enough or time.perf_counter() >= self._until or self.over.done():
            self._transport.close()
            return
        thing = self._turns[0]
        number = self._numbers[thing]
        body = self._load.script.body(thing, number)
        self._sent.unsure[thing] = number
        if mark := self._load.script.mark(thing, number):
            self._sent.turned.setdefault((thing, mark), time.monotonic())
        self._began = time.perf_counter()
        self._transport.write(b"%bContent-Length: %d\r\n\r\n%b" % (self._heads[thing], len(body), body))

    def _answered(self, status: int, body: bytes) -> None:
        sent, thing = self._sent, self._turns[0]
        sent.answers[status] += 1
        del sent.unsure[thing]
        if status in GOOD:
            sent.latencies.append(time.perf_counter() - self._began)
            sent.acknowledged[thing] = sent.acknowledged.get(thing, 0) + 1
            self._numbers[thing] += 1
            self._turns.rotate(-1)
            self._send_when_due()
        elif status == BUSY:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._send)
        else:
            sent.said = sent.said or f"{status}: {body[:500].decode(errors='replace')}"
            assert self._transport is not None
            self._transport.close()


def load_send(load: Load) -> Sent:
    """Send until the time is over or the server gone. Runs an event loop: call it in a process or thread of its own."""
    return asyncio.run(_send(load))


@contextmanager
def beside() -> Iterator[Callable[[Load], Sent]]:
    """`load_send` in another process, so that what is measured does not share this one's lock."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(time.time).result()  # started before the first load is
        yield lambda load: pool.submit(load_send, load).result()


async def _send(load: Load) -> Sent:
    sent, loop = Sent(), asyncio.get_running_loop()
    began = time.perf_counter()
    clients = []
    for number in range(min(load.clients, len(load.things))):
        own = load.things[number :: load.clients]
        client = _Client(load, own, sent, began + load.seconds, place=number)
        try:
            await loop.create_connection(lambda client=client: client, load.host, load.port)
        except OSError:  # the server is gone already
            continue
        clients.append(client)
    if clients:
        await asyncio.wait([client.over for client in clients], timeout=load.seconds + 60)
    sent.seconds = time.perf_counter() - began
    return sent


def _head(load: Load, thing: int) -> bytes:
    lines = [f"POST {load.path.format(thing=thing)} HTTP/1.1", f"Host: {load.host}:{load.port}"]
    lines += [f"{name}: {value}" for name, value in load.headers.items()]
    return "\r\n".join([*lines, "Content-Type: application/json", ""]).encode()


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return int(next((line[15:] for line in lines if line.startswith(b"content-length:")), b"0"))
