"""The month's billing file of many meters with two years of daily messages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import httpx

from benchmarks.report import Figure
from benchmarks.server import Server

PATH = "/csv/"
METERS, DAYS = 10_000, 730  # a tenth of what is wanted of a larger machine
SECONDS_MOST = 2.0
MONTH, OTHERS = "2025-05", ("2024-02", "2025-12")  # of a leap year, and the newest there is


def month_figures(server: Server) -> Iterator[Figure]:
    """Each question is another month's, so that nobody has asked it before."""
    held = f"{METERS:,} meters, {METERS * DAYS / 1e6:.1f} M messages"
    seconds, lines = _download(server, {"month": MONTH})
    assert lines == METERS + 1
    yield Figure(f"A month's file of {held}", f"{seconds:.2f} s", "", f"{SECONDS_MOST:g} s", seconds <= SECONDS_MOST)
    for month in OTHERS:
        seconds, _ = _download(server, {"month": month})
        yield Figure(f"  of {month}", f"{seconds:.2f} s", "", f"{SECONDS_MOST:g} s", seconds <= SECONDS_MOST)
    before = server.memory()
    server.memory_forget()
    seconds, lines = _download(server, {"month": MONTH, "all": "true"})
    above = server.memory_peak() - before
    yield Figure(f"  with all values of each, {lines - 1:,} lines", f"{seconds:.2f} s")
    yield Figure("  memory of that", f"{above / 1e6:+.0f} MB")
    start = time.monotonic()
    httpx.post(
        f"{server.url}/api/meters/months/{MONTH}/freeze/", headers=server.headers, timeout=300
    ).raise_for_status()
    yield Figure("  frozen", f"{time.monotonic() - start:.2f} s")
    seconds, _ = _download(server, {"month": MONTH})
    yield Figure("  and asked for again", f"{seconds:.2f} s")


def _download(server: Server, params: Mapping[str, str]) -> tuple[float, int]:
    """The seconds until the last byte was here, and how many lines there are."""
    start = time.monotonic()
    with httpx.stream("GET", server.url + PATH, params=params, headers=server.headers, timeout=300) as answer:
        answer.raise_for_status()
        lines = sum(piece.count(b"\n") for piece in answer.iter_raw())
    return time.monotonic() - start, lines
