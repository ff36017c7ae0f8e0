"""Files that are made while they are sent: in order, few at once, and let go of however the answer ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator

import pytest

from wattkeeper.base.core import download
from wattkeeper.base.core.download import MOST_AT_ONCE, Download
from wattkeeper.base.core.errors import BusyError

WAIT_SECONDS = 30


class Source:
    """Three pieces, and whether who gives them has been told to stop."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.closed = threading.Event()
        self._fails_at = fails_at

    def __iter__(self) -> Iterator[bytes]:
        try:
            for number in range(3):
                if number == self._fails_at:
                    raise OSError("the disk is gone")
                yield b"%d" % number
        finally:
            self.closed.set()


@pytest.fixture
def others() -> list[Download]:
    """As many downloads as there may be beside one more."""
    return [Download(iter(Source())) for _ in range(MOST_AT_ONCE - 1)]


async def read(file: Download) -> bytes:
    return b"".join([piece async for piece in file])


def read_all(file: Download) -> None:
    assert asyncio.run(read(file)) == b"012"


def read_until_it_fails(file: Download) -> None:
    with pytest.raises(OSError, match="the disk is gone"):
        asyncio.run(read(file))


def read_one(file: Download) -> None:
    """As Django does for a reader who goes away."""
    assert asyncio.run(anext(file)) == b"0"  # type: ignore[arg-type]
    file.close()
    file.close()


def forget(file: Download) -> None:
    """As happens to one whose reader has gone before its answer began."""


@pytest.mark.parametrize(
    ("ending", "fails_at"), [(read_all, None), (read_until_it_fails, 1), (read_one, None), (forget, None)]
)
def test_however_a_download_ends_it_makes_room_for_another(
    ending: Callable[[Download], None], fails_at: int | None, others: list[Download]
) -> None:
    source = Source(fails_at=fails_at)
    file = Download(iter(source))
    with pytest.raises(BusyError):
        Download(iter(Source()))
    ending(file)
    thread = file._thread
    del file
    gc.collect()
    thread.shutdown(wait=True)
    assert source.closed.wait(WAIT_SECONDS)
    read_all(Download(iter(Source())))


def test_one_that_fails_before_it_begins_takes_no_room(others: list[Download]) -> None:
    for _ in range(3):
        with pytest.raises(OSError, match="the disk is gone") as failure:
            Download(iter(Source(fails_at=0)))
        failure.value.__traceback__ = None
        del failure
        gc.collect()


def test_who_has_to_wait_is_told_so(others: list[Download], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MOST_AT_ONCE", MOST_AT_ONCE - 1)
    with pytest.raises(BusyError, match="7 files are being downloaded already; try again later") as refusal:
        Download(iter(Source()))
    assert (refusal.value.status, refusal.value.retry_after_seconds) == (503, 10)


def test_pieces_are_made_when_they_are_asked_for_and_not_on_the_servers_thread() -> None:
    made: list[str] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            made.append(threading.current_thread().name)
            yield b"x"

    async def look() -> list[int]:
        return [len(made) async for _ in Download(pieces())]

    assert asyncio.run(look()) == [1, 2, 3]
    assert all(name.startswith("download") for name in made[1:])
