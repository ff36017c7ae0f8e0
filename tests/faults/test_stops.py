"""A server that is told to stop: it does, whoever is still connected, and what it was at is taken up again."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import feeds
from tests.support.servers import API, Server, serving, wait_until

ROWS = 300_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_connected_client_that_asks_nothing_does_not_keep_the_server(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "home") as server, server.client() as client:
        assert client.get("").status_code == 200  # and the connection is kept
        with socket.create_connection(("127.0.0.1", server.port)):  # this one has not even asked yet
            server.signal(number)
            assert server.wait() == 0
    assert "Traceback" not in server.output


def test_a_stopped_server_lets_its_home_and_its_address_go(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server:
        for times in range(2):
            with server.client() as client:
                row = feeds.reading(at=f"2025-01-0{times + 1}T00:00:00Z")
                assert client.post("", json=row).status_code == 201
                assert feeds.rows_stored(client) == times + 1
            assert server.stop() == 0
            server.start()


def load_over(server: Server, client: httpx.Client, place: str) -> dict[str, Any]:
    """The report of a load that nobody asks for again."""
    status: dict[str, Any] = {}

    def over() -> bool:
        status.update(client.get(f"{server.url}{place}").json())
        return status["status"] != "running"

    wait_until(over, "the load is over")
    assert status["status"] == "done", status
    return dict(status["report"])


def test_a_stop_in_the_middle_of_a_load_costs_no_row(tmp_path: Path) -> None:
    """The server may wait for its end or not: what counts is what is there after the next start."""
    file = feeds.feed_make(tmp_path / "fleet.csv", rows=ROWS)
    with serving(tmp_path / "home") as server:
        feeds.chunks_send(server, file)
        with server.client() as client:
            place = feeds.finalize(client, file).headers["Location"]
            wait_until(lambda: any((server.home / "uploads").glob("*/whole.txt")), "the load is under way")
            assert server.stop() == 0
        server.start()
        with server.client() as client:
            report = load_over(server, client, place)
            assert (report["rows_read"], report["inserted"], report["duplicates"]) == (ROWS, ROWS, 0)
            assert feeds.rows_stored(client) == ROWS


def test_a_load_that_takes_too_long_to_wait_for_is_given_back_and_goes_on_at_the_next_start(tmp_path: Path) -> None:
    file = feeds.feed_make(tmp_path / "fleet.csv", rows=30_000)
    with serving(tmp_path / "home") as server:
        feeds.chunks_send(server, file)
        # A pipe that nobody writes to is a disk that does not answer.
        (chunk,) = (server.home / "uploads").glob(f"*/{file.chunks - 1:08d}")
        kept = chunk.rename(tmp_path / "kept")
        os.mkfifo(chunk)
        with server.client() as client:
            place = feeds.finalize(client, file).headers["Location"]
            wait_until(lambda: feeds.runs(server.home) == [("running", 1)], "the load is under way")
            assert server.stop() == 0
        assert feeds.runs(server.home) == [("queued", 0)]  # it costs the load none of its attempts
        kept.replace(chunk)
        server.start()
        with server.client() as client:
            assert load_over(server, client, place)["inserted"] == 30_000
            assert feeds.rows_stored(client) == 30_000


def slow_reader(server: Server) -> socket.socket:
    """Asks for an export larger than any buffer on the way, reads its beginning, and then no more."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", server.port))
    lines = [f"GET {API}export/?export=json HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Api-Key {server.key}"]
    reader.sendall("\r\n".join([*lines, "", ""]).encode())
    assert reader.recv(12) == b"HTTP/1.1 200"
    return reader


def test_a_reader_of_an_export_who_takes_nothing_does_not_keep_the_server(tmp_path: Path) -> None:
    file = feeds.feed_make(tmp_path / "fleet.csv", rows=100_000)
    with serving(tmp_path / "home") as server:
        feeds.chunks_send(server, file)
        assert feeds.loaded(server, file)["inserted"] == 100_000
        with slow_reader(server):
            with server.client() as client:
                assert client.post("", json=feeds.reading()).status_code == 201  # nor does it keep others
            assert server.stop() == 0
        server.start()
        with server.client() as client:
            assert feeds.rows_stored(client) == 100_001
