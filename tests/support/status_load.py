"""Status updates from many clients at once, light enough to leave the machine to the server.

    python -m tests.support.status_load --port 8000 --key KEY --batteries 1 2 3 --clients 64 --seconds 10

Each battery belongs to one client, which sends its readings one after the other over one connection and a reading that
was not acknowledged again. So a battery's stored readings are a row without gaps, whatever happened on the way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import pi, sin
from multiprocessing import get_context

PATH = "/api/batteries/{battery}/update_status/"
RETRY_SECONDS = 0.05
OK, BUSY = 200, 503


@dataclass(frozen=True)
class Script:
    """What the batteries send: the reading `number` of a battery says the same however often it is sent.

    `start` and `step`: the event times. Every `hot_every`th battery (0: none) is cool for half of each `period` of
    readings, then hot for the other half: by the default rules an alert that opens and clears.
    """

    start: datetime
    step: timedelta = timedelta(minutes=5)
    period: int = 8  # of 40 minutes: too long to be taken for flapping
    hot_every: int = 2

    def at(self, number: int) -> datetime:
        return self.start + number * self.step

    def is_hot(self, battery: int, number: int) -> bool:
        return bool(self.hot_every) and battery % self.hot_every == 0 and number % self.period >= self.period // 2

    def values(self, battery: int, number: int) -> dict[str, float | str]:
        wave = sin(2 * pi * (number % 500) / 500)
        return {
            "current_charge": round(55 + 35 * wave, 1),
            "current_voltage": round(3.7 + 0.3 * wave, 3),
            "current_temperature": round((60 if self.is_hot(battery, number) else 25) + 3 * wave, 1),
            "current_status": "CHARGING" if number % 500 < 125 else "DISCHARGING",
            "current": 2.5 if number % 500 < 125 else -2.5,
        }

    def body(self, battery: int, number: int) -> bytes:
        return json.dumps({**self.values(battery, number), "logged_at": self.at(number).isoformat()}).encode()


@dataclass
class Sent:
    """What became of a load. `unsure` are the numbers that were sent last and not answered, by battery."""

    seconds: float = 0.0
    acknowledged: dict[int, int] = field(default_factory=dict)  # by battery: so many, from the first one on
    unsure: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)  # of the acknowledged, in seconds
    answers: Counter[int] = field(default_factory=Counter)  # by HTTP status
    turned: dict[tuple[int, str], float] = field(default_factory=dict)  # see Load.turns
    said: str = ""  # of the first answer that is neither OK nor BUSY

    @property
    def rate(self) -> float:
        """Acknowledged readings a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Seconds that this share of the acknowledged took at most."""
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


@dataclass(frozen=True)
class Load:
    """Who sends what to whom, and for how long. `first`: the next number of a battery, 0 where it is not there."""

    port: int
    headers: Mapping[str, str]
    batteries: Sequence[int]
    script: Script
    clients: int = 64
    seconds: float = 10.0
    path: str = PATH
    host: str = "127.0.0.1"
    first: Mapping[int, int] = field(default_factory=dict)
    rate: float = 0.0  # readings a second in all, 0: as many as are answered
    most: int = 0  # readings in all, 0: until the time is over

    def turns(self, battery: int, number: int) -> bool:
        """Whether this reading opens or ends an alert by the default rules: the first hot one, and the second cool one,
        after the off-delay. Of these `Sent.turned` has when they were sent, by `time.monotonic`; by battery and event
        time."""
        is_hot = [self.script.is_hot(battery, number - back) for back in range(3)]
        return number > 2 and (is_hot[:2] == [True, False] or is_hot == [False, False, True])


class _Client(asyncio.Protocol):
    """One connection: sends a reading when the answer to the one before has come, until the time is over."""

    def __init__(self, load: Load, batteries: Sequence[int], sent: Sent, until: float, *, place: int = 0) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load, self._sent, self._until = load, sent, until
        # Of its own readings each comes so long after the one before; the clients' first ones lie evenly in between.
        self._pause = load.clients / load.rate if load.rate else 0.0
        self._due = until - load.seconds + (place / load.rate if load.rate else 0.0)
        self._turns = deque(batteries)
        self._numbers = {battery: load.first.get(battery, 0) for battery in batteries}
        self._heads = {battery: _head(load, battery) for battery in batteries}
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
        battery = self._turns[0]
        number = self._numbers[battery]
        body = self._load.script.body(battery, number)
        self._sent.unsure[battery] = number
        if self._load.turns(battery, number):
            self._sent.turned.setdefault((battery, self._load.script.at(number).isoformat()), time.monotonic())
        self._began = time.perf_counter()
        self._transport.write(b"%bContent-Length: %d\r\n\r\n%b" % (self._heads[battery], len(body), body))

    def _answered(self, status: int, body: bytes) -> None:
        sent, battery = self._sent, self._turns[0]
        sent.answers[status] += 1
        del sent.unsure[battery]
        if status == OK:
            sent.latencies.append(time.perf_counter() - self._began)
            sent.acknowledged[battery] = sent.acknowledged.get(battery, 0) + 1
            self._numbers[battery] += 1
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
    for number in range(min(load.clients, len(load.batteries))):
        own = load.batteries[number :: load.clients]
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


def _head(load: Load, battery: int) -> bytes:
    lines = [f"POST {load.path.format(battery=battery)} HTTP/1.1", f"Host: {load.host}:{load.port}"]
    lines += [f"{name}: {value}" for name, value in load.headers.items()]
    return "\r\n".join([*lines, "Content-Type: application/json", ""]).encode()


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return int(next((line[15:] for line in lines if line.startswith(b"content-length:")), b"0"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--key", required=True)
    parser.add_argument("--batteries", type=int, nargs="+", required=True, help="their ids")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    wanted = parser.parse_args()
    script = Script(datetime.now().astimezone() - timedelta(days=1))
    headers = {"Authorization": f"Api-Key {wanted.key}"}
    load = Load(wanted.port, headers, wanted.batteries, script, clients=wanted.clients, seconds=wanted.seconds)
    sent = load_send(load)
    middle = statistics.median(sent.latencies) if sent.latencies else 0.0
    sys.stdout.write(
        f"{len(sent.latencies):,} acknowledged, {sent.rate:,.0f}/s, p50 {middle * 1e3:.1f} ms, "
        f"p99 {sent.quantile(0.99) * 1e3:.1f} ms, answers {dict(sent.answers)} {sent.said}\n"
    )
    return 0 if sent.latencies and not sent.said else 1


if __name__ == "__main__":
    sys.exit(main())
