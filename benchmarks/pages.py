"""Pages of a list, asked for by one client and by several at once."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from urllib.parse import urlsplit

from benchmarks.report import Figure
from benchmarks.server import Server

REQUESTS = 400
CLIENTS = 8


def page_figures(server: Server, *, vehicle: str, rows: int) -> Iterator[Figure]:
    """A vehicle's page of 20 among `rows`, then the list of all with its count."""
    of_one = f"/api/v1/vehicle_data/?vehicle_id={vehicle}&page_size=20"
    alone = times_of(server.url, server.key, of_one, clients=1, requests=REQUESTS)
    median = statistics.median(alone)
    yield Figure(
        f"a page of one vehicle among {rows:,} rows", f"{median * 1e3:.1f} ms median", "", "20 ms", median < 0.02
    )
    together = times_of(server.url, server.key, of_one, clients=CLIENTS, requests=REQUESTS)
    p95 = statistics.quantiles(together, n=20)[-1]
    yield Figure(f"  {CLIENTS} clients at once", f"{p95 * 1e3:.1f} ms p95", "", "60 ms", p95 < 0.06)
    # Another beginning each, long before the first row: none is answered from a count that was found before.
    of_all = "/api/v1/vehicle_data/?page_size=20&initial_timestamp=2000-01-0{day}T00:00:00Z"
    worst = max(
        times_of(server.url, server.key, of_all.format(day=day), clients=1, requests=1)[0] for day in range(1, 6)
    )
    yield Figure("  the list of all with its count", f"{worst * 1e3:.0f} ms, slowest of 5", "", "600 ms", worst < 0.6)


def times_of(url: str, key: str, path: str, *, clients: int, requests: int) -> list[float]:
    """Seconds of each request, from a process of its own so that the asking does not slow itself down."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_ask_all, (url, key, path, clients, requests))


def _ask_all(url: str, key: str, path: str, clients: int, requests: int) -> list[float]:
    return asyncio.run(_gather(url, key, path, clients, requests))


async def _gather(url: str, key: str, path: str, clients: int, requests: int) -> list[float]:
    address = urlsplit(url)
    question = (
        f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Api-Key {key}\r\n"
        "Accept: application/json\r\n\r\n"
    ).encode()
    times: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for _ in range(requests // clients):
            start = time.perf_counter()
            writer.write(question)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                sys.exit(head.decode())
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            times.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return times
