"""The dashboard's answers, of the sample fleet and of others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.people import Person
from tests.support import registered
from tests.support.registered import BATTERIES, device, register, update
from tests.support.vehicles import body_of
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.flow.alerts.actions import alert_post, alert_resolve
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.readings.reading import Reading, Row
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.battery.demo import sample_make
from wattkeeper.kinds.battery.queries import battery_by_id
from wattkeeper.kinds.battery.streams import STATUS

DASHBOARD = "/api/dashboard/"
NOTHING = {
    "batteries": {"total": 0, "active": 0, "faulty": 0},
    "health": {"average": 0, "low_count": 0},
    "charge": {"average": 0},
    "temperature": {"average": 0},
    "alerts": {"total": 0, "unresolved": 0, "critical": 0},
    "devices": {"total": 0, "active": 0},
}
AT = datetime(2024, 5, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("battery_store")


def ask(person: Person, place: str, **query: Any) -> Any:
    answer = person.jwt.get(f"{DASHBOARD}{place}", query)
    assert answer.status_code == 200, answer.content
    return json.loads(body_of(answer)) if answer.streaming else answer.json()


def alert(person: Person, battery_id: int, type_: AlertType, level: Level) -> Alert:
    asset = battery_by_id(battery_id, tenant_id=person.user.tenant_id)
    assert asset is not None
    return alert_post(asset, alert_type=type_, level=level, message="Look at it.", by="test")


class TestTheSampleFleet:
    @pytest.fixture(autouse=True)
    def _made(self, tenant: Tenant, battery_store: Store) -> None:
        sample_make(tenant.pk, "test")

    def test_is_what_the_contract_says(self, owner: Person) -> None:
        batteries = [
            [one[name] for name in registered.BATTERY]
            for one in owner.jwt.get(BATTERIES).json()["results"]
        ]  # fmt: skip
        assert batteries == [
            ["BAT-001", "Li-ion", 5000, 3.7, 85, 3.65, 25, "DISCHARGING", 95, 150, 10, 5],
            ["BAT-002", "Li-ion", 4000, 3.7, 45, 3.4, 32, "CHARGING", 88, 320, 8, 4],
            ["BAT-003", "NiMH", 2500, 1.2, 100, 1.2, 22, "IDLE", 100, 50, 5, 2.5],
        ]
        (phone,) = owner.jwt.get(registered.DEVICES).json()["results"]
        told = [phone[name] for name in ("serial_number", "device_name", "device_type", "location")]
        assert told == ["DEVICE-001", "Mobile Phone", "MOBILE", "Warehouse 1"]
        assert [one["serial_number"] for one in phone["batteries_detail"]] == ["BAT-001", "BAT-002"]

    def test_has_the_figures_of_the_contract(self, owner: Person, colleague: Person) -> None:
        for person in (owner, colleague):
            assert ask(person, "stats/") == {
                "batteries": {"total": 3, "active": 2, "faulty": 0},
                "health": {"average": 94.33, "low_count": 0},
                "charge": {"average": 76.67},
                "temperature": {"average": 26.33},
                "alerts": {"total": 1, "unresolved": 1, "critical": 0},
                "devices": {"total": 1, "active": 1},
            }

    def test_has_its_charts(self, owner: Person) -> None:
        assert ask(owner, "chart-data/") == {
            "status": [
                {"current_status": "CHARGING", "count": 1},
                {"current_status": "DISCHARGING", "count": 1},
                {"current_status": "IDLE", "count": 1},
            ],
            "health_ranges": {
                "Excellent (90-100%)": 2, "Good (70-89%)": 1, "Fair (50-69%)": 0, "Poor (<50%)": 0,
            },
            "charge_ranges": {
                "Full (90-100%)": 1, "High (70-89%)": 1, "Medium (40-69%)": 1, "Low (10-39%)": 0, "Critical (<10%)": 0,
            },
            "types": [{"battery_type": "Li-ion", "count": 2}, {"battery_type": "NiMH", "count": 1}],
            "cycle_ranges": {"New (0-100)": 1, "Good (100-500)": 2, "Aging (500-1000)": 0, "Old (1000+)": 0},
            "alert_types": [{"alert_type": "OVER_TEMPERATURE", "count": 1}],
        }  # fmt: skip

    def test_has_its_alert(self, owner: Person) -> None:
        body = ask(owner, "alerts/")
        assert body["alert_types"] == [{"alert_type": "OVER_TEMPERATURE", "count": 1}]
        assert body["alert_levels"] == [{"alert_level": "WARNING", "count": 1}]
        (shown,) = body["recent_unresolved"]
        assert shown["battery_serial"] == "BAT-002"
        assert (shown["alert_type"], shown["alert_level"]) == ("OVER_TEMPERATURE", "WARNING")
        assert (shown["is_resolved"], shown["resolved_at"]) == (False, None)
        report = owner.jwt.get(f"{BATTERIES}{shown['battery']}/health_report/").json()
        assert report["recent_alerts"] == [shown]

    def test_is_exported_whole(self, owner: Person) -> None:
        answer = owner.jwt.get(f"{DASHBOARD}export/")
        assert answer["Content-Disposition"] == 'attachment; filename="dashboard.json"'
        body = json.loads(body_of(answer))
        assert set(body) == {"timestamp", "stats", "charts", "batteries", "alerts"}
        assert datetime.fromisoformat(body["timestamp"])
        assert body["stats"] == ask(owner, "stats/")
        assert body["charts"] == ask(owner, "chart-data/")
        assert body["batteries"] == ask(owner, "battery-details/") == owner.jwt.get(BATTERIES).json()["results"]
        assert body["alerts"] == ask(owner, "alerts/")

    def test_is_made_once(self, tenant: Tenant, owner: Person) -> None:
        before = [ask(owner, place) for place in ("stats/", "battery-details/", "alerts/")]
        sample_make(tenant.pk, "test")
        assert [ask(owner, place) for place in ("stats/", "battery-details/", "alerts/")] == before

    def test_is_nothing_to_a_stranger(self, owner: Person, stranger: Person) -> None:
        assert ask(stranger, "stats/") == NOTHING
        assert ask(stranger, "battery-details/") == []
        assert ask(stranger, "alerts/") == {"alert_types": [], "alert_levels": [], "recent_unresolved": []}
        charts = ask(stranger, "chart-data/")
        assert (charts["status"], charts["types"], charts["alert_types"]) == ([], [], [])
        assert ask(stranger, "export/")["batteries"] == []
        mine = owner.jwt.get(BATTERIES).json()["results"][0]["id"]
        assert stranger.jwt.get(f"{DASHBOARD}trend/", {"battery_id": mine}).status_code == 404

    def test_is_chosen_by_who_stands_above_tenants(self, stranger: Person, superuser: Person) -> None:
        assert ask(superuser, "stats/", tenant="south") == NOTHING
        assert ask(superuser, "stats/", tenant="north") == ask(superuser, "stats/")


class TestTheFigures:
    @pytest.mark.parametrize(
        ("health", "range_"),
        [
            *((health, "Excellent") for health in (100, 90)),
            *((health, "Good") for health in (89.999, 89.5, 70)),
            *((health, "Fair") for health in (69.9, 50)),
            *((health, "Poor") for health in (49.9, 0)),
        ],
    )
    def test_a_health_is_in_one_range(self, health: float, range_: str, owner: Person) -> None:
        register(owner.jwt, health_percentage=health)
        ranges = ask(owner, "chart-data/")["health_ranges"]
        assert [name.partition(" ")[0] for name, count in ranges.items() if count] == [range_]
        assert ask(owner, "stats/")["health"]["low_count"] == (1 if health < 50 else 0)

    @pytest.mark.parametrize(
        ("charge", "range_"),
        [
            *((charge, "Full") for charge in (100, 90)),
            *((charge, "High") for charge in (89.5, 70)),
            *((charge, "Medium") for charge in (69.5, 40)),
            *((charge, "Low") for charge in (39.9, 10)),
            *((charge, "Critical") for charge in (9.9, 0)),
            (None, None),
        ],
    )
    def test_a_charge_is_in_one_range(self, charge: float | None, range_: str | None, owner: Person) -> None:
        register(owner.jwt, current_charge=charge)
        ranges = ask(owner, "chart-data/")["charge_ranges"]
        assert [name.partition(" ")[0] for name, count in ranges.items() if count] == ([range_] if range_ else [])

    @pytest.mark.parametrize(
        ("cycles", "range_"),
        [(0, "New"), (100, "New"), (101, "Good"), (500, "Good"), (501, "Aging"), (1000, "Aging"), (1001, "Old")],
    )
    def test_a_count_of_cycles_is_in_one_range(self, cycles: int, range_: str, owner: Person) -> None:
        register(owner.jwt, cycle_count=cycles)
        ranges = ask(owner, "chart-data/")["cycle_ranges"]
        assert [name.partition(" ")[0] for name, count in ranges.items() if count] == [range_]

    def test_nothing_known_is_no_part_of_an_average(self, owner: Person) -> None:
        assert ask(owner, "stats/") == NOTHING
        register(owner.jwt, "B-1", current_charge=None, current_temperature=None, current_status="FAULT")
        register(owner.jwt, "B-2", current_charge=50.126, current_temperature=20)
        stats = ask(owner, "stats/")
        assert (stats["charge"], stats["temperature"]) == ({"average": 50.13}, {"average": 20})
        assert stats["batteries"] == {"total": 2, "active": 0, "faulty": 1}

    def test_critical_is_what_is_critical_and_unresolved(self, owner: Person) -> None:
        made = register(owner.jwt)["id"]
        alert(owner, made, AlertType.FAULT, Level.CRITICAL)
        resolved = alert(owner, made, AlertType.FAULT, Level.CRITICAL)
        alert(owner, made, AlertType.LOW_CHARGE, Level.INFO)
        alert_resolve(resolved, by="test")
        assert ask(owner, "stats/")["alerts"] == {"total": 3, "unresolved": 2, "critical": 1}
        levels = {one["alert_level"]: one["count"] for one in ask(owner, "alerts/")["alert_levels"]}
        assert levels == {"CRITICAL": 2, "INFO": 1}
        assert [one["alert_type"] for one in ask(owner, "alerts/")["recent_unresolved"]] == ["LOW_CHARGE", "FAULT"]

    def test_a_devices_activity_counts(self, owner: Person) -> None:
        device(owner.jwt)
        device(owner.jwt, serial_number="D-2", is_active=False)
        assert ask(owner, "stats/")["devices"] == {"total": 2, "active": 1}

    def test_vehicles_are_no_part_of_them(self, owner: Person) -> None:
        row = {"vehicle_id": "V1", "timestamp": "2024-05-01T12:00:00Z", "odometer": 1, "soc": 50, "elevation": 3}
        assert owner.jwt.post("/api/v1/vehicle_data/", row, format="json").status_code == 201
        assert ask(owner, "stats/") == NOTHING
        assert ask(owner, "battery-details/") == []

    def test_ask_few_questions_whatever_the_fleet(self, owner: Person, django_assert_max_num_queries: Any) -> None:
        client = owner.jwt
        for number in range(12):
            register(client, f"B-{number}")
            device(client, serial_number=f"D-{number}")
        for place, most in (("stats/", 5), ("chart-data/", 4), ("alerts/", 4), ("battery-details/", 3)):
            with django_assert_max_num_queries(most):
                client.get(f"{DASHBOARD}{place}")


class TestATrend:
    def written(self, store: Store, tenant: Tenant, battery_id: int, count: int, *, seconds: int) -> None:
        readings = []
        for number in range(count):
            values: dict[str, Any] = {
                "current_charge": 50.0 if number != count // 2 else 99.0,
                "current_voltage": 3.5 + (number % 10) / 100,
                "current_temperature": 20.0,
                "current_status": "IDLE",
                "current": 0.0,
            }
            at = AT + timedelta(seconds=number * seconds)
            readings.append(Reading(tenant.pk, battery_id, Row("BAT-004", at, values)))
        store.write(STATUS, readings)

    def test_is_the_newest_readings_the_oldest_first(self, owner: Person) -> None:
        made = register(owner.jwt)["id"]
        for minute in (3, 1, 2):
            at = (AT + timedelta(minutes=minute)).isoformat()
            update(owner.jwt, made, current_charge=minute, current_temperature=20 + minute, logged_at=at)
        body = ask(owner, "trend/", battery_id=made)
        assert body["timestamps"] == [f"2024-05-01T12:0{minute}:00Z" for minute in (1, 2, 3)]
        assert body["charge"] == [1, 2, 3]
        assert body["temperature"] == [21, 22, 23]
        assert len(body["voltage"]) == 3
        assert ask(owner, "trend/") == body

    def test_has_the_newest_of_many_and_its_spikes(self, owner: Person, tenant: Tenant, battery_store: Store) -> None:
        made = register(owner.jwt)["id"]
        self.written(battery_store, tenant, made, 5_000, seconds=30)  # 41 hours
        body = ask(owner, "trend/", battery_id=made)
        times = [datetime.fromisoformat(text) for text in body["timestamps"]]
        assert times == sorted(set(times))
        last = AT + timedelta(seconds=4_999 * 30)
        assert times[-1] == last
        assert times[0] == last - timedelta(hours=24)
        assert 99 in body["charge"]
        assert len(times) <= 1_500
        assert {len(line) for line in body.values()} == {len(times)}
        assert None not in body["voltage"]

    def test_reaches_back_to_five_hundred_readings(self, owner: Person, tenant: Tenant, battery_store: Store) -> None:
        made = register(owner.jwt)["id"]
        self.written(battery_store, tenant, made, 520, seconds=3_600)
        body = ask(owner, "trend/", battery_id=made)
        assert len(body["timestamps"]) == 500

    def test_of_a_battery_that_has_said_nothing_is_empty(self, owner: Person) -> None:
        empty = {"timestamps": [], "charge": [], "voltage": [], "temperature": []}
        assert ask(owner, "trend/", battery_id=register(owner.jwt)["id"]) == empty
        assert ask(owner, "trend/") == empty

    @pytest.mark.parametrize(("battery_id", "status"), [("x", 400), ("0", 400), ("1.5", 400), ("987654321", 404)])
    def test_of_no_battery_is_none(self, battery_id: str, status: int, owner: Person) -> None:
        answer = owner.jwt.get(f"{DASHBOARD}trend/", {"battery_id": battery_id})
        assert answer.status_code == status
        assert set(answer.json()) == ({"battery_id"} if status == 400 else {"detail"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [4, 5, 6])
def test_a_fleet_of_more_than_one_question_is_shown_whole(
    count: int, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wattkeeper.kinds.battery.dashboard.queries.BATTERIES_A_QUESTION", 2)
    for number in range(count):
        register(owner.jwt, f"B-{number}")
    expected = [f"B-{number}" for number in range(count)]
    assert [one["serial_number"] for one in ask(owner, "battery-details/")] == expected
    assert [one["serial_number"] for one in ask(owner, "export/")["batteries"]] == expected


@pytest.mark.parametrize("place", ["stats/", "chart-data/", "battery-details/", "alerts/", "trend/", "export/"])
class TestWhoMayLook:
    def test_nobody_looks_without_credentials(self, place: str, client: Any, db: None) -> None:
        assert client.get(f"{DASHBOARD}{place}").status_code == 401

    def test_another_tenant_is_unknown(self, place: str, owner: Person, stranger: Person) -> None:
        answer = stranger.jwt.get(f"{DASHBOARD}{place}", {"tenant": "north"})
        assert (answer.status_code, set(answer.json())) == (400, {"tenant"})

    def test_it_is_only_read(self, place: str, owner: Person) -> None:
        assert owner.jwt.post(f"{DASHBOARD}{place}", {}).status_code == 405
