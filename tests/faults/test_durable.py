"""What is answered with success is on the disk before the answer is on its way: seen in the system calls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import feeds, message_load
from tests.support.batteries import client_of
from tests.support.servers import Server, serving

pytestmark = pytest.mark.needs("strace")

SYNC = "fsync,fdatasync"
JSON = {"Content-Type": "application/json"}
SEND = "write,writev,sendto,sendmsg"
_SYNCED = re.compile(r"f(?:data)?sync\(\d+<(?P<path>[^>]*)>\) += 0")
_RENAMED = re.compile(r'rename\w*\(.*"(?P<path>[^"]*)"(?:, \w+)?\) += 0')
_LINE = re.compile(r"(?P<thread>\d+) +(?P<call>.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(?P<rest>.*)")


class Trace:
    """What the threads of a server asked of the system, in the order in which they were answered."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def calls(self) -> list[str]:
        """Calls in one piece each, at the place where they ended; an answer on its way out, where it began."""
        begun: dict[str, str] = {}
        calls = []
        for line in self.path.read_text(errors="replace").splitlines():
            if not (found := _LINE.fullmatch(line)):
                continue
            thread, call = found["thread"], found["call"]
            if call.endswith(" <unfinished ...>"):
                call = call.removesuffix(" <unfinished ...>")
                if "HTTP/1.1" not in call:
                    begun[thread] = call
                    continue
            elif resumed := _RESUMED.fullmatch(call):
                if thread not in begun:
                    continue
                call = begun.pop(thread) + resumed["rest"]
            calls.append(call)
        return calls

    def before_answer(self, status: str) -> list[str]:
        """The calls between the last answer of that status to the API and the answer before it."""
        calls = self.calls()
        answers = [place for place, call in enumerate(calls) if '"HTTP/1.1 ' in call]
        api = [place for place in answers if f'"HTTP/1.1 {status}' in calls[place] and "/json" in calls[place]]
        assert api, f"No answer {status} was seen on its way"
        before = max((place for place in answers if place < api[-1]), default=0)
        return calls[before : api[-1]]


def synced(calls: list[str]) -> list[str]:
    return [found["path"] for call in calls if (found := _SYNCED.match(call))]


def renamed(calls: list[str]) -> list[str]:
    return [found["path"] for call in calls if (found := _RENAMED.match(call))]


@contextmanager
def traced(folder: Path) -> Iterator[tuple[Server, Trace]]:
    """A server whose threads are watched from its start on."""
    trace = Trace(folder / "trace")
    # -D: what we start is the server and not its watcher. -y: descriptors by the names of their files.
    options = ["-D", "-f", "-y", "-s", "160", "-e", f"trace={SYNC},{SEND},rename,renameat,renameat2"]
    with serving(folder / "home", prefix=["strace", *options, "-o", str(trace.path)]) as server:
        # A database's first write to a new log is synced even by those that sync no other.
        with server.client() as client:
            assert client.post("", json=feeds.reading("earlier")).status_code == 201
        yield server, trace


def test_a_chunk_is_on_the_disk_with_its_name_before_its_200(tmp_path: Path) -> None:
    file = feeds.feed_make(tmp_path / "small.csv", rows=50)
    with traced(tmp_path) as (server, trace):
        feeds.chunks_send(server, file)
        (chunk,) = (server.home / "uploads").glob("*/00000000")
        assert server.stop() == 0
    calls = trace.before_answer("200 OK")
    assert [path for path in synced(calls) if path.startswith(f"{chunk}.")], "the content"
    assert str(chunk) in renamed(calls)
    named = next(place for place, call in enumerate(calls) if renamed([call]) == [str(chunk)])
    assert {str(chunk.parent), str(chunk.parent.parent)} <= set(synced(calls[named:])), "the names"
    assert [path for path in synced(calls) if path.endswith("sqlite3-wal")], "what is known of the upload"


@pytest.mark.parametrize(
    ("path", "content", "part"),
    [
        ("", feeds.reading(), "2025"),
        (message_load.PATH, message_load.Messages(datetime(2025, 5, 1)).body(1, 0), f"{datetime.now(UTC):%Y}"),
        (message_load.PATH, message_load.Messages(datetime(2025, 5, 1), per=3).body(1, 0), f"{datetime.now(UTC):%Y}"),
    ],
    ids=["reading", "message", "array"],
)
def test_a_reading_is_on_the_disk_before_its_201(tmp_path: Path, path: str, content: Any, part: str) -> None:
    with traced(tmp_path) as (server, trace):
        with client_of(server) as client:
            body = content if isinstance(content, bytes) else json.dumps(content)
            where = path or str(server.client().base_url)
            assert client.post(where, content=body, headers=JSON).status_code == 201
        assert server.stop() == 0
    calls = trace.before_answer("201 Created")
    year = re.compile(rf"{re.escape(str(server.home))}/readings/.*/(?:tmp_insert_)?{part}_\w+")
    content_ = [path for path in synced(calls) if year.match(path) and path.endswith("/data.bin")]
    assert content_
    table = str(Path(content_[0]).parents[1])
    placed = [path for path in renamed(calls) if path.startswith(f"{table}/{part}_")]
    assert placed
    after = calls[next(place for place, call in enumerate(calls) if renamed([call]) == placed[:1]) :]
    assert table in synced(after), "its place in the table"
    assert [path for path in synced(calls) if path.endswith("wattkeeper.sqlite3-wal")], "its thing, which is new"


def test_a_load_is_on_the_disk_before_its_report(tmp_path: Path) -> None:
    file = feeds.feed_make(tmp_path / "small.csv", rows=50)
    with traced(tmp_path) as (server, trace):
        feeds.chunks_send(server, file)
        with server.client() as client:
            answer = client.post("finalize_upload/", data=file.form())
            assert (answer.status_code, answer.json()["inserted"]) == (200, 50)
        assert server.stop() == 0
    calls = trace.calls()
    chunk, report = [place for place, call in enumerate(calls) if '"HTTP/1.1 200 OK' in call and "/json" in call][:2]
    of_load = synced(calls[chunk:report])
    stored = [
        place for place, path in enumerate(of_load) if re.search(r"/readings/.*/tmp_insert_2024\w+/data.bin", path)
    ]
    assert stored
    assert [path for path in of_load[stored[-1] :] if path.endswith("wattkeeper.sqlite3-wal")], "the report"
