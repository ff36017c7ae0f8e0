"""Devices and the batteries that they hold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import Person
from tests.support import registered
from tests.support.registered import BATTERIES, DEVICE, DEVICES, battery, device, register, send, serials
from wattkeeper.base.accounts.models import AuditEntry

pytestmark = pytest.mark.usefixtures("battery_store")

FIELDS = {"id", "is_active", "created_at", "last_checked", "batteries_detail", *DEVICE}


@pytest.fixture
def held(owner: Person) -> list[int]:
    return [register(owner.jwt, serial)["id"] for serial in ("BAT-1", "BAT-2")]


class TestADevice:
    def test_is_answered_with_all_its_fields(self, held: list[int], owner: Person, colleague: Person) -> None:
        answer = send(owner.jwt, "post", DEVICES, {**DEVICE, "batteries": held})
        assert answer.status_code == 201
        body = answer.json()
        assert set(body) == FIELDS
        assert {name: body[name] for name in DEVICE} == {**DEVICE, "batteries": held}
        assert body["is_active"] is True
        assert body["created_at"].endswith("Z")
        assert body["batteries_detail"] == [battery(owner.jwt, pk) for pk in held]
        assert colleague.jwt.get(f"{DEVICES}{body['id']}/").json() == body
        assert colleague.jwt.get(DEVICES).json() == {"count": 1, "next": None, "previous": None, "results": [body]}

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_is_changed_in_what_is_named(self, method: str, held: list[int], owner: Person) -> None:
        made = device(owner.jwt, batteries=held)
        body = send(owner.jwt, method, f"{DEVICES}{made['id']}/", {"is_active": False, "batteries": held[:1]}).json()
        assert body["last_checked"] > made["last_checked"]
        same = {name: value for name, value in made.items() if name not in {"last_checked", "batteries_detail"}}
        assert {name: body[name] for name in same} == {**same, "is_active": False, "batteries": held[:1]}
        entry = AuditEntry.objects.get(action="device_change")
        assert entry.detail == {"is_active": [True, False], "batteries": [held, held[:1]]}

    def test_is_taken_back_as_it_was_read(self, held: list[int], owner: Person) -> None:
        made = device(owner.jwt, batteries=held)
        answer = send(owner.jwt, "put", f"{DEVICES}{made['id']}/", made)
        assert answer.status_code == 200, answer.content
        assert {**answer.json(), "last_checked": ""} == {**made, "last_checked": ""}

    def test_may_come_as_a_form(self, held: list[int], owner: Person) -> None:
        body = owner.jwt.post(DEVICES, {**DEVICE, "batteries": held}).json()
        assert (body["batteries"], body["is_active"]) == (held, True)
        changed = owner.jwt.patch(f"{DEVICES}{body['id']}/", {"location": ""}, format="multipart").json()
        assert (changed["location"], changed["batteries"]) == ("", held)

    def test_that_is_deleted_is_gone_and_its_batteries_are_not(self, held: list[int], owner: Person) -> None:
        place = f"{DEVICES}{device(owner.jwt, batteries=held)['id']}/"
        assert owner.jwt.delete(place).status_code == 204
        assert owner.jwt.get(place).status_code == 404
        assert serials(owner.jwt) == ["BAT-1", "BAT-2"]

    def test_tells_what_its_batteries_do_now(self, held: list[int], owner: Person) -> None:
        made = device(owner.jwt, batteries=held)
        registered.update(owner.jwt, held[1], current_charge=7, current_status="FAULT")
        body = owner.jwt.get(f"{DEVICES}{made['id']}/battery_status/").json()
        assert set(body) == FIELDS - {"batteries_detail"}
        assert body["device_name"] == made["device_name"]
        told = [(one["serial_number"], one["current_charge"], one["current_status"]) for one in body["batteries"]]
        assert told == [("BAT-1", 100, "IDLE"), ("BAT-2", 7, "FAULT")]

    def test_shows_no_battery_that_is_deleted(self, held: list[int], owner: Person) -> None:
        made = device(owner.jwt, batteries=held)
        owner.jwt.delete(f"{BATTERIES}{held[0]}/")
        body = owner.jwt.get(f"{DEVICES}{made['id']}/").json()
        assert body["batteries"] == [one["id"] for one in body["batteries_detail"]] == held[1:]


class TestWhatCannotBe:
    @pytest.mark.parametrize("method", ["post", "patch"])
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(
                (name, value)
                for name in ("device_name", "serial_number")
                for value in ("", None, "x" * 201, "a\0b", [])
            ),
            *(("device_type", value) for value in ("laptop", "", None, 1, "x" * 1_000_000)),
            ("location", "x" * 201),
            ("is_active", "perhaps"),
            ("is_active", None),
            *(("batteries", value) for value in (1, "1", None, ["x"], [0], [-1], [1.5], [True], [10**30], {"a": 1})),
            ("batteries", [2**62]),
            ("batteries", [1] * 1_001),
            ("batteris", []),
        ],
        ids=lambda one: repr(one)[:30],
    )
    def test_is_a_400_that_names_the_field(self, method: str, name: str, value: Any, owner: Person) -> None:
        made = device(owner.jwt, serial_number="DEVICE-1")
        path = DEVICES if method == "post" else f"{DEVICES}{made['id']}/"
        answer = send(owner.jwt, method, path, {**DEVICE, name: value} if method == "post" else {name: value})
        assert (answer.status_code, set(answer.json())) == (400, {name})
        assert owner.jwt.get(DEVICES).json()["results"] == [made]

    def test_a_serial_number_is_one_devices_in_a_tenant(self, owner: Person, stranger: Person) -> None:
        device(owner.jwt)
        other = device(owner.jwt, serial_number="DEVICE-3")
        for method, path, body in (
            ("post", DEVICES, DEVICE),
            ("patch", f"{DEVICES}{other['id']}/", {"serial_number": "DEVICE-002"}),
        ):
            answer = send(owner.jwt, method, path, body)
            assert (answer.status_code, set(answer.json())) == (400, {"serial_number"})
        device(stranger.jwt)

    def test_another_tenants_battery_is_as_unknown_as_none(self, owner: Person, stranger: Person) -> None:
        theirs = register(stranger.jwt)["id"]
        answer = send(owner.jwt, "post", DEVICES, {**DEVICE, "batteries": [theirs]})
        assert (answer.status_code, answer.json()) == (400, {"batteries": [f"There is no battery {theirs}."]})
        assert owner.jwt.get(DEVICES).json()["count"] == 0


class TestTheList:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"search": "mac"}, ["DEVICE-002"]),
            ({"search": "ice-3"}, ["DEVICE-3"]),
            ({"device_type": "DRONE"}, ["DEVICE-3"]),
            ({"is_active": "false"}, ["DEVICE-3"]),
            ({"is_active": "true"}, ["DEVICE-002"]),
            ({"ordering": "-serial_number"}, ["DEVICE-3", "DEVICE-002"]),
            ({"ordering": "device_name"}, ["DEVICE-3", "DEVICE-002"]),
        ],
    )
    def test_is_searched_filtered_and_ordered(self, query: dict[str, str], expected: list[str], owner: Person) -> None:
        device(owner.jwt)
        device(owner.jwt, serial_number="DEVICE-3", device_type="DRONE", device_name="A", is_active=False)
        assert serials(owner.jwt, DEVICES, **query) == expected

    def test_is_of_those_that_hold_a_battery(self, held: list[int], owner: Person) -> None:
        device(owner.jwt, batteries=held[:1])
        device(owner.jwt, serial_number="DEVICE-3", batteries=held)
        assert serials(owner.jwt, DEVICES, battery=held[1]) == ["DEVICE-3"]

    @pytest.mark.parametrize(
        "query", [{"device_type": "drone"}, {"is_active": "x"}, {"ordering": "location"}, {"battery": "x"}]
    )
    def test_refuses_what_it_does_not_understand_by_name(self, query: dict[str, str], owner: Person) -> None:
        answer = owner.jwt.get(DEVICES, query)
        assert (answer.status_code, set(answer.json())) == (400, set(query))

    def test_asks_no_more_of_many_than_of_one(
        self, held: list[int], owner: Person, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(10):
            device(owner.jwt, serial_number=f"D-{number}", batteries=held)
        client = owner.jwt
        with django_assert_max_num_queries(4):  # who asks, how many, which, and what they hold
            assert len(serials(client, DEVICES)) == 10


class TestWhoMayDoWhat:
    def test_a_colleague_who_views_changes_nothing(self, owner: Person, colleague: Person) -> None:
        place = f"{DEVICES}{device(owner.jwt)['id']}/"
        for method, path in (("post", DEVICES), ("put", place), ("patch", place), ("delete", place)):
            assert send(colleague.jwt, method, path, DEVICE).status_code == 403

    def test_a_stranger_finds_nothing(self, owner: Person, stranger: Person) -> None:
        place = f"{DEVICES}{device(owner.jwt)['id']}/"
        for method in ("get", "put", "patch", "delete"):
            assert send(stranger.jwt, method, place, {"location": "x"}).status_code == 404
        assert stranger.jwt.get(f"{place}battery_status/").status_code == 404
        assert stranger.jwt.get(DEVICES).json()["count"] == 0
