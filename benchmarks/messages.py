"""Messages of gateways, one by one and in arrays: beside a plain DRF program on PostgreSQL that does the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
from tests.support.load import Load, Sent, beside
from tests.support.machine import POSTGRES
from tests.support.message_load import PATH, Messages

from benchmarks.peers.serving import peer_serving
from benchmarks.report import Figure
from benchmarks.sent import answer_figures
from benchmarks.server import Server

METERS, CLIENTS = 10_000, 256
ARRAY, ARRAY_CLIENTS = 500, 8
SECONDS, WARM_SECONDS = 15.0, 3.0
APPEAR_SECONDS = 60.0  # that the meters may take to appear
RATE_LIMIT, ARRAY_LIMIT, P99_LIMIT_SECONDS, TIMES_LIMIT = 6_000, 30_000, 0.250, 30
PEER = "benchmarks.peers.meter_drf.application"
PEER_THREADS = 4
ZONE = ZoneInfo("Europe/Berlin")
AGO = timedelta(hours=40)  # of the first messages: none of what follows is too old for its own time, or to come

Send = Callable[[Load], Sent]


def message_figures(server: Server) -> Iterator[Figure]:
    """The meters appear by their first messages."""
    script = Messages(datetime.now(ZONE).replace(microsecond=0, tzinfo=None) - AGO, timedelta(seconds=20))
    with beside() as send:
        arrays, spent = _arrays(send, server, script)
        first = dict.fromkeys(range(METERS), max(arrays.acknowledged.values(), default=0) + 1)
        began = server.cpu_seconds()
        ours = _one_by_one(send, server.port, server.headers, PATH, script, first=first)
        each = (server.cpu_seconds() - began) / max(1, len(ours.latencies))
        with _peer() as port:
            theirs = _one_by_one(send, port, {"Authorization": "Api-Key peer"}, "/data/", script)
    times = ours.rate / max(theirs.rate, 0.001)
    yield Figure(
        f"messages, durable and judged, {CLIENTS} clients",
        f"{ours.rate:,.0f} a second",
        f"plain DRF, PostgreSQL: {theirs.rate:,.0f} a second",
        f"{RATE_LIMIT:,} a second",
        ours.rate >= RATE_LIMIT,
    )
    yield Figure("  times as many", f"{times:.1f}", "", f"{TIMES_LIMIT}", times >= TIMES_LIMIT)
    yield from answer_figures(ours, theirs, good=201, p99=P99_LIMIT_SECONDS)
    yield Figure("  the server's processor time for each", f"{each * 1e6:.0f} \u00b5s")
    rate = ARRAY * arrays.rate
    yield Figure(
        f"messages in arrays of {ARRAY}, {ARRAY_CLIENTS} clients",
        f"{rate:,.0f} a second",
        "",
        f"{ARRAY_LIMIT:,} a second",
        rate >= ARRAY_LIMIT,
    )
    yield from answer_figures(arrays, good=201, what="each array")
    yield Figure("  the server's processor time for each message", f"{spent * 1e6:.0f} \u00b5s")


def _arrays(send: Send, server: Server, script: Messages) -> tuple[Sent, float]:
    """What became of the arrays, and the server's processor time for each message of them, in seconds."""
    groups = list(range(METERS // ARRAY))
    of_arrays = Messages(script.start, script.step, per=ARRAY)

    def load(seconds: float, first: Mapping[int, int]) -> Load:
        return Load(server.port, server.headers, groups, of_arrays, PATH, ARRAY_CLIENTS, seconds, first=first)

    warm = send(replace(load(APPEAR_SECONDS, {}), clients=1, most=len(groups)))
    assert len(warm.acknowledged) == len(groups), warm.said
    began = server.cpu_seconds()
    sent = send(load(SECONDS, warm.acknowledged))
    spent = (server.cpu_seconds() - began) / (ARRAY * max(1, len(sent.latencies)))
    for group, count in warm.acknowledged.items():
        sent.acknowledged[group] = sent.acknowledged.get(group, 0) + count
    return sent, spent


def _one_by_one(
    send: Send,
    port: int,
    headers: Mapping[str, str],
    path: str,
    script: Messages,
    *,
    first: Mapping[int, int] | None = None,
) -> Sent:
    """After a warming up, what became of them."""
    meters, before = list(range(METERS)), first or {}
    warm = send(Load(port, headers, meters, script, path, CLIENTS, WARM_SECONDS, first=before))
    so_far = {meter: before.get(meter, 0) + warm.acknowledged.get(meter, 0) for meter in meters}
    return send(Load(port, headers, meters, script, path, CLIENTS, SECONDS, first=so_far))


@contextmanager
def _peer() -> Iterator[int]:
    """The peer's port. Its database is there for as long as it is."""
    name = f"peer_{uuid4().hex}"
    url = urlsplit(os.environ.get("PEER_POSTGRES", POSTGRES))
    with psycopg.connect(url.geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            there = url._replace(path=f"/{name}").geturl()
            with peer_serving(PEER, METERS, threads=PEER_THREADS, PEER_DATABASE=there) as port:
                yield port
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
