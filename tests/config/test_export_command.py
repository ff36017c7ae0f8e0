"""`wattkeeper export`: against a server as it is in use, and against servers that misbehave."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import pyarrow.parquet
import pytest
from django.core.management.base import CommandError
from openpyxl import load_workbook

from tests.support.commands import HEADER, KEY, fleet_file, remote
from tests.support.faulty import RESET, Answer, faulty
from tests.support.servers import Server, command, free_port

DOWNLOAD = {"Content-Disposition": 'attachment; filename="v.csv"', "Content-Type": "text/csv"}
NAMES = HEADER.split(",")


def csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def json_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text())
    return rows


def xlsx_rows(path: Path) -> list[dict[str, Any]]:
    heading, *rows = load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return rows


READERS = {"csv": csv_rows, "json": json_rows, "xlsx": xlsx_rows, "parquet": parquet_rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the command is called from: what it saves without being told where lies here."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture(autouse=True)
def _in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.mark.xdist_group("running server")
class TestAServer:
    @pytest.fixture(scope="class")
    @staticmethod
    def vehicle(running: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
        """A vehicle with five readings, a minute apart; another one has some too."""
        name = f"v-{uuid4()}"
        file = fleet_file(tmp_path_factory.mktemp("fleet"), [name, f"{name}-other"], rows=5)
        remote("import", file, url=running.url, key=running.key)
        return name

    @pytest.mark.parametrize(("format_", "read"), READERS.items())
    def test_a_vehicles_readings_come_out_in_every_format(
        self, format_: str, read: Callable[[Path], list[dict[str, Any]]], running: Server, vehicle: str,
        folder: Path,
    ) -> None:  # fmt: skip
        where = ("--kind", "vehicle", "--server", running.url, "--key", running.key)
        outcome = command(
            "export", *where, "--asset", vehicle, "--format", format_, home=folder.parent / "home", folder=folder
        )
        assert outcome.returncode == 0, outcome.stderr
        (file,) = folder.iterdir()
        assert file.name == f"{vehicle}.{format_}"
        assert outcome.stdout == f"{file.name}: {file.stat().st_size:,} bytes\n"
        assert running.key not in outcome.stdout + outcome.stderr
        rows = read(file)
        assert list(rows[0]) == NAMES
        assert {row["vehicle_id"] for row in rows} == {vehicle}
        assert [int(float(row["soc"])) for row in rows] == [80, 79, 78, 77, 76]
        assert [float(row["speed"]) for row in rows] == [0.0] * 5

    def export(self, running: Server, vehicle: str, folder: Path, *more: str) -> list[int]:
        """The minutes of the readings that come out, in the order in which they do."""
        file = folder / "asked.csv"
        said = remote(
            "export", "--asset", vehicle, "--output", file, *more, url=running.url, key=running.key
        )  # fmt: skip
        assert said.startswith(f"{file}: ")
        return [int(row["timestamp"].split(":")[1]) for row in csv_rows(file)]

    @pytest.mark.parametrize(
        ("more", "minutes"),
        [
            (("--from", "2024-05-01T10:01:00Z", "--to", "2024-05-01T10:03:00Z"), [1, 2, 3]),
            (("--from", "2024-05-01T10:03:00"), [3, 4]),
            (("--to", "2024-05-01T12:01:00", "--timezone", "Europe/Berlin"), [0, 1]),
            (("--ordering=-timestamp",), [4, 3, 2, 1, 0]),
            (("--ordering", "soc"), [4, 3, 2, 1, 0]),
            (("--from", "2025-01-01T00:00:00Z"), []),
        ],
    )
    def test_only_what_is_asked_for_comes_out(
        self, more: tuple[str, ...], minutes: list[int], running: Server, vehicle: str, folder: Path
    ) -> None:
        assert self.export(running, vehicle, folder, *more) == minutes

    def test_a_later_export_takes_the_place_of_an_earlier_one(
        self, running: Server, vehicle: str, folder: Path
    ) -> None:
        (folder / "asked.csv").write_text("an older and much longer file\n" * 100)
        assert len(self.export(running, vehicle, folder)) == 5
        assert [file.name for file in folder.iterdir()] == ["asked.csv"]

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            (("--from", "yesterday"), "yesterday"),
            (("--ordering", "colour"), "colour"),
            (("--timezone", "Mars/Olympus"), "Mars/Olympus"),
        ],
    )
    def test_a_question_that_makes_no_sense_is_named(
        self, more: tuple[str, ...], sentence: str, running: Server, folder: Path
    ) -> None:
        with pytest.raises(CommandError, match=sentence):
            remote("export", *more, url=running.url, key=running.key)
        assert list(folder.iterdir()) == []

    def test_a_wrong_key_is_said_so_and_not_shown(self, running: Server, folder: Path) -> None:
        where = ("--kind", "vehicle", "--server", running.url, "--key", KEY)
        assert_failed(command("export", *where, home=folder.parent / "home", folder=folder), "key")
        assert list(folder.iterdir()) == []


def assert_failed(outcome: CompletedProcess[str], part: str) -> None:
    assert (outcome.returncode, outcome.stdout) == (1, "")
    (line,) = [line for line in outcome.stderr.splitlines() if line.startswith("CommandError: ")]
    assert part in line
    assert "Traceback" not in outcome.stderr
    assert KEY not in outcome.stderr


BROKEN_OFF = Answer(headers=DOWNLOAD, body=f"{HEADER}\n".encode(), promised=10_000_000)


class TestAServerThatMisbehaves:
    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            (Answer(400, body=b'{"ordering": "No such column."}'), r"^ordering: No such column\.$"),
            (Answer(401, body=b'{"detail": "Unknown key."}'), r"^Unknown key\.$"),
            (Answer(404, body=b"<h1>Not here</h1>"), r"^The server answered 404\.$"),
            (Answer(503, body=b'{"detail": "Busy."}'), r"^Busy\.$"),
            (Answer(302, headers={"Location": "https://b.example/"}), "at another address: https://b.example/$"),
            (Answer(body=b"<h1>Log in to the WLAN</h1>"), "is no Wattkeeper server"),
            (Answer(headers={**DOWNLOAD, "Content-Encoding": "gzip"}, body=b"not gzip"), "The download broke off: "),
            (BROKEN_OFF, "The download broke off: "),
            (RESET, "The download broke off: "),
        ],
    )
    @pytest.mark.parametrize("before", [None, "what was here before"])
    def test_a_failure_is_said_and_leaves_all_as_it_was(
        self, answer: Answer, sentence: str, before: str | None, folder: Path
    ) -> None:
        file = folder / "v.csv"
        if before:
            file.write_text(before)
        with faulty(lambda server, method, path: answer) as server, pytest.raises(CommandError, match=sentence):
            remote("export", url=server.url)
        assert {path.name: path.read_text() for path in folder.iterdir()} == ({"v.csv": before} if before else {})

    def test_where_nothing_listens_is_said_so(self, folder: Path) -> None:
        with pytest.raises(CommandError, match="refused"):
            remote("export", url=f"http://127.0.0.1:{free_port()}")

    def test_a_failure_is_one_line_for_whoever_calls_the_program(self, folder: Path) -> None:
        with faulty(lambda server, method, path: BROKEN_OFF) as server:
            variables = {"WATTKEEPER_SERVER": server.url, "WATTKEEPER_KEY": KEY}
            outcome = command(
                "export", "--kind", "vehicle", "--quiet", home=folder.parent / "home", folder=folder, **variables
            )
        assert_failed(outcome, "The download broke off: ")
        assert len(outcome.stderr.splitlines()) == 1

    @pytest.mark.parametrize("name", ["../../v.csv", "/tmp/v.csv", "a/../v.csv"])
    def test_the_servers_name_for_a_file_is_no_path(self, name: str, folder: Path) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        with faulty(lambda server, method, path: Answer(headers=headers, body=b"a\n")) as server:
            assert remote("export", url=server.url) == "v.csv: 2 bytes\n"
        assert [file.name for file in folder.iterdir()] == ["v.csv"]


class TestWhereItIsSaved:
    @pytest.mark.parametrize("output", ["gone/v.csv", "folder"])
    def test_a_place_that_cannot_be_written_is_named(self, output: str, folder: Path) -> None:
        (folder / "folder").mkdir()
        good = Answer(headers=DOWNLOAD, body=b"a\n")
        with faulty(lambda server, method, path: good) as server, pytest.raises(CommandError, match=output):
            remote("export", "--output", output, url=server.url)
        assert [file.name for file in folder.rglob("*")] == ["folder"]

    def test_an_unknown_format_shows_which_there_are(self, folder: Path) -> None:
        outcome = command("export", "--kind", "vehicle", "--format", "pdf", home=folder)
        assert outcome.returncode == 2
        assert all(name in outcome.stderr for name in READERS)
