"""What batteries do: updated one by one, sent as rows and files, logged, reported."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from tests.people import Person
from tests.support import registered, vehicles
from tests.support.registered import BATTERIES, LOGS, STATUS, battery, register, send, update
from wattkeeper.base.core import clock

pytestmark = pytest.mark.usefixtures("battery_store")

READINGS = "/api/v1/battery_status/"
LOG_FIELDS = {"id", "battery", "battery_serial", "charge_percentage", "voltage", "temperature", "current", "status"}
AT = datetime(2024, 5, 1, 12, tzinfo=UTC)


def logs(owner: Person, **query: Any) -> list[dict[str, Any]]:
    answer = owner.jwt.get(LOGS, query)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def at(minutes: int) -> str:
    return (AT + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


class TestAnUpdate:
    def test_is_answered_with_the_battery_and_logged(self, owner: Person) -> None:
        made = register(owner.jwt)
        answer = send(owner.jwt, "post", f"{BATTERIES}{made['id']}/update_status/", STATUS)
        assert answer.status_code == 200
        body = answer.json()
        expected = {name: value for name, value in STATUS.items() if name != "current"}
        assert {name: body[name] for name in expected} == expected
        assert body == battery(owner.jwt, made["id"])
        (log,) = logs(owner)
        assert set(log) == {*LOG_FIELDS, "logged_at"}
        assert (log["battery"], log["battery_serial"]) == (made["id"], "BAT-004")
        told = [log[name] for name in ("charge_percentage", "voltage", "temperature", "current", "status")]
        assert told == [85, 3.6, 28, -2.5, "DISCHARGING"]
        assert abs(datetime.fromisoformat(log["logged_at"]) - clock.now()) < timedelta(minutes=1)

    def test_of_one_thing_leaves_the_others_as_they_were(self, owner: Person) -> None:
        made = register(owner.jwt)
        body = update(owner.jwt, made["id"], current_charge=50).json()
        assert {**body, "last_updated": ""} == {**made, "current_charge": 50, "last_updated": ""}
        assert logs(owner)[0]["current"] == 0

    def test_takes_any_of_its_fields_even_none(self, owner: Person) -> None:
        made = register(owner.jwt)
        for body in ({}, {"current_temperature": None}, {"logged_at": None}):
            assert send(owner.jwt, "post", f"{BATTERIES}{made['id']}/update_status/", body).status_code == 200
        assert len(logs(owner)) == 3

    def test_that_is_late_is_logged_and_moves_nothing(self, owner: Person) -> None:
        made = register(owner.jwt)
        update(owner.jwt, made["id"], current_charge=40, logged_at=at(10))
        assert update(owner.jwt, made["id"], current_charge=90, logged_at=at(0)).json()["current_charge"] == 40
        assert [log["charge_percentage"] for log in logs(owner)] == [40, 90]

    def test_that_is_repeated_is_one(self, owner: Person) -> None:
        made = register(owner.jwt)
        for charge in (40, 40, 41):
            answer = update(owner.jwt, made["id"], current_charge=charge, logged_at=at(0))
            assert (answer.status_code, answer.json()["current_charge"]) == (200, 40)
        assert len(logs(owner)) == 1

    def test_within_one_moment_is_told_apart_to_the_microsecond(
        self, owner: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = register(owner.jwt)
        still = clock.now()
        monkeypatch.setattr("wattkeeper.kinds.battery.views.clock.now", lambda: still)
        for charge in (10, 20, 30):
            assert update(owner.jwt, made["id"], current_charge=charge).json()["current_charge"] == charge
        moments = [datetime.fromisoformat(log["logged_at"]) for log in logs(owner)]
        assert [moment - still for moment in moments] == [timedelta(microseconds=n) for n in (2, 1, 0)]

    def test_of_another_tenants_battery_of_that_name_is_not_ours(self, owner: Person, stranger: Person) -> None:
        mine, theirs = register(owner.jwt), register(stranger.jwt)
        update(stranger.jwt, theirs["id"], current_charge=3)
        assert battery(owner.jwt, mine["id"]) == mine
        assert logs(owner) == []


WRONG = [
    *((name, value) for name in STATUS if name != "current_status" for value in ("eighty", "", "nan", True, [], {})),
    *(("current_charge", value) for value in (-0.001, 100.001, 10**400, "8" * 1_000_000)),
    ("current_voltage", -1),
    ("current_temperature", 1001),
    ("current", 1e9),
    *(("current_status", value) for value in ("charging", "Idle", "", "x" * 1_000_000, 1, None.__class__.__name__)),
    *(("logged_at", value) for value in ("yesterday", "2024-13-01T00:00:00Z", "", 5, True, "1980-01-01T00:00:00Z")),
    ("logged_at", "2099-01-01T00:00:00Z"),
    *((name, 1) for name in ("charge", "health_percentage", "serial_number", "id", "", "x" * 1_000, "\udc80")),
]


class TestAnUpdateThatCannotBe:
    @pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda one: repr(one)[:30])
    def test_is_a_400_that_names_the_field_and_changes_nothing(self, name: str, value: Any, owner: Person) -> None:
        made = register(owner.jwt)
        body = json.dumps({**STATUS, name: value})
        answer = send(owner.jwt, "post", f"{BATTERIES}{made['id']}/update_status/", body)
        assert answer.status_code == 400
        (told,) = answer.json()
        assert told == name[:100].replace("\udc80", "?")
        assert len(answer.content) < 1_000
        assert battery(owner.jwt, made["id"]) == made
        assert logs(owner) == []

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 400])
    @pytest.mark.parametrize("name", ["current_charge", "current_voltage", "current_temperature", "current"])
    def test_no_number_is_endless(self, name: str, number: str, owner: Person) -> None:
        made = register(owner.jwt)
        body = f'{{"current_status": "IDLE", "{name}": {number}}}'
        answer = send(owner.jwt, "post", f"{BATTERIES}{made['id']}/update_status/", body)
        assert (answer.status_code, set(answer.json())) == (400, {name})

    @pytest.mark.parametrize("body", ["[]", "1", "null", '"x"', "{", "[" * 10_000, ""])
    def test_a_body_that_is_none_is_a_400(self, body: str, owner: Person) -> None:
        made = register(owner.jwt)
        answer = send(owner.jwt, "post", f"{BATTERIES}{made['id']}/update_status/", body)
        assert answer.status_code in ({200, 400} if not body else {400})

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        body=strategies.dictionaries(
            strategies.sampled_from([*STATUS, "logged_at", "charge"]),
            strategies.none()
            | strategies.booleans()
            | strategies.integers()
            | strategies.floats(allow_nan=True)
            | strategies.sampled_from(["", "IDLE", "FAULT", "idle", "12", "1e5", "2024-05-01", "a\0b", "\udfff"])
            | strategies.lists(strategies.integers(), max_size=2),
            max_size=4,
        )
    )
    def test_whatever_is_sent_is_taken_or_named(self, body: dict[str, Any], owner: Person) -> None:
        found = owner.jwt.get(BATTERIES).json()["results"]
        pk = found[0]["id"] if found else register(owner.jwt)["id"]
        answer = send(owner.jwt, "post", f"{BATTERIES}{pk}/update_status/", json.dumps(body))
        assert answer.status_code in {200, 400}
        if answer.status_code == 400:
            assert set(answer.json()) <= set(body)
        else:
            assert 0 <= (answer.json()["current_charge"] or 0) <= 100


class TestTheLog:
    @pytest.fixture
    def said(self, owner: Person) -> tuple[int, int]:
        first, second = register(owner.jwt, "BAT-1")["id"], register(owner.jwt, "PACK-2")["id"]
        for minute in range(3):
            update(owner.jwt, first, current_charge=10 + minute, logged_at=at(minute))
        update(owner.jwt, second, current_charge=50, logged_at=at(1))
        return first, second

    @pytest.mark.parametrize(
        ("query", "charges"),
        [
            ({"search": "bat"}, [12, 11, 10]),
            ({"search": "k-2"}, [50]),
            ({"search": "'"}, []),
            ({"search": "bat", "ordering": "logged_at"}, [10, 11, 12]),
            ({"search": "bat", "ordering": "-logged_at", "page_size": 2, "page": 2}, [10]),
            ({"serial_number": "PACK-2"}, [50]),
            ({"initial_timestamp": at(2)}, [12]),
            ({"final_timestamp": at(0)}, [10]),
        ],
    )
    def test_is_searched_ordered_and_in_pages(
        self, query: dict[str, Any], charges: list[int], said: Any, owner: Person
    ) -> None:
        assert [log["charge_percentage"] for log in logs(owner, **query)] == charges

    def test_is_of_one_battery_by_its_id(self, said: tuple[int, int], owner: Person, stranger: Person) -> None:
        assert {log["battery"] for log in logs(owner, battery=said[0])} == {said[0]}
        assert logs(owner, battery=10**11) == []
        assert logs(owner, battery=said[0], serial_number="PACK-2") == []
        assert logs(stranger, battery=said[0]) == []

    def test_has_an_address_for_each_line(self, said: Any, owner: Person, stranger: Person) -> None:
        for log in logs(owner):
            assert owner.jwt.get(f"{LOGS}{log['id']}/").json() == log
            assert stranger.jwt.get(f"{LOGS}{log['id']}/").status_code == 404
        for name in ("AAAA", "1", "x" * 300):
            assert owner.jwt.get(f"{LOGS}{name}/").status_code == 404

    def test_is_only_read(self, said: Any, owner: Person) -> None:
        place = f"{LOGS}{logs(owner)[0]['id']}/"
        assert send(owner.jwt, "post", LOGS, {}).status_code == 405
        for method in ("put", "patch", "delete"):
            assert send(owner.jwt, method, place, {}).status_code == 405

    @pytest.mark.parametrize(
        "query",
        [{"ordering": "voltage"}, {"battery": "x"}, {"battery": "0"}, {"initial_timestamp": "x"}, {"page": "x"}],
    )
    def test_refuses_what_it_does_not_understand_by_name(self, query: dict[str, str], owner: Person) -> None:
        answer = owner.jwt.get(LOGS, query)
        assert (answer.status_code, set(answer.json())) == (400, set(query))


class TestTheHealthReport:
    def test_tells_what_a_battery_does_and_has_said(self, owner: Person, colleague: Person) -> None:
        made = register(owner.jwt)
        for minute, temperature in enumerate((20, 25.5, None, 31)):
            update(owner.jwt, made["id"], current_temperature=temperature, logged_at=at(minute))
        body = colleague.jwt.get(f"{BATTERIES}{made['id']}/health_report/").json()
        assert set(body) == {"battery", "recent_alerts", "recent_readings", "average_temperature"}
        assert body["battery"] == battery(owner.jwt, made["id"])
        assert body["recent_readings"] == logs(owner)
        known = [log["temperature"] for log in body["recent_readings"] if log["temperature"] is not None]
        assert body["average_temperature"] == round(sum(known) / len(known), 2)
        assert body["recent_alerts"] == []

    def test_of_a_battery_that_has_said_nothing_is_there_too(self, owner: Person, stranger: Person) -> None:
        path = f"{BATTERIES}{register(owner.jwt)['id']}/health_report/"
        body = owner.jwt.get(path).json()
        assert (body["recent_readings"], body["average_temperature"]) == ([], 0)
        assert stranger.jwt.get(path).status_code == 404

    def test_has_the_newest_hundred_readings(self, owner: Person) -> None:
        made = register(owner.jwt)
        for minute in range(103):
            update(owner.jwt, made["id"], current_charge=minute / 2, logged_at=at(minute))
        readings = owner.jwt.get(f"{BATTERIES}{made['id']}/health_report/").json()["recent_readings"]
        assert len(readings) == 100
        assert readings[0]["charge_percentage"] == 51


class TestRowsAndFiles:
    ROW = {"serial_number": "BAT-004", "logged_at": "2024-05-01T12:00:00Z", "current_charge": 50.5}

    def test_a_row_of_a_battery_becomes_its_state(self, owner: Person) -> None:
        made = register(owner.jwt)
        assert send(owner.jwt, "post", READINGS, self.ROW).status_code == 201
        assert battery(owner.jwt, made["id"])["current_charge"] == 50.5
        assert battery(owner.jwt, made["id"])["current_voltage"] == made["current_voltage"]

    def test_a_row_of_an_unknown_battery_is_refused(self, owner: Person, stranger: Person) -> None:
        register(stranger.jwt)
        answer = send(owner.jwt, "post", READINGS, self.ROW)
        assert (answer.status_code, set(answer.json())) == (400, {"serial_number"})
        assert registered.serials(owner.jwt) == []

    def test_a_files_rows_of_unknown_batteries_are_refused_with_the_reason(self, owner: Person) -> None:
        made = register(owner.jwt)
        lines = ["serial_number,logged_at,current_charge,current_status"]
        lines += ["BAT-004,2024-05-01T12:00:00Z,50,IDLE", "BAT-9,2024-05-01T12:00:00Z,50,IDLE"]
        lines += ["BAT-004,2024-05-01T12:01:00Z,101,IDLE", "BAT-004,2024-05-01T12:02:00Z,51,idle"]
        report = vehicles.upload(owner.jwt, "\n".join(lines).encode(), path=READINGS)
        assert (report["inserted"], report["refused"]) == (1, 3)
        refused = {(row["row"], row["column"]): row["reason"] for row in report["refused_rows"]}
        assert set(refused) == {(3, "serial_number"), (4, "current_charge"), (5, "current_status")}
        assert refused[3, "serial_number"].startswith("unknown")
        assert battery(owner.jwt, made["id"])["current_charge"] == 50
        assert battery(owner.jwt, made["id"])["current_voltage"] == made["current_voltage"]

    def test_are_exported_and_drawn(self, owner: Person) -> None:
        register(owner.jwt)
        for minute in range(3):
            send(owner.jwt, "post", READINGS, {**self.ROW, "logged_at": at(minute)})
        file = owner.jwt.get(f"{READINGS}export/", {"serial_number": "BAT-004"})
        assert file["Content-Disposition"] == 'attachment; filename="BAT-004.csv"'
        series = owner.jwt.get(f"{READINGS}series/", {"serial_number": "BAT-004"}).json()
        assert series["channels"]["current_charge"]["values"] == [50.5] * 3

    def test_make_the_batterys_page(self, owner: Person) -> None:
        made = register(owner.jwt)
        send(owner.jwt, "post", READINGS, {**self.ROW, "logged_at": clock.now().isoformat()})
        page = owner.session.get(f"/batteries/{made['id']}/").content.decode()
        assert "Reporting" in page
        assert "50.5" in page
