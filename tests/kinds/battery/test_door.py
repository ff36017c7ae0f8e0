"""`update_status` as a running server answers it: at the hot door, or, where a request is not plain, behind it."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.batteries import API, BATTERY, client_of
from tests.support.servers import Server, command, serving
from wattkeeper.base.core.errors import BusyError, OutOfSpaceError
from wattkeeper.views.api.hot import HotDoor, Memory, failed

pytestmark = pytest.mark.xdist_group(__name__)

UPDATE = {
    "current_charge": 85,
    "current_voltage": 3.6,
    "current_temperature": 28,
    "current_status": "DISCHARGING",
    "current": -2.5,
}
_serials = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("door") / "home") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with client_of(server) as client:
        yield client


@pytest.fixture
def battery(client: httpx.Client) -> str:
    """The path of a new battery."""
    made = client.post(API, json={"serial_number": f"DOOR-{next(_serials)}", **BATTERY}).json()
    return f"{API}{made['id']}/"


def counted(client: httpx.Client) -> dict[str, int]:
    """Single readings of batteries so far, by what became of them."""
    lines = re.findall(
        r'^wattkeeper_readings_total\{outcome="(\w+)",stream="battery.status"\} (\S+)$',
        client.get("/metrics").text,
        re.M,
    )
    return {outcome: int(float(count)) for outcome, count in lines}


def test_an_update_is_answered_with_the_battery_as_it_is_read_afterwards(client: httpx.Client, battery: str) -> None:
    answer = client.post(f"{battery}update_status/", json=UPDATE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    shown = answer.json()
    assert {name: shown[name] for name in UPDATE if name in shown} == {
        k: v for k, v in UPDATE.items() if k != "current"
    }
    assert shown == client.get(battery).json()


def test_the_door_and_the_view_answer_alike(client: httpx.Client, battery: str) -> None:
    by_door = client.post(f"{battery}update_status/", json={**UPDATE, "logged_at": "2026-01-01T00:00:00Z"}).json()
    # A form is nothing for the door.
    by_view = client.post(f"{battery}update_status/", data={**UPDATE, "logged_at": "2026-01-01T00:00:01Z"})
    assert by_view.status_code == 200
    assert {**by_view.json(), "last_updated": by_door["last_updated"]} == by_door


def test_a_late_and_a_repeated_update_answer_with_the_battery_as_it_stands(client: httpx.Client, battery: str) -> None:
    newest = client.post(f"{battery}update_status/", json={**UPDATE, "logged_at": "2026-01-02T00:00:00Z"}).json()
    for said in (
        {"current_charge": 1, "logged_at": "2026-01-01T00:00:00Z"},
        {**UPDATE, "logged_at": "2026-01-02T00:00:00Z"},
    ):
        answer = client.post(f"{battery}update_status/", json=said)
        assert (answer.status_code, answer.json()) == (200, newest)


def test_updates_of_one_moment_are_all_kept(client: httpx.Client, battery: str, server: Server) -> None:
    with ThreadPoolExecutor(16) as threads:
        posts = [threads.submit(client.post, f"{battery}update_status/", json=UPDATE) for _ in range(64)]
        assert {post.result().status_code for post in posts} == {200}
    serial = client.get(battery).json()["serial_number"]
    assert client.get("/api/logs/", params={"search": serial}).json()["count"] == 64


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"current_charge": "full"}', "current_charge"),
        ('{"current_charge": NaN}', "current_charge"),
        ('{"current_charge": "nan"}', "current_charge"),
        ('{"current_charge": ""}', "current_charge"),
        ('{"current_charge": 1e400}', "current_charge"),
        ('{"current_charge": 101}', "current_charge"),
        ('{"current_charge": true}', "current_charge"),
        ('{"current_charge": [1]}', "current_charge"),
        ('{"current_status": "charging"}', "current_status"),
        ('{"current_status": 7}', "current_status"),
        ('{"current_status": ""}', "current_status"),
        ('{"charge": 85}', "charge"),
        ('{"logged_at": "2028-11-21T00:00:00Z"}', "logged_at"),
        ('{"logged_at": "yesterday"}', "logged_at"),
        ('{"current_status": "' + "X" * 1_000_000 + '"}', "current_status"),
        ('{"current_status": "\\ud800"}', "current_status"),
        ("[]", "non_field_errors"),
        ("{", "detail"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_wrong_with_an_update_is_a_400_that_names_it(
    client: httpx.Client, battery: str, body: str, field: str
) -> None:
    before = client.get(battery).json()
    answer = client.post(f"{battery}update_status/", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert client.get(battery).json() == before


def test_nobody_and_whoever_may_not_are_turned_away(client: httpx.Client, battery: str, server: Server) -> None:
    reader = command("key", "add", "reader", "--scope", "read", "--tenant", "default", home=server.home).stdout.strip()
    stranger = command(
        "key", "add", "stranger", "--scope", "ingest", "--tenant", "other", home=server.home
    ).stdout.strip()
    place = f"{server.url}{battery}update_status/"
    for key, status in ((None, 401), ("wk_" + "x" * 43, 401), (reader, 403), (stranger, 404)):
        headers = {"Authorization": f"Api-Key {key}"} if key else {}
        for _ in range(2):  # also of whom it remembers
            assert httpx.post(place, json=UPDATE, headers=headers).status_code == status, key
    assert client.get(battery).json()["current_charge"] is None


def test_a_battery_that_is_deleted_takes_no_update_from_then_on(client: httpx.Client, battery: str) -> None:
    assert client.post(f"{battery}update_status/", json=UPDATE).status_code == 200
    assert client.delete(battery).status_code == 204
    assert client.post(f"{battery}update_status/", json=UPDATE).status_code == 404


def test_a_nameplate_that_is_changed_is_shown_and_judged_at_once(client: httpx.Client, battery: str) -> None:
    client.post(f"{battery}update_status/", json=UPDATE)
    client.patch(battery, json={"voltage_nominal": 12.0})
    assert client.post(f"{battery}update_status/", json=UPDATE).json()["voltage_nominal"] == 12.0
    found = client.get("/api/alerts/", params={"battery": battery.rstrip("/").rpartition("/")[2]}).json()["results"]
    assert [alert["alert_type"] for alert in found] == ["UNDER_VOLTAGE"]


def test_every_request_is_counted_once(client: httpx.Client, battery: str) -> None:
    before = counted(client)
    moment = {"logged_at": "2026-01-05T00:00:00Z"}
    for said in (UPDATE, {**UPDATE, **moment}, {**UPDATE, **moment}, {"charge": 1}, {"current_charge": "x"}):
        client.post(f"{battery}update_status/", json=said)
    client.post(f"{battery}update_status/", content="{", headers={"Content-Type": "application/json"})
    after = counted(client)
    changed = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    assert changed == {"accepted": 2, "duplicate": 1, "refused": 3}


class TestAFailureAtTheDoor:
    def test_says_when_to_come_again(self) -> None:
        answer = failed(BusyError("Too many wait.", retry_after_seconds=3))
        assert (answer.status, answer.body, answer.headers) == (
            503,
            b'{"detail":"Too many wait."}',
            ((b"retry-after", b"3"),),
        )

    def test_that_takes_too_long_may_be_tried_again(self) -> None:
        assert failed(TimeoutError()).status == 503

    def test_of_a_full_disk_is_told_as_such(self) -> None:
        assert failed(OutOfSpaceError("The disk is full.")).status == 507

    def test_that_nobody_expected_tells_nothing_of_the_inside(self) -> None:
        assert (failed(KeyError("secret")).status, b"secret" in failed(KeyError("secret")).body) == (500, False)


class TestWhatIsRemembered:
    def test_is_asked_for_once(self) -> None:
        asked: list[int] = []
        memory: Memory[int, str] = Memory(seconds=60)

        async def twice() -> list[str | None]:
            return [await memory.get(1, lambda: asked.append(1) or "one") for _ in range(2)]  # type: ignore[func-returns-value]

        assert (asyncio.run(twice()), asked) == (["one", "one"], [1])

    def test_is_asked_for_again_when_it_was_forgotten_or_was_not_there(self) -> None:
        answers: Iterator[Any] = iter([None, "one", "two"])
        memory: Memory[int, str] = Memory(seconds=60)

        async def ask() -> list[str | None]:
            found = [await memory.get(1, lambda: next(answers)), await memory.get(1, lambda: next(answers))]
            memory.forget(1)
            return [*found, await memory.get(1, lambda: next(answers))]

        assert asyncio.run(ask()) == [None, "one", "two"]


def test_what_is_not_plain_goes_on_with_its_whole_body() -> None:
    seen: list[bytes] = []

    async def django(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        seen.append(message["body"])

    async def never(*_: Any) -> None:
        raise AssertionError

    async def ask() -> None:
        pieces = iter([b'{"a"', b": 1}"])
        messages = ({"type": "http.request", "body": piece, "more_body": piece != b": 1}"} for piece in pieces)

        async def receive() -> Any:
            return next(messages)

        headers = [(b"authorization", b"Api-Key no"), (b"content-type", b"application/json"), (b"content-length", b"8")]
        scope = {"type": "http", "method": "POST", "path": "/a/", "headers": headers}
        door = HotDoor(re.compile("/a/"), never, otherwise=django)
        door._callers._kept[b"Api-Key no"] = (0.0, None)  # type: ignore[assignment]
        await door(scope, receive, never)

    asyncio.run(ask())
    assert seen == [b'{"a": 1}']
