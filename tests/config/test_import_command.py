"""`wattkeeper import`: against a server as it is in use, and against servers that misbehave."""

from __future__ import annotations

import csv
import gzip
import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from uuid import uuid4

import pytest
from django.core.management.base import CommandError

from tests.support.batteries import client_of
from tests.support.commands import HEADER, KEY, REPORT, fleet_file, remote
from tests.support.faulty import RESET, Answer, FaultyServer, Script, faulty
from tests.support.servers import Server, command, free_port
from wattkeeper.config import remote as remote_module

ROW = "2024-05-01T10:00:00Z,0,100.5,80,12.5,D"


@pytest.fixture
def vehicle() -> str:
    return f"v-{uuid4()}"


def imported(file: Path, server: Server, *more: object, key: str = "", **variables: str) -> CompletedProcess[str]:
    where = ("--kind", "vehicle", "--server", server.url, "--key", key or server.key)
    return command("import", file, *where, *more, home=file.parent, **variables)


def assert_refused(outcome: CompletedProcess[str], *parts: str, key: str) -> None:
    """It ended badly, with one line that has these parts and not the key."""
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    (line,) = [line for line in outcome.stderr.splitlines() if line.startswith("CommandError: ")]
    assert all(part in line for part in parts), line
    assert "Traceback" not in outcome.stderr
    assert key not in outcome.stderr


@pytest.mark.xdist_group("running server")
class TestAServer:
    def test_a_file_goes_in_once(self, running: Server, vehicle: str, tmp_path: Path) -> None:
        file = fleet_file(tmp_path, [vehicle, f"{vehicle}-2"], rows=3)
        first, second = imported(file, running), imported(file, running)
        assert (first.returncode, first.stdout) == (0, "6 stored, 0 duplicates, 0 refused, 0 flagged\n")
        assert (second.returncode, second.stdout) == (0, "0 stored, 6 duplicates, 0 refused, 0 flagged\n")
        for said in (first.stdout, first.stderr, second.stdout, second.stderr):
            assert running.key not in said

    def test_a_file_of_batteries_goes_in_and_out_again(self, running: Server, vehicle: str, tmp_path: Path) -> None:
        serial, plate = f"B-{vehicle}", {"battery_type": "Li-ion", "capacity": 5000, "voltage_nominal": 3.7}
        with client_of(running) as client:
            client.post("/api/batteries/", json={"serial_number": serial, **plate}).raise_for_status()
        file, back = tmp_path / "pack.csv", tmp_path / "back.csv"
        file.write_text("logged_at,current_charge\n2024-05-01T10:00:00Z,50.5\n2024-05-01T10:01:00Z,50\n")
        where = ("--kind", "battery", "--asset", serial, "--server", running.url, "--key", running.key)
        sent = command("import", file, *where, home=tmp_path)
        assert (sent.returncode, sent.stdout) == (0, "2 stored, 0 duplicates, 0 refused, 0 flagged\n")
        got = command("export", *where, "--output", back, home=tmp_path)
        assert got.returncode == 0, got.stderr
        with back.open(newline="") as rows:
            assert [(row["serial_number"], row["current_charge"]) for row in csv.DictReader(rows)] == [
                (serial, "50.5"),
                (serial, "50"),
            ]

    def test_a_file_without_a_vehicle_column_goes_in_for_the_vehicle_that_is_named(
        self, running: Server, vehicle: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "one.csv"
        file.write_text(f"{HEADER.partition(',')[2]}\n{ROW}\n")
        outcome = imported(file, running, "--asset", vehicle)
        assert outcome.stdout == "1 stored, 0 duplicates, 0 refused, 0 flagged\n"
        assert_refused(imported(file, running), "missing required columns", "vehicle_id", key=running.key)

    def test_rows_of_another_vehicle_than_the_one_that_is_named_are_refused(
        self, running: Server, vehicle: str, tmp_path: Path
    ) -> None:
        file = fleet_file(tmp_path, [vehicle, "another"], rows=1)
        outcome = imported(file, running, "--asset", vehicle)
        heading, line = outcome.stdout.splitlines()
        assert heading == "1 stored, 0 duplicates, 1 refused, 0 flagged"
        assert line.startswith("  row 3 vehicle_id 'another': ")

    def test_a_file_of_several_chunks_is_one_file(self, running: Server, vehicle: str, tmp_path: Path) -> None:
        file = tmp_path / "large.csv"
        padding = "x" * 120
        start = datetime(2024, 5, 1)
        minutes = [f"{start + timedelta(minutes=n)}" for n in range(20_000)]
        rows = [f"{vehicle},{at},0,100.5,80,12.5,D,{padding}" for at in minutes]
        file.write_text("\n".join([f"{HEADER},comment", *rows]) + "\n")
        assert file.stat().st_size > 3 * remote_module.CHUNK_BYTES
        said = imported(file, running).stdout.splitlines()
        assert said == [
            f"{len(rows):,} stored, 0 duplicates, 0 refused, 0 flagged",
            "Columns not looked at: comment",
        ]

    def test_refused_rows_are_named_and_can_be_saved(self, running: Server, vehicle: str, tmp_path: Path) -> None:
        file, kept = tmp_path / "bad.csv", tmp_path / "refused.csv"
        bad = [f"{vehicle},2024-05-01T11:00:{n:02}Z,0,100.5,{200 + n},12.5,D" for n in range(12)]
        file.write_text("\n".join([HEADER, f"{vehicle},{ROW}", *bad]) + "\n")
        outcome = imported(file, running, "--refused", kept)
        lines = outcome.stdout.splitlines()
        assert outcome.returncode == 0
        assert lines[0] == "1 stored, 0 duplicates, 12 refused, 0 flagged"
        assert lines[1].startswith("  row 3 soc '200': ")
        assert len(lines) == 12
        assert "2 more" in lines[-1]
        with kept.open(newline="") as saved:
            assert [row["value"] for row in csv.DictReader(saved)] == [str(200 + n) for n in range(12)]

    def test_the_address_and_the_key_may_stand_in_the_environment(
        self, running: Server, vehicle: str, tmp_path: Path
    ) -> None:
        file = fleet_file(tmp_path, [vehicle], rows=1)
        variables = {"WATTKEEPER_SERVER": running.url, "WATTKEEPER_KEY": f"{running.key}\n"}
        outcome = command("import", file, "--kind", "vehicle", home=tmp_path, **variables)
        assert outcome.stdout == "1 stored, 0 duplicates, 0 refused, 0 flagged\n"

    def test_a_wrong_key_is_said_so_and_not_shown(self, running: Server, tmp_path: Path) -> None:
        file = fleet_file(tmp_path, ["x"])
        where = ("--kind", "vehicle", "--server", running.url, "--key", KEY)
        assert_refused(command("import", file, *where, home=tmp_path), "key", key=KEY)

    def test_a_key_that_may_only_read_sends_nothing(self, running: Server, tmp_path: Path) -> None:
        name = f"reader-{uuid4()}"[:30]
        reader = command("key", "add", name, "--scope", "read", home=running.home).stdout.strip()
        outcome = imported(fleet_file(tmp_path, ["x"]), running, key=reader)
        assert_refused(outcome, key=reader)

    @pytest.mark.parametrize(("content", "reason"), [(b"\x89PNG\r\n", "PNG image"), (b"a,b\n1,2\n", "missing")])
    def test_what_is_no_file_of_readings_is_said_so(
        self, content: bytes, reason: str, running: Server, tmp_path: Path
    ) -> None:
        (tmp_path / "no.csv").write_bytes(content)
        assert_refused(imported(tmp_path / "no.csv", running), reason, key=running.key)


class TestBeforeAnythingIsSent:
    @pytest.mark.parametrize("missing", ["gone.csv", "."])
    def test_no_file_is_said_so(self, missing: str, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="There is no file"):
            remote("import", tmp_path / missing, url="http://127.0.0.1:1")

    def test_an_empty_file_is_said_so(self, tmp_path: Path) -> None:
        (tmp_path / "empty.csv").touch()
        with pytest.raises(CommandError, match=r"empty\.csv is empty"):
            remote("import", tmp_path / "empty.csv", url="http://127.0.0.1:1")

    @pytest.mark.parametrize(
        "url", ["127.0.0.1:8000", "localhost", "ftp://host", "http://", "http://host:99999", "http://h:x"]
    )
    def test_an_address_that_is_none_is_said_so_at_once(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="address cannot be right: give one such as http://"):
            remote("import", fleet_file(tmp_path, ["v"]), url=url)

    @pytest.mark.parametrize("key", [f"{KEY}\nX: y", f"{KEY}-ü", f"{KEY}\0", " \n"])
    def test_a_key_that_is_none_is_not_repeated(self, key: str, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="key cannot be right") as caught:
            remote("import", fleet_file(tmp_path, ["v"]), url="http://127.0.0.1:1", key=key)
        assert KEY not in str(caught.value)

    def test_no_key_is_said_so_with_where_it_comes_from(self, tmp_path: Path) -> None:
        outcome = command("import", fleet_file(tmp_path, ["v"]), "--kind", "vehicle", home=tmp_path)
        assert_refused(outcome, "--key", "WATTKEEPER_KEY", "wattkeeper key add", key=KEY)

    @pytest.mark.parametrize("arguments", [("x.csv",), ("--kind", "vehicle"), ("x.csv", "--kind", "spaceship")])
    def test_a_command_that_is_not_whole_shows_how_it_is_used(self, arguments: tuple[str, ...], tmp_path: Path) -> None:
        outcome = command("import", *arguments, home=tmp_path)
        assert outcome.returncode == 2
        assert outcome.stderr.startswith("usage: ")


RECEIVED = Answer(body=b'{"status": "chunk received"}')
DONE = Answer(body=json.dumps(REPORT).encode())
STORED = "1 stored, 0 duplicates, 0 refused, 0 flagged\n"


def step(chunk: Answer = RECEIVED, finalize: Answer = DONE) -> Script:
    return lambda server, method, path: chunk if "upload_chunk" in path else finalize


def at_first(times: int, fault: Answer, then: Script) -> Script:
    """The first requests of each step meet the fault."""
    return lambda server, method, path: fault if server.times(path) <= times else then(server, method, path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same attempts, with less time between them."""
    monkeypatch.setattr(remote_module, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(remote_module, "POLL_SECONDS", 0.001)


@pytest.mark.usefixtures("impatient")
class TestAServerThatMisbehaves:
    @pytest.mark.parametrize(
        "fault",
        [
            *(Answer(status) for status in (429, 500, 502, 503, 504)),
            Answer(503, headers={"Retry-After": "0"}),
            Answer(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
            RESET,
            Answer(promised=100),
            Answer(headers={"Content-Encoding": "gzip"}, body=b"this is not gzip"),
        ],
    )
    def test_what_may_pass_is_tried_again(self, fault: Answer, tmp_path: Path) -> None:
        with faulty(at_first(3, fault, step())) as server:
            assert remote("import", fleet_file(tmp_path, ["v"]), url=server.url) == STORED
            assert server.times("upload_chunk") == server.times("finalize_upload") == 4

    @pytest.mark.parametrize("fault", [Answer(503, body=b'{"detail": "Busy."}'), RESET])
    def test_what_does_not_pass_is_given_up(self, fault: Answer, tmp_path: Path) -> None:
        with faulty(step(chunk=fault)) as server:
            with pytest.raises(CommandError, match=r"^(Busy\.|The server cannot be reached: .+[^.]\.)$"):
                remote("import", fleet_file(tmp_path, ["v"]), url=server.url)
            assert server.times("upload_chunk") == remote_module.ATTEMPTS
            assert not server.times("finalize")

    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            (Answer(401, body=b'{"detail": "Unknown key."}'), r"^Unknown key\.$"),
            (Answer(400, body=b'{"chunk": ["Too", "bad."], "n": 1}'), r"^chunk: Too bad\. n: 1$"),
            (Answer(404, body=b"<h1>Not here</h1>"), r"^The server answered 404\.$"),
            (Answer(404, body=b"{}"), r"^The server answered 404\.$"),
            (Answer(409, body=b'["a"]'), r"^The server answered 409: \['a'\]$"),
            (Answer(301, headers={"Location": "https://b.example/x"}), "at another address: https://b.example/x$"),
        ],
    )
    def test_what_will_not_pass_is_said_at_once(self, answer: Answer, sentence: str, tmp_path: Path) -> None:
        with faulty(step(chunk=answer)) as server:
            with pytest.raises(CommandError, match=sentence):
                remote("import", fleet_file(tmp_path, ["v"]), url=server.url)
            assert server.times("upload_chunk") == 1

    @pytest.mark.parametrize(
        "script",
        [
            step(chunk=Answer(body=b"<h1>Log in to the WLAN</h1>")),
            step(chunk=Answer(body=b"[]")),
            step(finalize=Answer(body=b"\xff\xfe")),
            step(finalize=Answer(body=b"{}")),
            step(finalize=Answer(202, headers={"Location": "http://h:x"})),
            step(finalize=Answer(202, headers={"Location": "/place/"}, body=b"{}")),
            step(finalize=Answer(202, headers={"Location": "/place/"}, body=b'{"status": "done"}')),
            step(finalize=Answer(202, headers={"Location": "/place/"}, body=b'{"status": "failed"}')),
            step(finalize=Answer(202, headers={"Location": "/place/"}, body=b'{"status": "eh"}')),
        ],
    )
    def test_what_is_no_answer_of_ours_is_said_so(self, script: Script, tmp_path: Path) -> None:
        with faulty(script) as server, pytest.raises(CommandError, match="is no Wattkeeper server"):
            remote("import", fleet_file(tmp_path, ["v"]), url=server.url)

    def test_a_load_that_takes_its_time_is_waited_for(self, tmp_path: Path) -> None:
        def script(server: FaultyServer, method: str, path: str) -> Answer:
            if "place" not in path:
                return step(finalize=Answer(202, headers={"Location": "/place/"}))(server, method, path)
            if server.times("place") < 5:
                return Answer(body=b'{"status": "running", "progress": {"done": 1, "total": 2}}')
            return Answer(body=json.dumps({"status": "done", "report": REPORT}).encode())

        with faulty(script) as server:
            assert remote("import", fleet_file(tmp_path, ["v"]), url=server.url) == STORED

    def test_a_load_that_failed_says_why(self, tmp_path: Path) -> None:
        failed = Answer(202, headers={"Location": "/place/"}, body=b'{"status": "failed", "detail": "Disk full."}')
        with faulty(step(finalize=failed)) as server, pytest.raises(CommandError, match=r"^Disk full\.$"):
            remote("import", fleet_file(tmp_path, ["v"]), url=server.url)

    def test_a_slow_answer_is_waited_for(self, tmp_path: Path) -> None:
        def script(server: FaultyServer, method: str, path: str) -> Answer:
            time.sleep(0.3)
            return step()(server, method, path)

        with faulty(script) as server:
            assert remote("import", fleet_file(tmp_path, ["v"]), url=server.url) == STORED

    def test_an_answer_that_does_not_come_is_given_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(remote_module, "TIMEOUT", 0.05)

        def script(server: FaultyServer, method: str, path: str) -> Answer:
            time.sleep(0.3)
            return RESET

        with faulty(script) as server, pytest.raises(CommandError, match="The server cannot be reached: timed out"):
            remote("import", fleet_file(tmp_path, ["v"]), url=server.url)

    def test_where_nothing_listens_the_server_cannot_be_reached(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"The server cannot be reached: .*refused"):
            remote("import", fleet_file(tmp_path, ["v"]), url=f"http://127.0.0.1:{free_port()}")

    def test_a_chunk_that_fails_for_good_stops_the_others(self, tmp_path: Path) -> None:
        chunks = 40
        (tmp_path / "large.csv").write_bytes(os.urandom(16) * (chunks << 16))
        with faulty(step(chunk=Answer(401))) as server:
            with pytest.raises(CommandError):
                remote("import", tmp_path / "large.csv", url=server.url)
            assert 1 <= server.times("upload_chunk") < chunks


def test_a_failure_is_one_line_for_whoever_calls_the_program(tmp_path: Path) -> None:
    refusal = Answer(401, body=gzip.compress(b'{"detail": "No."}'), headers={"Content-Encoding": "gzip"})
    with faulty(step(chunk=refusal)) as server:
        where = ("--kind", "vehicle", "--server", server.url, "--key", KEY)
        outcome = command("import", fleet_file(tmp_path, ["v"]), *where, "--quiet", home=tmp_path)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (1, "", "CommandError: No.\n")
