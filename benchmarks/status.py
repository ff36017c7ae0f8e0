"""Status updates, and what is asked of a large fleet of batteries: beside a plain DRF program that does the same."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from tests.support.load import Load, Sent, beside
from tests.support.status_load import Script

from benchmarks.pages import times_of
from benchmarks.peers.serving import peer_serving
from benchmarks.report import Figure
from benchmarks.sent import answer_figures
from benchmarks.server import Server

BATTERIES = 100_000
SENDING = 2_000  # of them
IN_TROUBLE = 50  # each so manieth battery has an alert that opens and clears
CLIENTS = 64
SECONDS, WARM_SECONDS = 15.0, 3.0
RATE_LIMIT, P99_LIMIT_SECONDS = 2_000, 0.150
STATS, STATS_LIMIT_SECONDS = "/api/dashboard/stats/", 0.100
LIST, LIST_LIMIT_SECONDS = "/api/batteries/", 0.025
REQUESTS = 100
PEER = "benchmarks.peers.battery_drf.application"


def status_figures(server: Server, folder: Path) -> Iterator[Figure]:
    """The server has the batteries of `benchmarks.batteries`, whose ids begin at 1."""
    yield from _asked(server)
    with beside() as send:
        ours = _updated(send, server.port, headers=server.headers, path=f"{LIST}{{thing}}/update_status/")
        with peer_serving(PEER, BATTERIES, threads=1, PEER_DATABASE=str(folder / "peer.sqlite3")) as port:
            theirs = _updated(send, port, headers={}, path="/batteries/{thing}/update_status/")
            pages = times_of(f"http://127.0.0.1:{port}", "", "/batteries/", clients=1, requests=REQUESTS)
    yield Figure(
        f"update_status, durable and judged, {CLIENTS} clients",
        f"{ours.rate:,.0f} a second",
        f"plain DRF: {theirs.rate:,.0f} a second, {ours.rate / theirs.rate:.0f} times",
        f"{RATE_LIMIT:,} a second",
        ours.rate >= RATE_LIMIT,
    )
    yield from answer_figures(ours, theirs, good=200, p99=P99_LIMIT_SECONDS)
    yield Figure("plain DRF: its list", f"{statistics.median(pages) * 1e3:.1f} ms median")


def _asked(server: Server) -> Iterator[Figure]:
    """Stats and a page of the list; each is asked after an update, so that no answer can have been kept."""
    for what, path, limit in (("stats", STATS, STATS_LIMIT_SECONDS), ("a page of the list", LIST, LIST_LIMIT_SECONDS)):
        took = []
        with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as client:
            for number in range(REQUESTS):
                update = {"current_charge": 20 + number / 2}
                client.post(f"{LIST}{number + 1}/update_status/", json=update).raise_for_status()
                before = time.perf_counter()
                client.get(path).raise_for_status()
                took.append(time.perf_counter() - before)
        median = statistics.median(took)
        yield Figure(
            f"{what} of {BATTERIES:,} batteries",
            f"{median * 1e3:.1f} ms median, {max(took) * 1e3:.0f} ms slowest of {REQUESTS}",
            "",
            f"{limit * 1e3:.0f} ms",
            median < limit,
        )


def _updated(send: Callable[[Load], Sent], port: int, *, headers: dict[str, str], path: str) -> Sent:
    batteries, script = (
        list(range(1, SENDING + 1)),
        Script(datetime.now(UTC) - timedelta(days=30), hot_every=IN_TROUBLE),
    )
    warm = Load(port, headers, batteries, script, path, clients=CLIENTS, seconds=WARM_SECONDS)
    first = send(warm).acknowledged
    return send(Load(port, headers, batteries, script, path, CLIENTS, SECONDS, first=first))
