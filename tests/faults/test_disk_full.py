"""A disk that runs full: said in so many words, nothing acknowledged is lost, and with room again all works."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import feeds
from tests.support.servers import serving

pytestmark = pytest.mark.needs("tmpfs")

MB = 1 << 20
DISK_MB = 64
RESERVE_MB = 24


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one, of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", tmp_path], check=True)
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


def chunk_send(client: httpx.Client, index: int, *, name: str = "big.csv", content: bytes | None = None) -> Any:
    return client.post(
        "upload_chunk/",
        data={"file_name": name, "total_chunks": 100, "chunk_index": index, "vehicle_id": "truck"},
        files={"chunk": ("chunk", os.urandom(MB) if content is None else content)},
    )


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Not a byte is left while this lasts."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        for piece in (MB, 4096, 1):
            try:
                while out.write(b"x" * piece) == piece:
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        filler.unlink()


def assert_says_full(answer: httpx.Response) -> None:
    assert answer.status_code == 507, answer.text
    assert "disk" in answer.json()["detail"]
    assert "full" in answer.json()["detail"]


def test_chunks_stop_before_the_room_of_the_database_is_taken_and_go_on_when_there_is_more(disk: Path) -> None:
    with serving(disk / "home", DISK_RESERVE_MB=str(RESERVE_MB)) as server, server.client() as client:
        filler = disk / "filler"
        filler.write_bytes(bytes((DISK_MB - RESERVE_MB - 6) * MB))
        answers = [chunk_send(client, index) for index in range(10)]
        stored = [answer for answer in answers if answer.status_code == 200]
        assert stored
        assert len(stored) < len(answers)
        for answer in answers[len(stored) :]:
            assert_says_full(answer)
        assert client.post("", json=feeds.reading()).status_code == 201  # which is what the room is kept for
        filler.unlink()
        assert chunk_send(client, len(stored)).status_code == 200
        small = feeds.feed_make(disk / "small.csv", rows=300)
        feeds.chunks_send(server, small)
        assert feeds.loaded(server, small)["inserted"] == 300
        assert feeds.rows_stored(client) == 301


def test_a_file_for_which_there_is_no_room_any_more_keeps_its_chunks_and_can_be_loaded_later(disk: Path) -> None:
    with serving(disk / "home", DISK_RESERVE_MB=str(RESERVE_MB)) as server, server.client() as client:
        small = feeds.feed_make(disk / "small.csv", rows=300)
        feeds.chunks_send(server, small)
        filler = disk / "filler"
        filler.write_bytes(bytes((DISK_MB - RESERVE_MB) * MB))
        refused = client.post("finalize_upload/", data=small.form())
        assert refused.status_code in (503, 507)
        assert "disk is full" in refused.json()["detail"]
        filler.unlink()
        assert feeds.loaded(server, small)["inserted"] == 300


def test_a_disk_without_a_byte_left_refuses_what_is_new_and_shows_what_is_stored(disk: Path) -> None:
    with serving(disk / "home") as server, server.client() as client:
        before = client.post("", json=feeds.reading()).json()
        with filled(disk):
            assert_says_full(client.post("", json=feeds.reading(at="2025-01-02T00:00:00Z")))
            assert_says_full(client.post("", json=feeds.reading("another")))
            assert_says_full(chunk_send(client, 0, content=b"vehicle_id"))
            assert client.get(f"{before['id']}/").json() == before
            assert client.get("").json()["results"] == [before]
            assert client.get("export/", params={"export": "csv"}).text.count("\n") == 2
        for vehicle, at in (("single", "2025-01-02T00:00:00Z"), ("another", "2025-01-01T00:00:00Z")):
            again = client.post("", json=feeds.reading(vehicle, at))
            assert again.status_code == 201  # what was refused was not stored
        assert feeds.rows_stored(client) == 3


def test_a_server_whose_disk_was_full_starts_again_with_what_it_had(disk: Path) -> None:
    with serving(disk / "home") as server:
        with server.client() as client:
            assert client.post("", json=feeds.reading()).status_code == 201
            with filled(disk):
                assert_says_full(client.post("", json=feeds.reading(at="2025-01-02T00:00:00Z")))
                server.kill_group()
        server.start()
        with server.client() as client:
            assert feeds.rows_stored(client) == 1
