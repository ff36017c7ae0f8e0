"""Batteries: registered, listed, changed, taken out of use."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.people import Person
from tests.support import registered
from tests.support.registered import BATTERIES, BATTERY, register, send, serials
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import AuditEntry

pytestmark = pytest.mark.usefixtures("battery_store")

FIELDS = {"id", "last_updated", "created_at", *BATTERY}


class TestABatteryThatIsRegistered:
    def test_is_answered_with_all_its_fields(self, owner: Person) -> None:
        answer = send(owner.jwt, "post", BATTERIES, BATTERY)
        assert answer.status_code == 201
        body = answer.json()
        assert set(body) == FIELDS
        assert {name: body[name] for name in BATTERY} == BATTERY
        assert isinstance(body["id"], int)
        for name in ("last_updated", "created_at"):
            assert body[name].endswith("Z")
            assert datetime.fromisoformat(body[name])

    def test_is_there_under_its_id_and_in_the_list(self, owner: Person, colleague: Person) -> None:
        made = register(owner.jwt)
        for person in (owner, colleague):
            assert person.jwt.get(f"{BATTERIES}{made['id']}/").json() == made
            body = person.jwt.get(BATTERIES).json()
            assert body == {"count": 1, "next": None, "previous": None, "results": [made]}

    def test_has_defaults_for_what_nobody_knows_yet(self, owner: Person) -> None:
        least = {name: BATTERY[name] for name in ("serial_number", "battery_type", "capacity", "voltage_nominal")}
        body = send(owner.jwt, "post", BATTERIES, least).json()
        assert (body["current_status"], body["health_percentage"], body["cycle_count"]) == ("IDLE", 100, 0)
        unknown = ("current_charge", "current_voltage", "current_temperature", "max_charge_current")
        assert [body[name] for name in unknown] == [None] * 4

    def test_may_come_as_a_form(self, owner: Person) -> None:
        answer = owner.jwt.post(BATTERIES, BATTERY)
        assert answer.status_code == 201, answer.content
        assert answer.json()["capacity"] == 5000

    def test_has_no_reading_yet_on_its_page(self, owner: Person) -> None:
        made = register(owner.jwt)
        assert "No reading yet" in owner.session.get("/batteries/").content.decode()
        page = owner.session.get(f"/batteries/{made['id']}/").content.decode()
        assert "This battery has sent nothing yet." in page
        assert "what stands here was said when it was registered, or by hand" in page

    def test_is_in_the_audit_trail(self, owner: Person) -> None:
        made = register(owner.jwt)
        entry = AuditEntry.objects.get(action="asset_register")
        assert (entry.target, entry.actor) == (f"asset:{made['id']} BAT-004", f"user:{owner.user.pk}")


class TestASerialNumber:
    def test_that_is_there_already_is_refused(self, owner: Person) -> None:
        register(owner.jwt)
        answer = send(owner.jwt, "post", BATTERIES, BATTERY)
        assert (answer.status_code, set(answer.json())) == (400, {"serial_number"})

    def test_is_free_in_another_tenant(self, owner: Person, stranger: Person) -> None:
        register(owner.jwt)
        assert send(stranger.jwt, "post", BATTERIES, BATTERY).status_code == 201

    def test_can_be_changed_but_not_to_anothers(self, owner: Person) -> None:
        made, other = register(owner.jwt), register(owner.jwt, "BAT-005")
        place = f"{BATTERIES}{made['id']}/"
        assert send(owner.jwt, "patch", place, {"serial_number": "BAT-006"}).json()["serial_number"] == "BAT-006"
        answer = send(owner.jwt, "patch", place, {"serial_number": other["serial_number"]})
        assert (answer.status_code, set(answer.json())) == (400, {"serial_number"})

    @pytest.mark.parametrize("serial", ["", " ", "n/a", "x" * 101, "a\0b", None, [], {}, True])
    def test_that_is_none_is_refused(self, serial: Any, owner: Person) -> None:
        answer = send(owner.jwt, "post", BATTERIES, {**BATTERY, "serial_number": serial})
        assert (answer.status_code, set(answer.json())) == (400, {"serial_number"})

    def test_loses_the_blanks_around_it(self, owner: Person) -> None:
        assert register(owner.jwt, "  BAT-7 ")["serial_number"] == "BAT-7"


class TestWhatCannotBe:
    @pytest.mark.parametrize("method", ["post", "put", "patch"])
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *((name, value) for name in ("current_charge", "health_percentage") for value in (-0.1, 100.1, 1e300)),
            *((name, value) for name in ("capacity", "voltage_nominal") for value in (0, -1)),
            *((name, "eighty") for name, value in BATTERY.items() if isinstance(value, int | float)),
            *((name, True) for name, value in BATTERY.items() if isinstance(value, int | float)),
            ("current_voltage", -1),
            ("max_charge_current", 0),
            ("cycle_count", 1.5),
            ("cycle_count", -1),
            ("current_charge", "nan"),
            ("current_charge", ""),
            ("current_charge", "8" * 1_000_000),
            ("current_charge", 10**400),
            ("current_charge", []),
            ("current_status", "idle"),
            ("current_status", "x" * 1_000_000),
            ("current_status", None),
            ("battery_type", ""),
            ("battery_type", "x" * 101),
            ("battery_type", "a\0b"),
            ("charge", 85),
        ],
        ids=lambda one: repr(one)[:30],
    )
    def test_is_a_400_that_names_the_field(self, method: str, name: str, value: Any, owner: Person) -> None:
        made = register(owner.jwt, "BAT-001")
        path = BATTERIES if method == "post" else f"{BATTERIES}{made['id']}/"
        body = {**BATTERY, name: value} if method == "post" else {name: value}
        answer = send(owner.jwt, method, path, body)
        assert (answer.status_code, set(answer.json())) == (400, {name})
        assert len(answer.content) < 1_000
        assert registered.battery(owner.jwt, made["id"]) == made

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
    @pytest.mark.parametrize("name", ["current_charge", "capacity", "cycle_count", "current_temperature"])
    def test_no_number_is_endless(self, name: str, number: str, owner: Person) -> None:
        body = json.dumps({**BATTERY, name: None}).replace("null", number)
        answer = send(owner.jwt, "post", BATTERIES, body)
        assert (answer.status_code, set(answer.json())) == (400, {name})

    @pytest.mark.parametrize("name", ["serial_number", "battery_type", "capacity", "voltage_nominal"])
    def test_a_required_field_is_asked_for(self, name: str, owner: Person) -> None:
        answer = send(owner.jwt, "post", BATTERIES, {key: value for key, value in BATTERY.items() if key != name})
        assert (answer.status_code, set(answer.json())) == (400, {name})

    @pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "{", "[" * 10_000, '{"\\ud800": 1}'])
    def test_a_body_that_is_none_is_a_400(self, body: str, owner: Person) -> None:
        answer = send(owner.jwt, "post", BATTERIES, body)
        assert answer.status_code == 400
        assert answer.json()


class TestAChange:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_changes_what_it_names_and_leaves_the_rest(self, method: str, owner: Person) -> None:
        made = register(owner.jwt)
        answer = send(owner.jwt, method, f"{BATTERIES}{made['id']}/", {"current_charge": 85, "health_percentage": 98})
        assert answer.status_code == 200
        changed = answer.json()
        assert changed.pop("last_updated") > made.pop("last_updated")
        assert changed == {**made, "current_charge": 85, "health_percentage": 98}

    def test_of_the_nameplate_is_audited(self, owner: Person) -> None:
        made = register(owner.jwt)
        send(owner.jwt, "patch", f"{BATTERIES}{made['id']}/", {"capacity": 4000, "battery_type": "LFP"})
        trail = {entry.action: entry.detail for entry in AuditEntry.objects.filter(actor=f"user:{owner.user.pk}")}
        assert trail["battery_change"] == {"capacity": [5000, 4000]}
        assert trail["asset_change"] == {"type": ["Li-ion", "LFP"]}

    def test_takes_a_battery_as_it_was_read(self, owner: Person) -> None:
        made = register(owner.jwt, current_charge=None, max_charge_current=None)
        answer = send(owner.jwt, "put", f"{BATTERIES}{made['id']}/", made)
        assert answer.status_code == 200, answer.content
        assert {**answer.json(), "last_updated": ""} == {**made, "last_updated": ""}

    def test_makes_no_log_and_no_reading(self, owner: Person) -> None:
        made = register(owner.jwt)
        send(owner.jwt, "patch", f"{BATTERIES}{made['id']}/", {"current_charge": 5})
        assert owner.jwt.get(registered.LOGS).json()["count"] == 0
        assert "No reading yet" in owner.session.get("/batteries/").content.decode()


class TestWhatIsWritten:
    @pytest.mark.parametrize(
        ("values", "alert_type"),
        [
            ({"current_charge": 5}, "LOW_CHARGE"),
            ({"health_percentage": 79.5}, "HEALTH_DEGRADATION"),
            ({"current_status": "FAULT"}, "FAULT"),
            ({"current_temperature": 51}, "OVER_TEMPERATURE"),
        ],
    )
    @pytest.mark.parametrize("method", ["post", "put", "patch"])
    def test_is_judged(self, method: str, values: dict[str, Any], alert_type: str, owner: Person) -> None:
        if method == "post":
            made = register(owner.jwt, **values)
        else:
            made = register(owner.jwt)
            assert registered.report(owner.jwt, made["id"])["recent_alerts"] == []
            send(owner.jwt, method, f"{BATTERIES}{made['id']}/", values)
        alerts = registered.report(owner.jwt, made["id"])["recent_alerts"]
        assert [one["alert_type"] for one in alerts] == [alert_type]

    def test_is_judged_by_the_nameplate_as_it_is_now(self, owner: Person) -> None:
        made = register(owner.jwt)
        send(owner.jwt, "patch", f"{BATTERIES}{made['id']}/", {"current_voltage": 3.6})
        assert registered.report(owner.jwt, made["id"])["recent_alerts"] == []
        send(owner.jwt, "patch", f"{BATTERIES}{made['id']}/", {"voltage_nominal": 5, "current_voltage": 3.6})
        (alert,) = registered.report(owner.jwt, made["id"])["recent_alerts"]
        assert alert["alert_type"] == "UNDER_VOLTAGE"

    def test_ends_with_the_battery(self, owner: Person) -> None:
        made = register(owner.jwt, current_charge=5)
        stats = owner.jwt.get("/api/dashboard/stats/").json()["alerts"]
        assert (stats["total"], stats["unresolved"]) == (1, 1)
        owner.jwt.delete(f"{BATTERIES}{made['id']}/")
        stats = owner.jwt.get("/api/dashboard/stats/").json()["alerts"]
        assert (stats["total"], stats["unresolved"]) == (1, 0)


class TestABatteryThatIsDeleted:
    def test_is_gone_for_everyone(self, owner: Person) -> None:
        made = register(owner.jwt)
        place = f"{BATTERIES}{made['id']}/"
        assert owner.jwt.delete(place).status_code == 204
        for method in ("get", "put", "patch", "delete"):
            assert send(owner.jwt, method, place, {}).status_code == 404
        assert registered.update(owner.jwt, made["id"], **registered.STATUS).status_code == 404
        assert owner.jwt.get(BATTERIES).json()["count"] == 0
        assert owner.jwt.get("/api/dashboard/stats/").json()["batteries"]["total"] == 0
        assert "BAT-004" not in owner.session.get("/batteries/").content.decode()

    def test_comes_back_with_its_serial_number_and_its_log(self, owner: Person) -> None:
        made = register(owner.jwt)
        registered.update(owner.jwt, made["id"], **registered.STATUS)
        owner.jwt.delete(f"{BATTERIES}{made['id']}/")
        again = register(owner.jwt, capacity=4500, current_charge=12)
        assert (again["id"], again["capacity"], again["current_charge"]) == (made["id"], 4500, 12)
        assert again["created_at"] == made["created_at"]
        assert owner.jwt.get(registered.LOGS).json()["count"] == 1

    def test_takes_no_reading_by_its_serial_number(self, owner: Person) -> None:
        made = register(owner.jwt)
        owner.jwt.delete(f"{BATTERIES}{made['id']}/")
        reading = {"serial_number": "BAT-004", "logged_at": "2024-05-01T12:00:00Z", "current_charge": 50}
        answer = send(owner.jwt, "post", "/api/v1/battery_status/", reading)
        assert (answer.status_code, set(answer.json())) == (400, {"serial_number"})


class TestTheList:
    @pytest.fixture
    def fleet(self, owner: Person) -> None:
        for serial, type_, charge, health in (
            ("B-1", "Li-ion", 50, 90),
            ("B-2", "NiMH", None, 70),
            ("X-3", "LFP", 10, 80),
        ):
            register(owner.jwt, serial, battery_type=type_, current_charge=charge, health_percentage=health)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, ["B-1", "B-2", "X-3"]),
            ({"search": "b-"}, ["B-1", "B-2"]),
            ({"search": "nimh"}, ["B-2"]),
            ({"search": "%"}, []),
            ({"battery_type": "LFP"}, ["X-3"]),
            ({"current_status": "IDLE", "search": "x"}, ["X-3"]),
            ({"current_status": "FAULT"}, []),
            ({"ordering": "current_charge"}, ["X-3", "B-1", "B-2"]),
            ({"ordering": "-current_charge"}, ["B-1", "X-3", "B-2"]),
            ({"ordering": "-health_percentage"}, ["B-1", "X-3", "B-2"]),
            ({"ordering": "-created_at"}, ["X-3", "B-2", "B-1"]),
            ({"page_size": "2", "page": "2"}, ["X-3"]),
        ],
    )
    def test_is_searched_filtered_ordered_and_in_pages(
        self, query: dict[str, str], expected: list[str], fleet: None, owner: Person
    ) -> None:
        assert serials(owner.jwt, **query) == expected

    @pytest.mark.parametrize(
        "query",
        [
            {"ordering": "capacity"},
            {"ordering": "-"},
            {"ordering": "--created_at"},
            {"current_status": "idle"},
            {"page": "x"},
            {"page": "0"},
            {"page_size": "1001"},
            {"search": "a\0b"},
            {"search": "x" * 300},
            {"tenant": "nowhere"},
        ],
    )
    def test_refuses_what_it_does_not_understand_by_name(self, query: dict[str, str], owner: Person) -> None:
        answer = owner.jwt.get(BATTERIES, query)
        assert (answer.status_code, set(answer.json())) == (400, set(query))

    def test_has_twenty_on_a_page(self, owner: Person) -> None:
        for number in range(21):
            register(owner.jwt, f"B-{number}")
        body = owner.jwt.get(BATTERIES).json()
        assert (body["count"], len(body["results"])) == (21, 20)
        assert body["next"].endswith("/api/batteries/?page=2")
        assert owner.jwt.get(BATTERIES, {"page": 3}).status_code == 404

    def test_asks_no_more_of_many_than_of_one(self, owner: Person, django_assert_max_num_queries: Any) -> None:
        client = owner.jwt
        for number in range(15):
            register(client, f"B-{number}")
        with django_assert_max_num_queries(4):  # who asks, how many, which
            assert len(serials(client)) == 15


class TestTheSpecialLists:
    def test_those_of_low_health_come_worst_first(self, owner: Person) -> None:
        for serial, health in (("B-1", 79.9), ("B-2", 80), ("B-3", 10)):
            register(owner.jwt, serial, health_percentage=health)
        path = f"{BATTERIES}low_health_batteries/"
        assert serials(owner.jwt, path) == ["B-3", "B-1"]
        assert serials(owner.jwt, path, threshold="80") == ["B-3", "B-1"]
        assert serials(owner.jwt, path, threshold="50.5") == ["B-3"]
        assert owner.jwt.get(path).json()["count"] == 2

    @pytest.mark.parametrize("threshold", ["x", "nan", "inf", "-1", "101", "1e400", "8" * 200])
    def test_a_threshold_that_is_none_is_refused(self, threshold: str, owner: Person) -> None:
        answer = owner.jwt.get(f"{BATTERIES}low_health_batteries/", {"threshold": threshold})
        assert (answer.status_code, set(answer.json())) == (400, {"threshold"})

    def test_those_that_report_a_fault_are_critical(self, owner: Person) -> None:
        register(owner.jwt, "B-1")
        register(owner.jwt, "B-2", current_status="FAULT")
        assert serials(owner.jwt, f"{BATTERIES}critical_status_batteries/") == ["B-2"]


class TestWhoMayDoWhat:
    def test_a_colleague_who_views_changes_nothing(self, owner: Person, colleague: Person) -> None:
        place = f"{BATTERIES}{register(owner.jwt)['id']}/"
        assert colleague.jwt.get(place).status_code == 200
        for method, path, body in (("post", BATTERIES, BATTERY), ("put", place, {}), ("patch", place, {})):
            assert send(colleague.jwt, method, path, body).status_code == 403
        assert colleague.jwt.delete(place).status_code == 403
        assert send(colleague.jwt, "post", f"{place}update_status/", registered.STATUS).status_code == 403

    @pytest.mark.parametrize("door", ["jwt", "session", "key"])
    def test_a_stranger_finds_nothing(self, door: str, owner: Person, stranger: Person) -> None:
        place, client = f"{BATTERIES}{register(owner.jwt)['id']}/", stranger.by(door)
        for method, path in (("get", place), ("put", place), ("patch", place), ("delete", place)):
            assert send(client, method, path, {"current_charge": 1}).status_code == 404
        assert send(client, "post", f"{place}update_status/", registered.STATUS).status_code == 404
        for path in (BATTERIES, f"{BATTERIES}low_health_batteries/?threshold=100", registered.LOGS):
            assert client.get(path).json()["count"] == 0

    def test_an_operator_and_a_key_that_sends_update_the_status(self, owner: Person, make_person: Any) -> None:
        made = register(owner.jwt)
        for client in (make_person("operator").jwt, owner.key(Scope.INGEST)):
            assert registered.update(client, made["id"], **registered.STATUS).status_code == 200
            assert send(client, "patch", f"{BATTERIES}{made['id']}/", {}).status_code == 403

    def test_who_stands_above_tenants_says_whose_it_becomes(
        self, owner: Person, stranger: Person, superuser: Person
    ) -> None:
        assert send(superuser.jwt, "post", BATTERIES, BATTERY).json().keys() == {"tenant"}
        made = send(superuser.jwt, "post", f"{BATTERIES}?tenant=north", BATTERY).json()
        assert registered.battery(owner.jwt, made["id"]) == made
        assert serials(superuser.jwt, tenant="south") == []
        assert serials(superuser.jwt) == ["BAT-004"]

    @pytest.mark.parametrize("number", ["0", "9223372036854775808", "9" * 40])
    def test_an_id_that_cannot_be_is_not_found(self, number: str, owner: Person) -> None:
        for path in (f"{BATTERIES}{number}/", f"/batteries/{number}/", f"{registered.DEVICES}{number}/"):
            assert owner.session.get(path).status_code == 404
