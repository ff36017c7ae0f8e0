"""A server that is killed while it loads a file: every row of it is there once in the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support import feeds
from tests.support.servers import Server, serving, wait_until
from wattkeeper.config.remote import UploadFile

ROWS = 600_000  # three blocks of the engine's


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> UploadFile:
    return feeds.feed_make(tmp_path_factory.mktemp("feed") / "fleet.csv", rows=ROWS)


def kill_all(server: Server) -> None:
    os.killpg(server.parent, signal.SIGKILL)


def kill_parent(server: Server) -> None:
    os.kill(server.parent, signal.SIGKILL)


def kill_worker(server: Server) -> None:
    os.kill(server.worker, signal.SIGKILL)


def is_read(server: Server, client: httpx.Client) -> bool:
    """The chunks are being put together."""
    return any((server.home / "uploads").glob("*/whole.txt"))


def is_half_stored(server: Server, client: httpx.Client) -> bool:
    """The engine stores a file in blocks, and readers see the first of them already."""
    return feeds.rows_stored(client) > 0


@pytest.mark.parametrize(
    ("moment", "kill"),
    [(is_read, kill_all), (is_read, kill_parent), (is_half_stored, kill_all), (is_half_stored, kill_worker)],
)
def test_a_load_that_is_killed_and_runs_again_stores_every_row_once(
    tmp_path: Path, file: UploadFile, kill: Callable[[Server], None], moment: Callable[[Server, httpx.Client], bool]
) -> None:
    with serving(tmp_path / "home") as server:
        feeds.chunks_send(server, file)
        with server.client() as client:
            assert feeds.finalize(client, file).status_code == 202
            wait_until(lambda: moment(server, client), "the load is under way")
            kill(server)
        assert server.wait() != 0  # neither half outlives the other
        if kill is not kill_parent:  # whose worker has half a second more, in which it may get through
            assert feeds.runs(server.home) == [("running", 1)]
        server.start()
        report = feeds.loaded(server, file)
        assert (report["rows_read"], report["inserted"], report["duplicates"]) == (ROWS, ROWS, 0)
        with server.client() as client:
            assert feeds.rows_stored(client) == ROWS
        assert feeds.loaded(server, file) == report  # asked again, it says so again


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server:
        with server.client() as client:
            first = client.post("", json=feeds.reading())
            assert first.status_code == 201
        server.kill_group()
        server.start()
        with server.client() as client:
            assert client.get(f"{first.json()['id']}/").json() == first.json()
            again = client.post("", json=feeds.reading(odometer=99))
            assert again.status_code == 400  # the first still wins
            assert feeds.rows_stored(client) == 1


def test_chunks_that_were_acknowledged_need_not_be_sent_again_after_a_kill(tmp_path: Path) -> None:
    file = feeds.feed_make(tmp_path / "small.csv", rows=500)
    with serving(tmp_path / "home") as server:
        feeds.chunks_send(server, file)
        server.kill_group()
        server.start()
        assert feeds.loaded(server, file)["inserted"] == 500
