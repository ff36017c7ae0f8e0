"""`/api/data/` as a running server answers it: at the hot door, and behind it, by the view. Both say the same."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import pytest

from tests.support import meters
from tests.support.batteries import client_of
from tests.support.meters import PATH, Said, as_bytes, device, documented, record
from tests.support.servers import COMMAND, Server, command, environment, serving, wait_until

pytestmark = pytest.mark.xdist_group(__name__)

JSON = "application/json"
Door = Callable[..., httpx.Response]
_identnrs = itertools.count(10_000_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("data") / "home") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with client_of(server) as client:
        yield client


@pytest.fixture(params=["hot", "view"])
def door(request: pytest.FixtureRequest, client: httpx.Client) -> Door:
    """Posts a body, any content or bytes. A body without a length is nothing for the hot door."""

    def send(content: object, *, path: str = PATH, **headers: str) -> httpx.Response:
        body = as_bytes(content)
        sent: Any = body if request.param == "hot" else iter([body])
        return client.post(path, content=sent, headers={"Content-Type": JSON, **headers})

    return send


@pytest.fixture
def who() -> Said:
    """A device that nobody has heard of."""
    return device(identnr=next(_identnrs))


def said_by(who: Said, value: object = 29690) -> Said:
    return meters.message(meters.records(value=value), who=who)


def counted(client: httpx.Client) -> dict[str, int]:
    """Messages so far, by what became of them."""
    pattern = r'^wattkeeper_readings_total\{outcome="(\w+)",stream="meter.message"\} (\S+)$'
    return {outcome: int(float(count)) for outcome, count in re.findall(pattern, client.get("/metrics").text, re.M)}


def key_add(server: Server, name: str, *words: str) -> Mapping[str, str]:
    """The header of a new key."""
    made = command("key", "add", name, *words, home=server.home)
    made.check_returncode()
    return {"Authorization": f"Api-Key {made.stdout.strip()}"}


class TestAMessage:
    def test_that_is_documented_is_received(self, door: Door, who: Said) -> None:
        answer = door({**documented(), "device": who})
        assert answer.status_code == 201
        assert answer.headers["content-type"] == JSON
        receipt = answer.json()
        assert (receipt["message"], receipt["duplicate"]) == ("Message received successfully", False)
        assert receipt["meter"] == f"EFE-{who['identnr']}-0-4"
        assert datetime.fromisoformat(receipt["counted_at"]).utcoffset() is not None
        assert receipt["flags"] == ["clock_off"]  # of 2020
        assert receipt["id"]

    def test_that_comes_again_is_received_as_a_duplicate_of_the_first(self, door: Door, who: Said) -> None:
        first, second = (door(said_by(who)) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 201)
        assert second.json() == {**first.json(), "duplicate": True}

    def test_of_the_same_minute_that_says_something_else_is_kept(self, door: Door, who: Said) -> None:
        receipts = [door(said_by(who, value)).json() for value in (1, 2)]
        assert [receipt["duplicate"] for receipt in receipts] == [False, False]
        assert receipts[0]["id"] != receipts[1]["id"]

    def test_may_be_packed(self, door: Door, who: Said) -> None:
        answer = door(gzip.compress(as_bytes(said_by(who))), **{"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["duplicate"]) == (201, False)

    @pytest.mark.parametrize(
        ("before", "type_", "path"),
        [
            (b"\xef\xbb\xbf", JSON, PATH),
            (b" \r\n\t", JSON, PATH),
            (b"", f"{JSON}; charset=utf-8", PATH),
            (b"", f"{JSON};charset=UTF-8", PATH),
            (b"", "Application/JSON", PATH),
            (b"", JSON, PATH.rstrip("/")),
        ],
    )
    def test_is_read_however_a_gateway_dresses_it(
        self, door: Door, who: Said, before: bytes, type_: str, path: str
    ) -> None:
        answer = door(before + as_bytes(said_by(who)), path=path, **{"Content-Type": type_})
        assert answer.status_code == 201, answer.text

    def test_of_a_gateway_that_goes_away_is_taken_or_not_and_never_by_half(
        self, server: Server, client: httpx.Client, who: Said
    ) -> None:
        body = as_bytes(said_by(who))
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Api-Key {server.key}\r\nContent-Type: {JSON}\r\n"
        whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for piece in (whole[:-20], whole):
            with socket.create_connection(("127.0.0.1", server.port)) as gone:
                gone.sendall(piece)
        send = partial(client.post, PATH, content=body, headers={"Content-Type": JSON})
        assert send().status_code == 201
        assert send().json()["duplicate"] is True


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", "detail"),
        (b"{", "detail"),
        (b"null", "detail"),
        (b'"text"', "detail"),
        (b"12", "detail"),
        (b"\xff\xfe{\x00}\x00", "detail"),
        (b"[]", "detail"),
        (b"[", "detail"),
        (b"[{}", "detail"),
        (b"{}", "data"),
        (b"[" * 100_000, "detail"),
        (b'{"data":' * 5_000 + b"1" + b"}" * 5_000, "detail"),
        (b'{"data": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "detail"),
        (b'{"data": [], "device": NaN}', "detail"),
        (b'{"data": [], "data": [], "device": {}}', "detail"),
        (meters.message([record("Energy (kWh)", [1])]), "data[0].value"),
        (meters.message([record("Energy (kWh)", True)]), "data[0].value"),
        (as_bytes(documented()).replace(b"29690", b"NaN"), "detail"),
        (as_bytes(documented()).replace(b"29690", b"1e999"), "data[1].value"),
        (as_bytes(documented()).replace(b"Energy", b"\xff"), "detail"),
        ({**documented(), "device": device(identnr="xyz")}, "device.identnr"),
        ({**documented(), "device": device(identnr=123456789)}, "device.identnr"),
        ({**documented(), "device": [1]}, "device"),
    ],
    ids=lambda one: repr(one)[:40],
)
def test_what_is_no_message_is_a_400_that_names_it(door: Door, content: object, place: str) -> None:
    answer = door(content)
    assert answer.status_code == 400, answer.text
    assert place in answer.json(), answer.text
    said = answer.json()[place]
    assert len(said if place == "detail" else said[0]) < 200, "one clear sentence"


def test_a_key_that_nobody_reads_may_hold_any_bytes(door: Door, who: Said) -> None:
    body = as_bytes({**said_by(who), "gateway": "?"}).replace(b"?", b"\xff")
    assert door(body).status_code in (201, 400)


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "\N{PILE OF POO}" * 200])
def test_odd_letters_are_kept_or_refused(door: Door, who: Said, text: str) -> None:
    content = meters.message([record(text, 1), record("Energy (kWh)", text)], who=who)
    assert door(json.dumps(content).encode()).status_code in (201, 400)


class TestAnArray:
    def test_has_a_receipt_for_each_in_its_order(self, door: Door, who: Said) -> None:
        answer = door([said_by(who, value) for value in (1, 2, 3)])
        assert answer.status_code == 201
        body = answer.json()
        assert (body["stored"], body["duplicate"], body["refused"]) == (3, 0, 0)
        assert body["message"] == "3 of 3 messages received"
        assert [receipt["status"] for receipt in body["receipts"]] == [201, 201, 201]
        again = [door(said_by(who, value)).json()["id"] for value in (1, 2, 3)]
        assert [receipt["id"] for receipt in body["receipts"]] == again

    def test_with_something_wrong_in_it_is_received_but_for_that(self, door: Door, who: Said) -> None:
        wrong = said_by({**who, "identnr": "?"})
        answer = door([7, said_by(who, 1), wrong, said_by(who, 2), [], said_by(who, 1), None])
        assert answer.status_code == 207
        body = answer.json()
        assert [receipt["status"] for receipt in body["receipts"]] == [400, 201, 400, 201, 400, 201, 400]
        assert [receipt["duplicate"] for receipt in body["receipts"][1::2]] == [False, False, True]
        assert (body["stored"], body["duplicate"], body["refused"]) == (2, 1, 4)
        assert "device.identnr" in body["receipts"][2]

    @pytest.mark.parametrize("content", [[[]], [{}], [1, "a", None], [[[[]]]], [documented()["data"]]])
    def test_of_nothing_that_is_a_message_is_a_400(self, door: Door, content: object) -> None:
        answer = door(content)
        assert answer.status_code == 400
        assert {receipt["status"] for receipt in answer.json()["receipts"]} == {400}

    def test_of_too_many_is_a_413_and_nothing_of_it_is_taken(self, door: Door, client: httpx.Client, who: Said) -> None:
        before = counted(client)
        answer = door(b"[%b]" % b",".join([as_bytes(said_by(who, value)) for value in range(5_001)]))
        assert (answer.status_code, "5,000" in answer.json()["detail"]) == (413, True)
        after = counted(client)
        assert after == {**before, "refused": before["refused"] + 1}

    def test_of_many_meters_makes_them_all(self, door: Door, client: httpx.Client) -> None:
        devices = [device(identnr=next(_identnrs)) for _ in range(300)]
        body = door([said_by(one) for one in devices]).json()
        assert (body["stored"], body["refused"]) == (300, 0)
        assert len({receipt["meter"] for receipt in body["receipts"]}) == 300


class TestABodyThatIs:
    @pytest.mark.parametrize(
        "packed",
        [b"no gzip", b"", gzip.compress(b"{}")[:-6], gzip.compress(b"{}") + b"more"],
        ids=["none", "nothing", "cut off", "with more behind it"],  # else the time would be in them
    )
    def test_not_the_gzip_that_it_is_said_to_be_is_a_400(self, door: Door, packed: bytes) -> None:
        answer = door(packed, **{"Content-Encoding": "gzip"})
        assert answer.status_code == 400
        assert "gzip" in answer.json()["detail"]

    def test_that_is_said_to_be_as_it_is_is_taken(self, door: Door) -> None:
        assert door(documented(), **{"Content-Encoding": "identity"}).status_code == 201

    def test_packed_in_another_way_is_a_415(self, door: Door) -> None:
        answer = door(documented(), **{"Content-Encoding": "br"})
        assert (answer.status_code, "gzip" in answer.json()["detail"]) == (415, True)

    def test_small_only_while_it_is_packed_is_a_413(self, door: Door) -> None:
        assert door(gzip.compress(bytes(50 << 20)), **{"Content-Encoding": "gzip"}).status_code == 413

    @pytest.mark.parametrize("mebibytes", [17, 50])
    def test_too_large_is_a_413(self, door: Door, mebibytes: int) -> None:
        try:
            answer = door(b" " * (mebibytes << 20))
        except (httpx.WriteError, httpx.ReadError):  # answered before it was sent
            assert mebibytes == 50
        else:
            assert answer.status_code == 413

    def test_within_the_limit_is_read_whole(self, door: Door, who: Said) -> None:
        """More than Django holds in memory."""
        body = b"[" + b" " * (15 << 20) + as_bytes(said_by(who)) + b"]"
        assert door(body).status_code == 201

    @pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", "text/csv", "nonsense"])
    def test_of_another_type_is_a_415(self, door: Door, type_: str) -> None:
        assert door(documented(), **{"Content-Type": type_}).status_code == 415


def test_only_a_post_is_answered(client: httpx.Client) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, PATH)
        assert answer.status_code == 405, method
        assert "POST" in answer.headers["Allow"]


class TestWhoMaySend:
    def test_is_nobody_without_a_key(self, server: Server, door: Door) -> None:
        assert httpx.post(f"{server.url}{PATH}", json=documented()).status_code == 401
        assert door(documented(), Authorization="Api-Key wk_" + "x" * 43).status_code == 401

    @pytest.mark.parametrize(("scope", "status"), [("read", 403), ("ingest", 201), ("admin", 201)])
    def test_is_a_key_of_the_scope(self, server: Server, door: Door, who: Said, scope: str, status: int) -> None:
        key = key_add(server, f"{scope}-{next(_identnrs)}", "--scope", scope)
        for _ in range(2):  # also of whom it remembers
            assert door(said_by(who), **key).status_code == status

    @pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("manager", 201)])
    def test_is_a_person_of_the_role(self, server: Server, door: Door, who: Said, role: str, status: int) -> None:
        name, password = f"{role}-{next(_identnrs)}", "correct horse battery"
        add = [*COMMAND, "user", "add", name, "--role", role, "--password-stdin"]
        subprocess.run(add, env=environment(server.home), input=password, text=True, check=True)
        answer = httpx.post(f"{server.url}/user/login/", json={"username": name, "password": password})
        token = answer.json()["access"]
        assert door(said_by(who), Authorization=f"Bearer {token}").status_code == status

    def test_is_a_key_above_tenants_that_names_one(self, server: Server, door: Door, who: Said) -> None:
        key_add(server, f"second-{next(_identnrs)}", "--scope", "read", "--tenant", "second")  # makes the tenant
        key = key_add(server, f"above-{next(_identnrs)}", "--scope", "admin", "--all-tenants")
        refused = door(said_by(who), **key)
        assert (refused.status_code, list(refused.json())) == (400, ["tenant"])
        assert door(said_by(who), path=f"{PATH}?tenant=nobody", **key).status_code == 400
        assert door(said_by(who), path=f"{PATH}?tenant=second", **key).json()["duplicate"] is False
        assert door(said_by(who), path=f"{PATH}?tenant=default", **key).json()["duplicate"] is False

    def test_is_no_key_of_one_tenant_for_another(self, server: Server, door: Door, who: Said) -> None:
        key_add(server, f"third-{next(_identnrs)}", "--scope", "read", "--tenant", "third")
        answer = door(said_by(who), path=f"{PATH}?tenant=third")
        assert (answer.status_code, list(answer.json())) == (400, ["tenant"])

    def test_is_no_key_that_was_revoked_some_seconds_ago(self, server: Server, door: Door, who: Said) -> None:
        name = f"gone-{next(_identnrs)}"
        key = key_add(server, name, "--scope", "ingest")
        assert door(said_by(who), **key).status_code == 201
        command("key", "revoke", name, home=server.home).check_returncode()
        wait_until(lambda: door(said_by(who), **key).status_code == 401, "the key is forgotten")


def test_many_at_once_are_all_kept_and_each_is_counted_once(door: Door, client: httpx.Client, who: Said) -> None:
    before = counted(client)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(door, [said_by(who, value) for value in range(100)]))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 100
    for content in (said_by(who, 1), [said_by(who, 2), said_by(who, 100), 7], b"{", [], b"x"):
        door(content)
    after = counted(client)
    changed = {name: count - before[name] for name, count in after.items() if count != before[name]}
    assert changed == {"accepted": 101, "duplicate": 2, "refused": 4}


def test_a_server_that_stops_answers_what_it_took(tmp_path_factory: pytest.TempPathFactory, who: Said) -> None:
    with serving(tmp_path_factory.mktemp("stops") / "home") as own, client_of(own) as client:
        with ThreadPoolExecutor(8) as threads:
            posts = [threads.submit(client.post, PATH, json=said_by(who, value)) for value in range(64)]
            wait_until(lambda: any(post.done() for post in posts), "the first is answered")
            assert own.stop() == 0
            answers = [post.result().status_code for post in posts if post.exception() is None]
        taken = answers.count(201)
        assert set(answers) <= {201, 503}
        own.start()
        again = [client.post(PATH, json=said_by(who, value)).json()["duplicate"] for value in range(64)]
    assert again.count(True) >= taken > 0
