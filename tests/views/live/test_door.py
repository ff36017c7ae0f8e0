"""Who may open a live socket, what they are told there, and when it is closed."""

from __future__ import annotations

import itertools
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.support import live_server
from tests.support.batteries import API, BATTERY, client_of
from tests.support.live_client import DASHBOARD, LIVE, Socket, api_key, bearer, cookie, refused
from tests.support.live_people import Credentials, people_make
from tests.support.servers import PATIENCE_SECONDS, Server, home_make, serving, wait_until

_serials = itertools.count(1)
FOREIGN = "https://elsewhere.example"
KEYS_PAGE = "/keys/{}/revoke/"


def register(client: httpx.Client, count: int = 1) -> list[int]:
    def one() -> int:
        serial = f"DOOR-{next(_serials)}"
        return int(client.post(API, json={"serial_number": serial, **BATTERY}).raise_for_status().json()["id"])

    return [one() for _ in range(count)]


def update(client: httpx.Client, pk: int, **values: Any) -> None:
    client.post(f"{API}{pk}/update_status/", json=values).raise_for_status()


def is_update(frame: dict[str, Any]) -> bool:
    return str(frame["type"]) == "battery_update"


def limited(*limits: str) -> list[str]:
    """The command that serves with other limits."""
    return [sys.executable, str(Path(live_server.__file__)), *limits]


@pytest.mark.parametrize("path", [LIVE, DASHBOARD, DASHBOARD.rstrip("/")])
class TestWhoMayOpenOne:
    @pytest.mark.parametrize("name", ["owner", "colleague", "stranger", "root"])
    def test_people_by_their_session_from_a_page_of_ours(
        self, running: Server, people: Credentials, path: str, name: str
    ) -> None:
        assert refused(running, cookie(running, people.cookies[name]), path=path) == 101

    @pytest.mark.parametrize("origin", [FOREIGN, "null", "http://127.0.0.1:1", None])
    def test_no_session_from_anywhere_else(
        self, running: Server, people: Credentials, path: str, origin: str | None
    ) -> None:
        assert refused(running, cookie(running, people.cookies["owner"], origin=origin), path=path) == 403

    @pytest.mark.parametrize("said", ["Foo bar", "Basic Zm9vOmJhcg==", "", "Bearer", "Api-Key"])
    def test_no_session_from_elsewhere_with_a_header_that_says_nothing(
        self, running: Server, people: Credentials, path: str, said: str
    ) -> None:
        foreign = cookie(running, people.cookies["owner"], origin=FOREIGN)
        assert refused(running, {**foreign, "Authorization": said}, path=path) == 403

    def test_a_session_beside_a_key_that_is_anothers_is_the_keys(
        self, running: Server, people: Credentials, path: str
    ) -> None:
        foreign = cookie(running, people.cookies["owner"], origin=FOREIGN)
        assert refused(running, {**foreign, **api_key(people.keys["read"])}, path=path) == 101

    def test_people_by_their_token_from_anywhere(self, running: Server, people: Credentials, path: str) -> None:
        assert refused(running, {**bearer(people.tokens["colleague"]), "Origin": FOREIGN}, path=path) == 101

    @pytest.mark.parametrize(("scope", "status"), [("read", 101), ("admin", 101), ("ingest", 403)])
    def test_keys_that_may_read(self, running: Server, people: Credentials, path: str, scope: str, status: int) -> None:
        assert refused(running, api_key(people.keys[scope]), path=path) == status

    @pytest.mark.parametrize(
        "headers", [{}, bearer("x.y.z"), api_key("wk_" + "x" * 43), {"Cookie": "sessionid=" + "x" * 32}]
    )
    def test_nobody_without_credentials_or_with_wrong_ones(
        self, running: Server, path: str, headers: dict[str, str]
    ) -> None:
        assert refused(running, {"Origin": running.url, **headers}, path=path) == 403

    def test_nobody_by_a_name_that_is_not_ours(self, running: Server, path: str) -> None:
        asked = f"GET {path} HTTP/1.1\r\nHost: elsewhere.example\r\nAuthorization: Api-Key {running.key}\r\n"
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_SECONDS) as raw:
            raw.sendall(f"{asked}{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
            assert raw.recv(12) == b"HTTP/1.1 403"


class TestWhatCannotBeUnderstood:
    @pytest.mark.parametrize(
        "query",
        [
            {"assets": "one"},
            {"assets": "1,-2"},
            {"assets": "٣"},
            {"assets": ",".join(map(str, range(1, 2_100)))},
            {"assets": "9" * 30},
            {"assets": "1_0"},
            {"assets": "+1"},
            {"kind": "pump"},
            {"tenant": "nobodys"},
            {"tenant": "south"},
        ],
    )
    def test_is_refused(self, running: Server, query: dict[str, str]) -> None:
        assert refused(running, api_key(running.key), **query) == 400

    def test_a_path_where_there_is_none_is_not_found(self, running: Server) -> None:
        assert refused(running, api_key(running.key), path="/ws/nothing/") == 404

    @pytest.mark.parametrize(
        "said",
        [
            "nonsense",
            "[]",
            '{"type": "watch"}',
            '{"type": "shout", "assets": []}',
            '{"type": "watch", "assets": "all"}',
            '{"type": "watch", "assets": [true]}',
            '{"type": "watch", "assets": [0]}',
            '{"type": "watch", "assets": [1.5]}',
            b'{"type": "watch", "assets": []}',
            '{"type": "watch", "assets": [' + ",".join(["1"] * 2_001) + "]}",
            '"' + "x" * (65 << 10) + '"',
            "[" * 20_000 + "]" * 20_000,
            '{"type": "watch", "assets": ' + "[" * 20_000 + "]" * 20_000 + "}",
        ],
    )
    def test_a_message_that_is_none_ends_the_socket(self, running: Server, said: str | bytes) -> None:
        with Socket(running, api_key(running.key)) as one:
            one.say(said)
            assert one.frames_until(lambda frame: frame["type"] == "error")
            assert one.close_code() == 1008

    def test_who_never_stops_talking_is_closed(self, running: Server) -> None:
        with Socket(running, api_key(running.key)) as one:
            with suppress(ConnectionClosed):
                for _ in range(200):
                    one.watch([])
            # What it still says meets a closed door, and then its system may take the goodbye from it.
            assert one.close_code() in {1008, 1006}


class TestWhatIsTold:
    def test_a_reading_and_its_alert_as_the_api_shows_them(self, running: Server, people: Credentials) -> None:
        with client_of(running) as client, Socket(running, bearer(people.tokens["colleague"])) as one:
            (pk,) = register(client)
            update(client, pk, current_temperature=70, current_charge=50)
            frames = one.frames_until(lambda said: is_update(said) and said["batteries"][0]["current_charge"] == 50)
            assert frames[-1]["batteries"] == [client.get(f"{API}{pk}/").json()]
            told = [said["alerts"] for said in frames if said["type"] == "alert_update"]
            assert told[-1] == client.get("/api/alerts/unresolved/", params={"battery": pk}).json()["results"][:1]

    def test_a_stranger_hears_nothing_and_who_stands_above_tenants_hears_it(
        self, running: Server, people: Credentials
    ) -> None:
        with (
            client_of(running) as client,
            Socket(running, bearer(people.tokens["stranger"])) as strangers,
            Socket(running, bearer(people.tokens["root"])) as above,
            Socket(running, bearer(people.tokens["root"]), tenant="default") as chosen,
            Socket(running, bearer(people.tokens["root"]), tenant="south") as other,
        ):
            (pk,) = register(client)
            for one in (above, chosen):
                told = one.frames_until(is_update)[-1]
                assert [battery["id"] for battery in told["batteries"]] == [pk]
            with httpx.Client(base_url=running.url, headers=bearer(people.tokens["stranger"])) as theirs:
                (own,) = register(theirs)
            for one in (strangers, other):
                assert [battery["id"] for battery in one.frame()["batteries"]] == [own]

    def test_a_stranger_who_watches_anothers_battery_is_told_nothing_of_it(
        self, running: Server, people: Credentials
    ) -> None:
        with client_of(running) as client, httpx.Client(base_url=running.url) as theirs:
            theirs.headers.update(bearer(people.tokens["stranger"]))
            (mine,), (own,) = register(client), register(theirs)
            with Socket(running, bearer(people.tokens["stranger"]), assets=f"{mine},{own}") as one:
                update(client, mine, current_charge=50)
                update(theirs, own, current_charge=50)
                said = one.frames_until(lambda frame: is_update(frame) and frame["batteries"][0]["current_charge"])
            assert {battery["id"] for frame in said for battery in frame["batteries"]} == {own}

    def test_a_vehicle_is_told_of_where_all_kinds_are(self, running: Server) -> None:
        row = {
            "vehicle_id": "LIVE-VAN",
            "timestamp": "2026-01-05T08:30:00Z",
            "speed": 48.5,
            "soc": 71,
            "odometer": 3.5,
            "elevation": 4,
        }
        with Socket(running, api_key(running.key), kind="vehicle") as one, client_of(running) as client:
            register(client)
            client.post("/api/v1/vehicle_data/", json={**row, "elevation": 4}).raise_for_status()
            told = one.frames_until(lambda frame: frame["type"] == "vehicle_update" and frame["vehicles"][0]["at"])
        assert not any(map(is_update, told))
        shown = told[-1]["vehicles"][0]
        assert (shown["key"], shown["at"], shown["speed"]) == ("LIVE-VAN", "2026-01-05T08:30:00Z", 48.5)

    def test_what_is_archived_or_hidden_is_removed(self, running: Server) -> None:
        with client_of(running) as client:
            (pk,) = register(client)
            alert = {"battery": pk, "alert_type": "FAULT", "alert_level": "ERROR", "message": "It smokes"}
            hidden = client.post("/api/alerts/", json=alert).raise_for_status().json()["id"]
            with Socket(running, api_key(running.key), path=DASHBOARD) as one:
                client.delete(f"/api/alerts/{hidden}/").raise_for_status()
                said = one.frames_until(lambda frame: hidden in frame.get("removed", ()))[-1]
                assert (said["type"], said["alerts"]) == ("alert_update", [])
                client.delete(f"{API}{pk}/").raise_for_status()
                said = one.frames_until(lambda frame: is_update(frame) and pk in frame["removed"])[-1]
                assert pk not in {battery["id"] for battery in said["batteries"]}

    def test_who_comes_back_hears_what_was_missed(self, running: Server) -> None:
        with client_of(running) as client:
            (pk,) = register(client)
            with Socket(running, api_key(running.key), assets=pk) as one:
                update(client, pk, current_charge=50)
                seen = one.frames_until(
                    lambda frame: is_update(frame) and frame["batteries"][0]["current_charge"] == 50
                )
            update(client, pk, current_charge=51)
            with Socket(running, api_key(running.key), assets=pk, after=seen[-1]["id"]) as one:
                assert one.hello["resumed"]
                told = one.frames_until(lambda frame: frame["batteries"][0]["current_charge"] == 51)
                assert is_update(told[-1])

    def test_who_comes_back_to_another_server_fetches_anew(self, running: Server) -> None:
        with Socket(running, api_key(running.key), after="0123456789ab-7") as one:
            assert not one.hello["resumed"]


class TestWhenItIsClosed:
    def test_who_is_logged_out_or_whose_key_is_revoked_is_closed_and_others_are_not(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        key = home_make(home)
        people = people_make(home)
        with (
            serving(home, key=key, prefix=limited("CHECK_SECONDS=0.2", "ALIVE_SECONDS=0.5")) as server,
            Socket(server, api_key(people.keys["read"])) as revoked,
            Socket(server, cookie(server, people.cookies["colleague"])) as logged_out,
            Socket(server, api_key(people.keys["admin"])) as others,
            httpx.Client(base_url=server.url, cookies={"sessionid": people.cookies["owner"]}) as owner,
            httpx.Client(base_url=server.url, cookies={"sessionid": people.cookies["colleague"]}) as colleague,
        ):
            for client, path in (
                (owner, KEYS_PAGE.format(people.key_ids["read"])),
                (colleague, "/logout/"),
            ):
                client.get("/keys/" if client is owner else "/").raise_for_status()
                token = client.cookies["csrftoken"]
                assert client.post(path, data={"csrfmiddlewaretoken": token}).status_code == 302
            assert revoked.close_code() == 4401
            assert logged_out.close_code() == 4401
            assert others.frames_until(lambda frame: frame["type"] == "alive")

    def test_who_does_not_read_is_dropped_while_others_are_told(self, tmp_path: Path) -> None:
        dropped = 'wattkeeper_live_dropped_total{why="too_slow"}'
        with (
            serving(tmp_path / "home", prefix=limited("STUCK_SECONDS=0.5")) as server,
            client_of(server) as client,
            Socket(server, api_key(server.key), assets="") as quick,
            slow_reader(server),
        ):
            ids = register(client, 200)
            wait_until(lambda: gauge(client, "wattkeeper_live_sockets") == 2, "both are in")
            # Whatever is watched anew is shown to all who are told of all things: 80 kB, again and again.
            while gauge(client, dropped) == 0:
                quick.watch(ids)
                quick.frames_until(is_update)
                quick.watch([])
            assert gauge(client, "wattkeeper_live_sockets") == 1
            quick.watch(ids)
            update(client, ids[0], current_charge=99)
            quick.frames_until(
                lambda frame: is_update(frame) and any(one["current_charge"] == 99 for one in frame["batteries"])
            )

    def test_beyond_the_most_of_them_the_next_is_refused_and_other_requests_are_not(self, tmp_path: Path) -> None:
        with (
            serving(tmp_path / "home", prefix=limited("SOCKETS_MOST=2")) as server,
            Socket(server, api_key(server.key)),
            client_of(server) as client,
        ):
            with Socket(server, api_key(server.key)):
                assert refused(server, api_key(server.key)) == 503
                client.get(API).raise_for_status()
            wait_until(lambda: refused(server, api_key(server.key)) == 101, "one has gone")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_server_that_stops_says_so_and_waits_for_nobody(self, tmp_path: Path, number: signal.Signals) -> None:
        with serving(tmp_path / "home") as server:
            with Socket(server, api_key(server.key)) as one, slow_reader(server):
                server.signal(number)
                assert one.close_code() == 1012
                assert server.wait() == 0
            assert "Traceback" not in server.output
            assert "refused to" not in server.output


def slow_reader(server: Server) -> socket.socket:
    """A socket that is open, and reads no more than that it is."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", server.port))
    asked = f"GET {LIVE} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Api-Key {server.key}\r\n"
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    reader.sendall(f"{asked}{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    assert reader.recv(12) == b"HTTP/1.1 101"
    return reader


def gauge(client: httpx.Client, name: str) -> float:
    """What the server counts."""
    lines = client.get("/metrics").raise_for_status().text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)
