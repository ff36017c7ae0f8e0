"""The API answers as its OpenAPI says. schemathesis asks it, in a process of its own: a real server, every operation
there is, with good requests and bad ones, and with what one answer gives for the next request."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from tests.access.test_every_url import OPEN
from tests.access.url_map import SAMPLES
from tests.support.batteries import client_of
from tests.support.machine import repository
from tests.support.meters import documented
from tests.support.servers import PATIENCE_SECONDS, Server, environment, serving

SNAPSHOT = repository() / "docs" / "openapi.yaml"
CONFIG = repository() / "tests" / "support" / "schemathesis.toml"
DESCRIBED: Mapping[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = [f"{method.upper()} {path}" for path, methods in DESCRIBED["paths"].items() for method in methods]
STATEFUL = "Stateful tests"  # schemathesis's name for requests that are made from other requests' answers
# As many as an operation that deletes them is not done with.
UPLOADS = 20
# So many channels, each with a route and a test that is sent: no schema can say what makes a good one of each type.
CHANNELS = 20
# Where to, whose, what; the last row of each is refused.
FILES = (
    (
        "/api/v1/vehicle_data/",
        {"vehicle_id": "V1"},
        b"timestamp,odometer,soc,elevation\n2024-05-01T12:00:00Z,1,50,3\n2024-05-01T12:00:01Z,1,500,3\n",
    ),
    (
        "/api/v1/battery_status/",
        {"serial_number": "B1"},
        b"logged_at,current_charge\n2024-05-01T12:00:00Z,50\n2024-05-01T12:00:01Z,101\n",
    ),
)
PLATE = {"battery_type": "Li-ion", "capacity": 5000, "voltage_nominal": 3.7}


def test_the_committed_description_is_what_the_program_says() -> None:
    said = OpenApiYamlRenderer().render(DESCRIBED, renderer_context={}).decode()
    if SNAPSHOT.read_text() != said:
        pytest.fail(
            f"{SNAPSHOT.name} is not what the program says: run make openapi and look at the diff.", pytrace=False
        )


def test_the_description_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    SchemaGenerator().get_schema(request=None, public=True)
    GENERATOR_STATS.emit_summary()
    assert capsys.readouterr().err == ""


@dataclass(frozen=True)
class Report:
    """What schemathesis found, by operation, and its summary."""

    failures: Mapping[str, str]
    summary: Mapping[str, Any]
    output: str

    def accepted(self, operation: str) -> int:
        """How many of its requests the operation did not refuse."""
        return sum(phase["accepted"] for phase in self.summary["valid_rates"][operation].values())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("openapi") / "home") as server:
        yield server


@pytest.fixture(scope="module")
def uploads(server: Server) -> list[str]:
    """The ids of some uploads, each with a refused row: of one stream and of the other by turns."""
    ids = []
    with client_of(server) as client:
        client.post("/api/batteries/", json={"serial_number": "B1", **PLATE}).raise_for_status()
        client.post("/api/data/", json=documented()).raise_for_status()
        for number, (path, whose, file) in itertools.product(range(UPLOADS), FILES):
            name, chunk = {"file_name": f"{number}.csv", "total_chunks": "1", **whose}, {"chunk": file}
            client.post(f"{path}upload_chunk/", data={**name, "chunk_index": "0"}, files=chunk).raise_for_status()
            ids.append(client.post(f"{path}finalize_upload/", data=name).raise_for_status().json()["id"])
    return ids


@pytest.fixture(scope="module")
def channels(server: Server) -> int:
    """How many channels there are, each with a route and a message, all with the ids from 1 on."""
    mail = {"type": "email", "settings": {"recipients": ["shift@demo.invalid"]}}
    with client_of(server) as client:
        for number in range(1, CHANNELS + 1):
            base = "/api/notifications/"
            client.post(f"{base}channels/", json={"name": f"Shift {number}", **mail}).raise_for_status()
            client.post(f"{base}routes/", json={"channel": number}).raise_for_status()
            client.post(f"{base}channels/{number}/test/").raise_for_status()
    return CHANNELS


@pytest.fixture(scope="module")
def heard(server: Server, uploads: list[str], channels: int, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """By who may do all that a tenant's admin may."""
    folder = tmp_path_factory.mktemp("heard")
    schema, junit, summary = folder / "openapi.yaml", folder / "junit.xml", folder / "summary.json"
    schema.write_bytes(OpenApiYamlRenderer().render(DESCRIBED, renderer_context={}))
    config = ["--config-file", CONFIG]
    reports = ["--report", "junit,json", "--report-junit-path", junit, "--report-json-path", summary]
    caller = ["--url", server.url, "--header", f"Authorization: Api-Key {server.key}"]
    ran = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *config, "run", schema, "--no-color", *caller, *reports],
        env=environment(server.home, UPLOADS=" ".join(uploads), CHANNELS=str(channels)),
        cwd=repository(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE_SECONDS,
        check=False,
    )
    assert summary.exists(), ran.stdout + ran.stderr
    cases = ElementTree.parse(junit).iter("testcase")  # noqa: S314  (of our own making)
    found = {str(case.get("name")): "\n".join(_told(child) for child in case) for case in cases}
    return Report(found, json.loads(summary.read_text()), ran.stdout)


def _told(result: ElementTree.Element) -> str:
    return "" if result.tag == "skipped" else f"{result.get('message') or ''}\n{result.text or ''}"


@pytest.mark.xdist_group("openapi")
class TestSchemathesis:
    def test_has_asked_every_operation(self, heard: Report) -> None:
        assert {*OPERATIONS, STATEFUL} <= set(heard.failures), heard.output
        assert heard.summary["operations"]["tested"] == len(OPERATIONS), heard.output
        assert heard.summary["errors"] == [], heard.output

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_hears_what_is_described(self, operation: str, heard: Report) -> None:
        assert not heard.failures[operation], heard.failures[operation]

    def test_hears_what_is_described_of_what_it_was_told_before(self, heard: Report) -> None:
        assert not heard.failures[STATEFUL], heard.failures[STATEFUL]

    @pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.startswith("GET ")])
    def test_is_answered_where_it_reads(self, operation: str, heard: Report) -> None:
        assert heard.accepted(operation) > 0


@pytest.mark.xdist_group("openapi")
@pytest.mark.parametrize("authorization", ["", "Api-Key wk_" + "x" * 43, "Bearer a.b.c"], ids=["no", "key", "jwt"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_who_has_no_credentials_hears_so_wherever_they_are_asked_for(
    operation: str, authorization: str, server: Server
) -> None:
    method, path = operation.split()
    described = DESCRIBED["paths"][path][method.lower()]
    if "security" not in described:
        assert path.removeprefix("/") in OPEN
        return
    kinds = {one["name"]: one["schema"] for one in described.get("parameters", ()) if one["in"] == "path"}
    samples = {name: SAMPLES["int" if kind["type"] == "integer" else "uuid"] for name, kind in kinds.items()}
    address = server.url + path.format(**samples)
    answer = httpx.request(method, address, headers={"Authorization": authorization} if authorization else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
