"""Files out of a server, to a reader that takes what comes and to one that dawdles."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode, urlsplit

import httpx

from benchmarks.report import Figure
from benchmarks.server import Server
from benchmarks.watched import WORTH_NOTING_SECONDS

PATH = "/api/v1/vehicle_data/export/"
FLAT_BYTES = 200_000_000  # what "flat" allows an export of any size
SLOW_SECONDS = 8
SLOW_BYTES_PER_SECOND = 100_000


def export_figures(server: Server, *, rows: int, days: Mapping[str, str]) -> Iterator[Figure]:
    """`rows` are in the store in all; `days` chooses a part of them, for the workbook."""
    before = server.memory()
    server.memory_forget()
    start = time.monotonic()
    lines = _download(server, {"export": "csv"})
    seconds = time.monotonic() - start
    assert lines == rows + 1
    speed, above, held = rows / seconds, server.memory_peak() - before, server.longest_hold(start)
    yield Figure(f"CSV export of {rows:,} rows", f"{speed / 1e6:.2f} M rows/s", "", "1 M rows/s", speed >= 1e6)
    yield Figure("  memory of that", f"{above / 1e6:+.0f} MB", "", "flat", above < FLAT_BYTES)
    yield Figure("  longest hold of the event loop", _held(held), "", "100 ms", held <= 0.1)

    before = server.memory()
    server.memory_forget()
    start = time.monotonic()
    taken = _dawdle(server)
    above, held = server.memory_peak() - before, server.longest_hold(start)
    yield Figure(f"CSV export to a slow reader, {SLOW_SECONDS} s", f"{taken / 1e6:.1f} MB taken", "", "", None)
    yield Figure("  memory of that", f"{above / 1e6:+.0f} MB", "", "flat", above < FLAT_BYTES)
    yield Figure("  longest hold of the event loop", _held(held), "", "100 ms", held <= 0.1)

    count = httpx.get(
        f"{server.url}/api/v1/vehicle_data/", params={**days, "page_size": "1"}, headers=server.headers, timeout=60
    ).json()["count"]
    start = time.monotonic()
    _download(server, {"export": "xlsx", **days})
    seconds, held = time.monotonic() - start, server.longest_hold(start)
    yield Figure(
        f"xlsx export of {count:,} rows",
        f"{count / seconds:,.0f} rows/s",
        "",
        "50,000 rows/s",
        count / seconds >= 50_000,
    )
    yield Figure("  longest hold of the event loop", _held(held), "", "100 ms", held <= 0.1)


def _held(seconds: float) -> str:
    """Short holds are not noted."""
    return f"{seconds * 1e3:.0f} ms" if seconds else f"under {WORTH_NOTING_SECONDS * 1e3:.0f} ms"


def _download(server: Server, params: Mapping[str, str]) -> int:
    """The number of line breaks in the answer."""
    with httpx.stream("GET", server.url + PATH, params=params, headers=server.headers, timeout=300) as answer:
        answer.raise_for_status()
        return sum(piece.count(b"\n") for piece in answer.iter_raw())


def _dawdle(server: Server) -> int:
    """Take a little at a time, through a small window, then go away."""
    address = urlsplit(server.url)
    query = urlencode({"export": "csv"})
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        reader.connect((address.hostname, address.port))
        head = [f"GET {PATH}?{query} HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Api-Key {server.key}"]
        reader.sendall("\r\n".join([*head, "", ""]).encode())
        taken, until = 0, time.monotonic() + SLOW_SECONDS
        while time.monotonic() < until:
            taken += len(reader.recv(SLOW_BYTES_PER_SECOND // 20))
            time.sleep(0.05)
        return taken
