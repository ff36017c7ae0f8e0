"""A chart of one vehicle with a million readings, from the request to its data."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from benchmarks.report import Figure
from benchmarks.server import Server
from wattkeeper.base.catalog import registry
from wattkeeper.flow.store.engine import Engine, EngineOptions
from wattkeeper.flow.store.file_sql import sql_time
from wattkeeper.flow.store.schema import table_of
from wattkeeper.kinds.vehicle.streams import TELEMETRY

PATH = "/api/v1/vehicle_data/series/"
POINTS = 2_000
REQUESTS = 20
LIMIT_SECONDS = 0.150
NUMBERS = [channel.name for channel in TELEMETRY.channels if channel.is_numeric]


def chart_figures(server: Server, *, vehicle: str, rows: int, start: datetime) -> Iterator[Figure]:
    """All five channels, each request with a window of its own, so that no answer can have been kept."""
    sizes: list[int] = []
    with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as client:

        def ask(since: datetime) -> None:
            window = {"vehicle_id": vehicle, "initial_timestamp": since.isoformat(), "points": str(POINTS)}
            answer = client.get(PATH, params=window).raise_for_status()
            sizes.append(int(answer.headers["Content-Length"]))
            found = answer.json()
            assert found["thinned"] and found["rows"] > 0.99 * rows, found["rows"]
            assert all(line["times"] for line in found["channels"].values())

        took = _each(ask, _windows(start, since_minutes=0))
    median, worst = statistics.median(took), max(took)
    yield Figure(
        f"a chart of one vehicle over {rows:,} points",
        f"{median * 1e3:.0f} ms median, {worst * 1e3:.0f} ms slowest of {REQUESTS}, {max(sizes) / 1e3:.0f} kB",
        "",
        f"{LIMIT_SECONDS * 1e3:.0f} ms",
        median <= LIMIT_SECONDS,
    )


def peer_figures(readings: Path, *, start: datetime) -> Iterator[Figure]:
    """The engine's own thinning of the same rows, alone: no request, no text channel, no JSON, no gaps."""
    engine = Engine(EngineOptions(f"chdb://{readings}"))
    engine.open(registry.streams())
    lines = ", ".join(f"largestTriangleThreeBuckets({POINTS})(ts, `{name}`)" for name in NUMBERS)
    try:
        with engine.client() as client:

            def ask(since: datetime) -> None:
                client.query(f"SELECT {lines} FROM {table_of(TELEMETRY)} FINAL WHERE ts >= {sql_time(since)}")

            took = _each(ask, _windows(start, since_minutes=1))
    finally:
        engine.close()
    median, worst = statistics.median(took), max(took)
    yield Figure(
        "  its four numbers by the engine's largestTriangleThreeBuckets",
        f"{median * 1e3:.0f} ms median, {worst * 1e3:.0f} ms slowest of {REQUESTS}",
        "the query alone",
    )


def _windows(start: datetime, *, since_minutes: int) -> Sequence[datetime]:
    """Each begins a few minutes after the one before it."""
    return [start + timedelta(minutes=since_minutes + 5 * place) for place in range(REQUESTS + 1)]


def _each(ask: Callable[[datetime], None], windows: Sequence[datetime]) -> list[float]:
    """Seconds for each but the first, which finds nothing open."""
    took = []
    for since in windows:
        before = time.perf_counter()
        ask(since)
        took.append(time.perf_counter() - before)
    return took[1:]
