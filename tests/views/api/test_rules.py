"""Rules over the API: what is there, who may change what, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.people import DOORS, Person
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.flow.alerts.actions import verdicts_apply
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.rules.judge import judge
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.verdicts import Sample

RULES = "/api/rules/"
HOT = {
    "kind": "battery",
    "name": "Hot",
    "channel": "current_temperature",
    "condition": "above",
    "limit": "45",
    "deadband": 2,
    "off_delay_seconds": 60,
    "level": "WARNING",
    "alert_type": "OVER_TEMPERATURE",
}
FIELDS = [
    "id",
    "kind",
    "asset_type",
    "asset",
    "name",
    "channel",
    "condition",
    "limit",
    "low",
    "high",
    "while_channel",
    "while_condition",
    "while_limit",
    "deadband",
    "on_delay_seconds",
    "off_delay_seconds",
    "level",
    "alert_type",
    "text",
    "makes_work",
    "enabled",
    "is_default",
    "created_at",
    "changed_at",
]
DEFAULTS = sum(len(kind.default_rules) for kind in registry.kinds())


def add(person: Person, **fields: Any) -> dict[str, Any]:
    """A new rule as the API shows it: HOT, but for `fields`."""
    answer = person.jwt.post(RULES, {**HOT, **fields}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def named(person: Person, **parameters: Any) -> list[str]:
    """The names that a list with these parameters shows."""
    answer = person.jwt.get(RULES, parameters)
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()["results"]]


def breach(person: Person, *, temperature: float) -> None:
    """A new battery of the person's tenant says that it is so hot."""
    battery = Asset.objects.create(tenant=person.tenant, kind="battery", key="B1", registered_by="test")
    at = datetime(2024, 5, 1, tzinfo=UTC)
    sample = Sample(battery.tenant_id, battery.pk, at, at, {"current_temperature": temperature})
    judged = judge(registry.kind("battery"), [sample], before={}, watched=())
    verdicts_apply(judged, watched={}, now=at)


class TestRead:
    def test_everyone_reads_the_defaults_of_every_kind(self, colleague: Person) -> None:
        page = colleague.jwt.get(RULES).json()
        assert (page["count"], page["next"], page["previous"]) == (DEFAULTS, None, None)
        assert {one["kind"] for one in page["results"]} == {kind.name for kind in registry.kinds()}
        low = page["results"][0]
        assert list(low) == FIELDS
        assert (low["name"], low["channel"], low["condition"], low["limit"]) == (
            "Charge is low",
            "current_charge",
            "below",
            "10",
        )
        assert (low["level"], low["alert_type"], low["asset_type"], low["asset"]) == ("WARNING", "LOW_CHARGE", "", None)
        assert (low["is_default"], low["enabled"], low["deadband"]) == (True, True, 2.0)

    def test_a_page_has_twenty(self, owner: Person) -> None:
        for number in range(25):
            add(owner, name=f"Rule {number:02}")
        page = owner.jwt.get(RULES, {"search": "Rule", "ordering": "-name", "page": "2"}).json()
        assert [one["name"] for one in page["results"]] == [f"Rule {number:02}" for number in range(4, -1, -1)]
        assert page["count"] == 25
        assert owner.jwt.get(RULES, {"page": "9"}).status_code == 404
        assert len(owner.jwt.get(RULES, {"page_size": "3"}).json()["results"]) == 3

    def test_a_list_is_filtered_and_ordered(self, owner: Person) -> None:
        add(owner, name="Own", enabled=False, text="Fetch the blue fan")
        assert named(owner, kind="vehicle") == ["Charge is low"]
        assert named(owner, channel="current_temperature") == ["Temperature is too high", "Own"]
        assert named(owner, enabled="false") == ["Own"]
        assert len(named(owner, enabled="true")) == DEFAULTS
        assert named(owner, search="BLUE fan") == ["Own"]
        assert named(owner, search="fault", kind="battery") == ["Reports a fault"]
        assert named(owner, kind="battery", ordering="-created_at")[0] == "Own"

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [
            ("kind", "boat"),
            ("kind", "a\0"),
            ("enabled", "perhaps"),
            ("ordering", "limit"),
            ("ordering", "--name"),
            ("search", "a\0b"),
            ("search", "x" * 1_000),
            ("page", "0"),
            ("page_size", "5000"),
            ("tenant", "no-such"),
        ],
    )
    def test_a_question_that_means_nothing_is_a_400_that_names_it(
        self, owner: Person, parameter: str, value: str
    ) -> None:
        answer = owner.jwt.get(RULES, {parameter: value})
        assert (answer.status_code, list(answer.json())) == (400, [parameter])

    def test_who_stands_above_tenants_sees_all_and_narrows_it_down(
        self, owner: Person, stranger: Person, superuser: Person
    ) -> None:
        add(owner, name="North's"), add(stranger, name="South's")
        assert superuser.jwt.get(RULES).json()["count"] == 2 * DEFAULTS + 2
        assert named(superuser, search="h's") == ["North's", "South's"]
        assert named(superuser, search="h's", tenant="south") == ["South's"]

    def test_the_vocabulary_says_what_a_form_needs(self, colleague: Person) -> None:
        kinds = {one["name"]: one for one in colleague.jwt.get(f"{RULES}vocabulary/").json()["kinds"]}
        battery = kinds["battery"]
        channels = {one["name"]: one for one in battery["channels"]}
        assert channels["current_temperature"] == {
            "name": "current_temperature",
            "label": "Temperature",
            "unit": "°C",
            "type": "float",
            "choices": [],
            "conditions": ["above", "below", "outside", "equals", "changes"],
        }
        assert channels["current_status"]["choices"] == ["CHARGING", "DISCHARGING", "IDLE", "FAULT"]
        assert channels["current_status"]["conditions"] == ["equals"]
        assert "health_percentage" in channels
        assert {"name": "voltage_nominal", "label": "Nominal voltage", "unit": "V"} in battery["nameplate"]
        assert battery["conditions"] == ["above", "below", "outside", "equals", "changes", "silent"]
        assert battery["levels"] == ["INFO", "WARNING", "ERROR", "CRITICAL"]
        assert "OVER_TEMPERATURE" in battery["alert_types"]
        assert battery["silence_relative_to"][0] == "usual_interval"
        assert kinds["vehicle"]["nameplate"] == []


class TestWrite:
    @pytest.mark.parametrize("door", DOORS)
    def test_a_new_rule_is_answered_as_it_is_kept(self, owner: Person, door: str) -> None:
        answer = owner.by(door).post(RULES, HOT, format="json")
        assert answer.status_code == 201
        made = answer.json()
        assert {name: made[name] for name in HOT} == HOT
        assert (made["enabled"], made["is_default"], made["makes_work"]) == (True, False, False)
        assert owner.jwt.get(f"{RULES}{made['id']}/").json() == made
        assert Rule.objects.get(pk=made["id"]).tenant == owner.tenant

    def test_a_form_leaves_enabled_what_it_does_not_speak_of(self, owner: Person) -> None:
        answer = owner.jwt.post(RULES, HOT)
        assert (answer.status_code, answer.json()["enabled"]) == (201, True)

    def test_a_limit_may_be_sent_as_a_number(self, owner: Person) -> None:
        assert add(owner, limit=45.5)["limit"] == "45.5"

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_what_is_sent_is_changed_and_nothing_else(self, owner: Person, method: str) -> None:
        made = add(owner)
        changed = getattr(owner.jwt, method)(f"{RULES}{made['id']}/", {"limit": "50"}, format="json")
        assert changed.status_code == 200
        assert changed.json() == {**made, "limit": "50", "changed_at": changed.json()["changed_at"]}
        assert changed.json()["changed_at"] > made["changed_at"]

    def test_a_rule_that_was_read_can_be_sent_back(self, owner: Person) -> None:
        made = add(owner)
        answer = owner.jwt.put(f"{RULES}{made['id']}/", made, format="json")
        assert (answer.status_code, answer.json()) == (200, made)

    def test_another_condition_takes_its_own_limits(self, owner: Person) -> None:
        path = f"{RULES}{add(owner)['id']}/"
        outside = owner.jwt.patch(path, {"condition": "outside", "low": "0", "high": "45"}, format="json").json()
        assert (outside["limit"], outside["low"], outside["high"]) == ("", "0", "45")
        refused = owner.jwt.patch(path, {"condition": "above"}, format="json")
        assert (refused.status_code, list(refused.json())) == (400, ["limit"])

    def test_a_default_may_be_changed_and_switched_off_but_not_taken_away(self, owner: Person) -> None:
        [low] = owner.jwt.get(RULES, {"kind": "vehicle"}).json()["results"]
        path = f"{RULES}{low['id']}/"
        assert owner.jwt.patch(path, {"limit": "15"}, format="json").json()["limit"] == "15"
        assert owner.jwt.delete(path).status_code == 409
        assert owner.jwt.post(f"{path}disable/").json()["enabled"] is False

    def test_a_rule_is_switched_off_and_on_and_again(self, owner: Person) -> None:
        path = f"{RULES}{add(owner)['id']}/"
        for step, enabled in (("disable", False), ("disable", False), ("enable", True), ("enable", True)):
            answer = owner.jwt.post(f"{path}{step}/")
            assert (answer.status_code, answer.json()["enabled"]) == (200, enabled)
        assert AuditEntry.objects.filter(action="rule_change").count() == 2

    @pytest.mark.parametrize(
        ("step", "body", "why"),
        [
            ("disable/", None, "rule disabled"),
            ("", {"enabled": False}, "rule disabled"),
            ("", {"channel": "current"}, "rule changed"),
            ("", {"limit": "60"}, None),
        ],
    )
    def test_the_alerts_of_a_rule_that_asks_something_else_are_over(
        self, owner: Person, step: str, body: Any, why: str | None
    ) -> None:
        path = f"{RULES}{add(owner)['id']}/"
        breach(owner, temperature=50.0)
        assert Alert.objects.get().resolved_at is None
        ask = owner.jwt.post if step else owner.jwt.patch
        assert ask(f"{path}{step}", body, format="json").status_code == 200
        ends = Transition.objects.filter(alert=Alert.objects.get()).exclude(kind="opened")
        assert [one.why for one in ends] == ([why] if why else [])
        assert (Alert.objects.get().resolved_at is not None) == (why is not None)

    def test_a_removed_rule_is_gone(self, owner: Person) -> None:
        path = f"{RULES}{add(owner)['id']}/"
        assert owner.jwt.delete(path).status_code == 204
        assert owner.jwt.get(path).status_code == owner.jwt.delete(path).status_code == 404
        assert named(owner, search="Hot") == []

    def test_a_rule_may_be_of_one_thing_or_of_one_type(self, owner: Person, stranger: Person) -> None:
        mine, theirs = (
            Asset.objects.create(tenant=one.tenant, kind="battery", key="B1", registered_by="test")
            for one in (owner, stranger)
        )
        made = add(owner, asset=mine.pk, asset_type="Li-ion")
        assert (made["asset"], made["asset_type"]) == (mine.pk, "Li-ion")
        answer = owner.jwt.post(RULES, {**HOT, "asset": theirs.pk}, format="json")
        assert (answer.status_code, answer.json()) == (400, {"asset": ["There is no such battery."]})

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"limt": "5", "max": 3}, ["limt", "max"]),
            ({"kind": "boat"}, ["kind"]),
            ({"kind": None}, ["kind"]),
            ({"name": ""}, ["name"]),
            ({"name": "a\0b"}, ["name"]),
            ({"channel": "speed"}, ["channel"]),
            ({"channel": ["current"]}, ["channel"]),
            ({"condition": "ABOVE"}, ["condition"]),
            ({"limit": ""}, ["limit"]),
            ({"limit": "hot"}, ["limit"]),
            ({"limit": "0.8 * weight"}, ["limit"]),
            ({"limit": True}, ["limit"]),
            ({"limit": "9" * 1_000_000}, ["limit"]),
            ({"low": "5"}, ["low"]),
            ({"asset_type": "x" * 101}, ["asset_type"]),
            ({"asset": 0}, ["asset"]),
            ({"asset": 2**63}, ["asset"]),
            ({"asset": "B1"}, ["asset"]),
            ({"while_channel": "current_charge"}, ["while_condition"]),
            ({"while_condition": "changes"}, ["while_condition"]),
            ({"deadband": -1}, ["deadband"]),
            ({"deadband": "wide"}, ["deadband"]),
            ({"on_delay_seconds": 1.5}, ["on_delay_seconds"]),
            ({"off_delay_seconds": 10**9}, ["off_delay_seconds"]),
            ({"level": "warning"}, ["level"]),
            ({"alert_type": "TOO_HOT"}, ["alert_type"]),
            ({"enabled": "perhaps"}, ["enabled"]),
            ({"channel": "current_status", "limit": "FAULT"}, ["condition"]),
        ],
    )
    def test_what_means_nothing_is_a_400_that_names_it(
        self, owner: Person, fields: dict[str, Any], wrong: list[str]
    ) -> None:
        answer = owner.jwt.post(RULES, {**HOT, **fields}, format="json")
        assert (answer.status_code, sorted(answer.json())) == (400, wrong)
        assert not Rule.objects.filter(default_name="").exists()

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
    @pytest.mark.parametrize("field", ["deadband", "limit", "on_delay_seconds", "asset"])
    def test_what_is_no_finite_number_is_a_400_that_names_it(self, owner: Person, field: str, number: str) -> None:
        body = json.dumps({**HOT, field: "?"}).replace('"?"', number)
        answer = owner.jwt.generic("POST", RULES, body, "application/json")
        assert (answer.status_code, list(answer.json())) == (400, [field])

    @pytest.mark.parametrize("body", ["[]", "5", "null", '"a"', "{"])
    def test_a_body_that_is_no_rule_is_a_400(self, owner: Person, body: str) -> None:
        assert owner.jwt.generic("POST", RULES, body, "application/json").status_code == 400

    def test_all_that_is_missing_is_named(self, owner: Person) -> None:
        answer = owner.jwt.post(RULES, {"kind": "battery"}, format="json")
        assert answer.status_code == 400
        assert sorted(answer.json()) == ["alert_type", "channel", "condition", "level", "name"]

    def test_a_rule_stays_with_its_kind(self, owner: Person) -> None:
        answer = owner.jwt.patch(f"{RULES}{add(owner)['id']}/", {"kind": "vehicle"}, format="json")
        assert (answer.status_code, list(answer.json())) == (400, ["kind"])

    def test_who_stands_above_tenants_says_whose_a_new_rule_is(
        self, tenant: Tenant, other_tenant: Tenant, superuser: Person
    ) -> None:
        assert list(superuser.jwt.post(RULES, HOT, format="json").json()) == ["tenant"]
        made = superuser.jwt.post(f"{RULES}?tenant=south", HOT, format="json").json()
        assert Rule.objects.get(pk=made["id"]).tenant == other_tenant


class TestWho:
    def test_strangers_see_nothing_of_it(self, owner: Person, stranger: Person) -> None:
        path = f"{RULES}{add(owner, name='Secret')['id']}/"
        assert named(stranger, search="Secret") == []
        assert stranger.jwt.get(path).status_code == 404
        assert stranger.jwt.patch(path, {"limit": "1"}, format="json").status_code == 404
        assert stranger.jwt.delete(path).status_code == 404
        assert stranger.jwt.post(f"{path}disable/").status_code == 404
        assert Rule.objects.get(name="Secret").enabled

    @pytest.mark.parametrize(
        ("role", "may"), [("viewer", False), ("operator", False), ("manager", True), ("admin", True)]
    )
    def test_managers_change_rules_and_all_read_them(
        self, owner: Person, make_person: Any, role: str, may: bool
    ) -> None:
        someone, path = make_person(role), f"{RULES}{add(owner)['id']}/"
        assert someone.jwt.get(path).status_code == 200
        assert someone.jwt.patch(path, {"limit": "1"}, format="json").status_code == (200 if may else 403)
        assert someone.jwt.post(f"{path}disable/").status_code == (200 if may else 403)
        assert someone.jwt.post(RULES, HOT, format="json").status_code == (201 if may else 403)
        assert someone.jwt.delete(path).status_code == (204 if may else 403)

    def test_a_key_that_sends_readings_neither_reads_nor_changes_rules(self, owner: Person) -> None:
        assert owner.key(Scope.INGEST).get(RULES).status_code == 403
        assert owner.key(Scope.READ).get(RULES).status_code == 200
        assert owner.key(Scope.READ).post(RULES, HOT, format="json").status_code == 403
        assert owner.key(Scope.ADMIN).post(RULES, HOT, format="json").status_code == 201


def test_a_number_that_no_rule_has_is_a_404(owner: Person) -> None:
    for number in ("0", "999999999", "9" * 30):
        assert owner.jwt.get(f"{RULES}{number}/").status_code == 404
