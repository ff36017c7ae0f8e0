"""Live frames beside a stream of status updates: how long an alert takes to all who look, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from tests.support.live_load import Heard, LiveLoad, listening
from tests.support.load import Load, Sent, beside
from tests.support.status_load import PATH, Script

from benchmarks.report import Figure
from benchmarks.server import Server

BATTERIES, SOCKETS, CLIENTS = 1_000, 500, 64
RATE, RATE_STEP, RATE_REACHED = 1_000, 250, 0.97
SECONDS, OPENING_SECONDS, STEP_SECONDS = 30.0, 6.0, 15.0
LIMIT_SECONDS = 0.300
# Each so manieth battery is hot for half of its eight readings: at a reading a second some twenty of them turn.
HOT_EVERY = 12
HOUR_UPDATES, HOUR_SOCKETS = 72_000, 50
HOUR_RATE = 600  # updates a second that the server takes at least, so that sockets are open until the last
MEMORY_LIMIT = 0.05

Send = Callable[[Load], Sent]
Listen = Callable[[LiveLoad], "Future[Heard]"]


@dataclass(frozen=True, slots=True)
class Run:
    """What was sent, what was heard, and the seconds from sending to each socket, in their order."""

    sent: Sent
    heard: Heard
    delays: list[float]

    def quantile(self, share: float) -> float:
        return self.delays[min(int(share * len(self.delays)), len(self.delays) - 1)] if self.delays else float("inf")

    @property
    def is_kept(self) -> bool:
        return self.quantile(0.99) < LIMIT_SECONDS


class _Stream:
    """Readings of the batteries, one run after the other: their event times go on."""

    def __init__(self, server: Server, send: Send, listen: Listen) -> None:
        self._server, self._send, self._listen = server, send, listen
        self._batteries = list(range(1, BATTERIES + 1))
        self._script = Script(datetime.now(UTC) - timedelta(days=300), hot_every=HOT_EVERY)
        self._next: dict[int, int] = {}

    def send(self, *, seconds: float, rate: float = 0.0, most: int = 0) -> Sent:
        load = Load(
            self._server.port,
            self._server.headers,
            self._batteries,
            self._script,
            clients=CLIENTS,
            seconds=seconds,
            path=PATH,
            first=self._next,
            rate=rate,
            most=most,
        )
        sent = self._send(load)
        self._next = {pk: self._next.get(pk, 0) + sent.acknowledged.get(pk, 0) for pk in self._batteries}
        return sent

    def listen(self, *, seconds: float, sockets: int) -> Future[Heard]:
        """Under way, with all sockets open."""
        load = LiveLoad(self._server.port, self._server.headers, self._batteries, sockets, seconds=seconds)
        future = self._listen(load)
        for _ in range(600):
            if _counted(self._server, "wattkeeper_live_sockets") >= sockets or future.done():
                break
            time.sleep(0.1)
        return future

    def run(self, *, rate: float, seconds: float) -> Run:
        listening_to = self.listen(seconds=seconds + OPENING_SECONDS, sockets=SOCKETS)
        sent = self.send(seconds=seconds, rate=rate)
        heard = listening_to.result()
        return Run(sent, heard, heard.each(sent.turned))


def live_figures(server: Server) -> Iterator[Figure]:
    """The server has the batteries of `benchmarks.batteries`, whose ids begin at 1."""
    with beside() as send, listening() as listen:
        stream = _Stream(server, send, listen)
        stream.send(seconds=5, rate=RATE)
        run = stream.run(rate=RATE, seconds=SECONDS)
        yield from _run_figures(run)
        if not run.is_kept:
            rates = range(RATE - RATE_STEP, 0, -RATE_STEP)
            kept = next((rate for rate in rates if stream.run(rate=rate, seconds=STEP_SECONDS).is_kept), 0)
            yield Figure(f"  the most updates a second that keep {LIMIT_SECONDS * 1e3:.0f} ms", f"{kept:,}")
        yield _memory_figure(server, stream)


def _run_figures(run: Run) -> Iterator[Figure]:
    sent, heard = run.sent, run.heard
    yield Figure(
        f"update_status beside {SOCKETS} live sockets, {CLIENTS} clients",
        f"{sent.rate:,.0f} a second, p99 {sent.quantile(0.99) * 1e3:.0f} ms",
        "",
        f"{RATE:,} a second",
        sent.rate >= RATE_REACHED * RATE,
    )
    delays = heard.delays(sent.turned)
    lasts = sorted(last for _, _, last in delays)
    middle = lasts[len(lasts) // 2] if lasts else float("inf")
    yield Figure(
        f"  from sending to the frame of its alert, {len(delays):,} alerts at each socket",
        f"p50 {run.quantile(0.5) * 1e3:.0f} ms, p99 {run.quantile(0.99) * 1e3:.0f} ms; "
        f"the last socket {middle * 1e3:.0f} ms median",
        "",
        f"p99 {LIMIT_SECONDS * 1e3:.0f} ms",
        run.is_kept,
    )
    missed = len(sent.turned) - len(delays) + sum(heard.closed.values())
    frames = sum(heard.frames.values())
    yield Figure(
        "  frames that were sent; sockets dropped, alerts not heard of", f"{frames:,}; {missed}", "", "0", missed == 0
    )


def _memory_figure(server: Server, stream: _Stream) -> Figure:
    """An hour of twenty updates a second, as fast as it goes."""
    quarter = HOUR_UPDATES // 4
    heard = stream.listen(seconds=HOUR_UPDATES / HOUR_RATE, sockets=HOUR_SOCKETS)
    sizes = []
    for _ in range(4):
        stream.send(seconds=150, most=quarter)
        sizes.append(server.memory())
    frames = _counted(server, "wattkeeper_live_frames_total")
    heard.result()
    growth = sizes[-1] / sizes[0] - 1
    return Figure(
        f"memory after {HOUR_UPDATES:,} updates, an hour of 20 a second ({frames:,.0f} frames)",
        f"{sizes[-1] / 1e6:.0f} MB, {growth:+.1%} since the first quarter",
        "",
        f"{MEMORY_LIMIT:.0%}",
        growth <= MEMORY_LIMIT,
    )


def _counted(server: Server, name: str) -> float:
    """What the server says of itself, summed over the labels."""
    text = httpx.get(f"{server.url}/metrics", headers=server.headers, timeout=60).raise_for_status().text
    lines = (line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{")))
    return sum(float(line.rpartition(" ")[2]) for line in lines)
