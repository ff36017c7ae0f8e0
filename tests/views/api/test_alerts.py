"""The alerts' endpoints: read, posted, taken care of."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.people import Person, key_make
from tests.support import alerts
from tests.support.alerts import NOON, apply, battery, breach, clear, opened, posted, rule_make
from tests.support.fleets import vehicle
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import Tenant, User
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts import actions
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.rules.spec import RuleSpec

ALERTS = "/api/alerts/"
# As the contract has it, but for the number of the battery.
POSTED = {"alert_type": "LOW_CHARGE", "alert_level": "WARNING", "message": "Battery charge is low"}
FIELDS = {
    *("id", "battery", "asset", "battery_serial", "asset_key", "kind", "alert_type", "alert_level", "message"),
    *("is_resolved", "created_at", "resolved_at", "opened_at", "cleared_at", "value", "limit", "rule"),
    *("acknowledged_at", "acknowledged_by", "assigned_to", "assigned_to_name", "shelved_until", "shelve_reason"),
}


@pytest.fixture
def asset(tenant: Tenant) -> Asset:
    return battery(tenant)


@pytest.fixture
def rule(tenant: Tenant) -> RuleSpec:
    return rule_make(tenant)


@pytest.fixture
def operator(make_person: Any) -> Person:
    person: Person = make_person("operator", name="olga")
    return person


@pytest.fixture
def manager(make_person: Any) -> Person:
    person: Person = make_person("manager", name="mia")
    return person


def send(person: Person, method: str, path: str, body: Any = None) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return person.jwt.generic(method.upper(), path, text, content_type="application/json")


def post(person: Person, asset: Asset, **values: Any) -> dict[str, Any]:
    answer = send(person, "post", ALERTS, {"battery": asset.pk, **POSTED, **values})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def act(person: Person, alert: Any, name: str, body: Any = None) -> Any:
    pk = alert.pk if isinstance(alert, Alert) else alert["id"]
    return send(person, "post", f"{ALERTS}{pk}/{name}/", {} if body is None else body)


def place(alert: Any) -> str:
    return f"{ALERTS}{alert.pk if isinstance(alert, Alert) else alert['id']}/"


def listed(person: Person, path: str = ALERTS, **query: Any) -> list[int]:
    answer = person.jwt.get(path, query)
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def history(person: Person, alert: Any) -> list[dict[str, Any]]:
    found = person.jwt.get(f"{place(alert)}history/").json()["results"]
    return list(found)


class TestPosting:
    def test_it_is_answered_with_all_its_fields(self, operator: Person, asset: Asset) -> None:
        body = post(operator, asset)
        assert set(body) == FIELDS
        assert {name: body[name] for name in POSTED} == POSTED
        assert (body["battery"], body["asset"], body["kind"]) == (asset.pk, asset.pk, "battery")
        assert (body["battery_serial"], body["asset_key"]) == ("BAT-1", "BAT-1")
        assert (body["is_resolved"], body["resolved_at"], body["rule"], body["value"]) == (False, None, None, None)
        assert datetime.fromisoformat(body["created_at"])
        assert body["created_at"].endswith("Z")
        assert operator.jwt.get(place(body)).json() == body

    def test_it_may_be_about_another_kind_of_thing(self, operator: Person, tenant: Tenant) -> None:
        van = vehicle(tenant, "VAN-1")
        answer = send(operator, "post", ALERTS, {"asset": van.pk, **POSTED})
        body = answer.json()
        assert (body["battery"], body["battery_serial"]) == (None, None)
        assert (body["asset"], body["asset_key"], body["kind"]) == (van.pk, "VAN-1", "vehicle")
        refused = send(operator, "post", ALERTS, {"battery": van.pk, **POSTED})
        assert (refused.status_code, set(refused.json())) == (400, {"battery"})

    def test_it_may_come_as_a_form(self, operator: Person, asset: Asset) -> None:
        answer = operator.jwt.post(ALERTS, {"battery": asset.pk, **POSTED})
        assert answer.status_code == 201, answer.content
        assert answer.json()["is_resolved"] is False

    def test_it_may_be_over_already(self, manager: Person, asset: Asset) -> None:
        body = post(manager, asset, is_resolved=True)
        assert body["is_resolved"] is True
        assert [one["kind"] for one in history(manager, body)] == ["opened", "resolved"]

    @pytest.mark.parametrize("name", ["alert_type", "alert_level", "message", "battery"])
    def test_it_needs_the_fields_of_the_contract(self, name: str, operator: Person, asset: Asset) -> None:
        body = {"battery": asset.pk, **POSTED}
        del body[name]
        answer = send(operator, "post", ALERTS, body)
        assert (answer.status_code, set(answer.json())) == (400, {name})

    @pytest.mark.parametrize("method", ["post", "patch"])
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("severity", "high"),
            ("x" * 100_000, 1),
            ("alert_level", "warning"),
            ("alert_level", None),
            ("alert_level", 1),
            ("alert_level", ["WARNING"]),
            ("alert_type", "low_charge"),
            ("alert_type", "x" * 1_000_000),
            ("alert_type", "\ud800"),
            ("alert_type", {}),
            ("message", ""),
            ("message", " "),
            ("message", None),
            ("message", 5),
            ("message", True),
            ("message", ["Battery charge is low"]),
            ("message", "x" * 1_000_000),
            ("message", "a\0b"),
            ("message", "\ud800"),
            ("battery", "one"),
            ("battery", 0),
            ("battery", -1),
            ("battery", 1.5),
            ("battery", True),
            ("battery", 10**9),
            ("battery", 10**30),
            ("battery", []),
            ("asset", 10**9),
            ("is_resolved", "perhaps"),
            ("is_resolved", None),
            ("is_resolved", []),
        ],
    )
    def test_what_is_wrong_is_a_400_that_names_it(
        self, method: str, name: str, value: Any, operator: Person, asset: Asset
    ) -> None:
        path = ALERTS if method == "post" else place(posted(asset))
        answer = send(operator, method, path, {"battery": asset.pk, **POSTED, name: value})
        assert (answer.status_code, set(answer.json())) == (400, {name[:100]})

    @pytest.mark.parametrize("body", ["NaN", "[]", '"alert"', "null", '{"battery": 1e400}', '{"battery": NaN}', "{"])
    def test_what_is_no_alert_at_all_is_a_400(self, body: str, operator: Person, db: None) -> None:
        assert send(operator, "post", ALERTS, body).status_code == 400

    def test_another_tenants_asset_is_as_unknown_as_none(
        self, operator: Person, other_tenant: Tenant, stranger: Person
    ) -> None:
        theirs = battery(other_tenant)
        for name in ("battery", "asset"):
            answer = send(operator, "post", ALERTS, {name: theirs.pk, **POSTED})
            assert (answer.status_code, set(answer.json())) == (400, {name})
        assert listed(stranger) == []

    def test_an_archived_asset_is_as_unknown_as_none(self, operator: Person, asset: Asset) -> None:
        Asset.objects.update(archived_at=NOON)
        assert send(operator, "post", ALERTS, {"battery": asset.pk, **POSTED}).status_code == 400


class TestOneOfARule:
    def test_it_says_what_was_judged_by_what(self, colleague: Person, rule: RuleSpec, asset: Asset) -> None:
        alert = opened(rule, asset)
        body = colleague.jwt.get(place(alert)).json()
        assert (body["rule"], body["value"], body["limit"]) == (rule.id, "61.2 °C", "above 50 °C")
        assert body["message"] == "Temperature 61.2 °C, above 50 °C"
        assert body["opened_at"] == "2026-05-01T12:00:00Z"

    def test_it_is_over_when_it_has_cleared(self, colleague: Person, rule: RuleSpec, asset: Asset) -> None:
        alert = opened(rule, asset)
        apply(clear(rule, asset, 60))
        body = colleague.jwt.get(place(alert)).json()
        assert (body["is_resolved"], body["cleared_at"]) == (True, "2026-05-01T12:01:00Z")
        assert listed(colleague, f"{ALERTS}unresolved/") == []

    def test_resolved_while_in_breach_it_opens_again_only_after_it_was_clear(
        self, manager: Person, rule: RuleSpec, asset: Asset
    ) -> None:
        act(manager, opened(rule, asset), "resolve")
        apply(breach(rule, asset, 1))
        assert listed(manager, f"{ALERTS}unresolved/") == []
        apply(clear(rule, asset, 2))
        apply(breach(rule, asset, 3))
        assert len(listed(manager, f"{ALERTS}unresolved/")) == 1

    def test_it_is_over_when_its_rule_is_switched_off(
        self, owner: Person, colleague: Person, rule: RuleSpec, asset: Asset
    ) -> None:
        alert = opened(rule, asset)
        assert send(owner, "post", f"/api/rules/{rule.id}/disable/", {}).status_code == 200
        last = history(colleague, alert)[-1]
        assert (last["kind"], last["by"], last["why"]) == ("cleared", "owner", "rule disabled")
        assert colleague.jwt.get(place(alert)).json()["is_resolved"] is True

    def test_nobody_changes_what_the_rule_says(self, manager: Person, rule: RuleSpec, asset: Asset) -> None:
        alert = opened(rule, asset)
        for name, value in (("message", "x"), ("alert_type", "FAULT"), ("alert_level", "INFO")):
            answer = send(manager, "patch", place(alert), {name: value})
            assert (answer.status_code, set(answer.json())) == (400, {name})
        body = manager.jwt.get(place(alert)).json()
        assert send(manager, "put", place(alert), {**body, "is_resolved": True}).json()["is_resolved"] is True


class TestChanging:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_some_of_the_fields_are_enough(self, method: str, operator: Person, asset: Asset) -> None:
        made = post(operator, asset)
        body = send(operator, method, place(made), {"message": "It is empty"}).json()
        assert body == {**made, "message": "It is empty"}
        changed = history(operator, made)[-1]
        assert (changed["kind"], changed["by"]) == ("changed", "olga")
        assert changed["detail"] == {"message": ["Battery charge is low", "It is empty"]}

    def test_what_was_read_may_be_sent_back(self, operator: Person, asset: Asset) -> None:
        made = post(operator, asset)
        answer = send(operator, "put", place(made), made)
        assert (answer.status_code, answer.json()) == (200, made)
        assert len(history(operator, made)) == 1, "nothing has changed"

    def test_is_resolved_becomes_true_and_never_false(self, manager: Person, asset: Asset) -> None:
        made = post(manager, asset)
        assert send(manager, "put", place(made), {"is_resolved": False}).status_code == 200
        body = send(manager, "put", place(made), {"is_resolved": True}).json()
        assert body["is_resolved"] is True
        assert body["resolved_at"] is not None
        assert send(manager, "put", place(made), {"is_resolved": True}).json() == body
        refused = send(manager, "put", place(made), {"is_resolved": False})
        assert (refused.status_code, set(refused.json())) == (400, {"is_resolved"})

    def test_an_alert_stays_with_its_asset(self, operator: Person, asset: Asset, tenant: Tenant) -> None:
        made, other = post(operator, asset), battery(tenant, "BAT-2")
        for name in ("battery", "asset"):
            for value in (other.pk, None):
                answer = send(operator, "patch", place(made), {name: value})
                assert (answer.status_code, set(answer.json())) == (400, {name})
        van = vehicle(tenant, "VAN-1")
        of_van = posted(van)
        assert send(operator, "patch", place(of_van), {"asset": van.pk, "battery": None}).status_code == 200

    def test_deleted_it_is_out_of_sight_with_its_history_kept(self, manager: Person, asset: Asset) -> None:
        made = post(manager, asset)
        assert send(manager, "delete", place(made)).status_code == 204
        assert manager.jwt.get(place(made)).status_code == 404
        assert send(manager, "delete", place(made)).status_code == 404
        assert manager.jwt.get(f"{place(made)}history/").status_code == 404
        assert listed(manager) == []
        assert alerts.told(Alert.objects.get(pk=made["id"])) == ["opened", "resolved", "hidden"]


class TestTakingCare:
    def test_who_resolves_it_again_hears_the_same(self, manager: Person, owner: Person, asset: Asset) -> None:
        made = post(manager, asset)
        first = act(manager, made, "resolve", {"why": "charged"})
        again = act(owner, made, "resolve")
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json()
        last = history(manager, made)[-1]
        assert (last["kind"], last["by"], last["why"]) == ("resolved", "mia", "charged")

    @pytest.mark.parametrize("body", ["", "{}"])
    def test_resolving_needs_no_body(self, body: str, manager: Person, asset: Asset) -> None:
        answer = send(manager, "post", f"{place(post(manager, asset))}resolve/", body)
        assert (answer.status_code, answer.json().get("is_resolved")) == (200, True)

    def test_it_is_acknowledged_by_name_and_still_open(self, operator: Person, owner: Person, asset: Asset) -> None:
        made = post(operator, asset)
        body = act(operator, made, "acknowledge").json()
        assert (body["acknowledged_by"], body["is_resolved"]) == ("olga", False)
        assert act(owner, made, "acknowledge").json() == body, "the first counts"

    def test_a_key_is_known_by_its_name(self, tenant: Tenant, asset: Asset, operator: Person) -> None:
        from tests.people import client_with

        made = post(operator, asset)
        key = client_with(f"Api-Key {key_make(tenant, Scope.ADMIN, name='robot')}")
        assert key.post(f"{place(made)}acknowledge/").json()["acknowledged_by"] == "robot"

    def test_it_is_assigned_to_a_person_of_the_tenant(
        self, operator: Person, owner: Person, colleague: Person, stranger: Person, superuser: Person, asset: Asset
    ) -> None:
        made = post(operator, asset)
        body = act(operator, made, "assign", {"user": owner.user.pk}).json()
        assert (body["assigned_to"], body["assigned_to_name"]) == (owner.user.pk, "owner")
        assert listed(owner, assigned_to="me") == [made["id"]]
        assert listed(operator, assigned_to="me") == []
        assert listed(operator, assigned_to=owner.user.pk) == [made["id"]]
        for person in (operator, superuser):
            for wrong in (stranger.user.pk, superuser.user.pk, 10**9, 0, "x", 1.5):
                answer = act(person, made, "assign", {"user": wrong})
                assert (answer.status_code, set(answer.json())) == (400, {"user"})
        refused = act(operator, made, "assign", {"user": colleague.user.pk})
        assert (refused.status_code, refused.json()) == (
            400, {"user": ["colleague is a viewer, and may not take care of alerts."]}
        )  # fmt: skip
        assert act(operator, made, "assign", {"user": None}).json()["assigned_to"] is None
        assert set(act(operator, made, "assign", {}).json()) == {"user"}

    def test_comments_are_in_its_history(self, operator: Person, asset: Asset) -> None:
        made = post(operator, asset)
        assert act(operator, made, "comment", {"text": "On my way"}).status_code == 200
        last = history(operator, made)[-1]
        assert (last["kind"], last["why"], last["by"]) == ("commented", "On my way", "olga")
        for wrong in ({}, {"text": ""}, {"text": 5}, {"text": "x" * 1_000_000}, {"text": "\0"}, {"text": "\ud800"}):
            answer = act(operator, made, "comment", wrong)
            assert (answer.status_code, set(answer.json())) == (400, {"text"})
        assert set(act(operator, made, "comment", {"text": "x", "to": "all"}).json()) == {"to"}

    @pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u2066", "\u202ex", "\u3164", "a\x07"], ids=ascii)
    def test_what_nobody_can_see_is_no_word(self, hidden: str, manager: Person, asset: Asset) -> None:
        made = post(manager, asset)
        ids = {"ids": [made["id"]], "minutes": 5}
        for field, answer in [
            ("text", act(manager, made, "comment", {"text": hidden})),
            ("reason", act(manager, made, "shelve", {"reason": hidden, "minutes": 5})),
            ("reason", send(manager, "post", f"{ALERTS}shelve/", {"reason": hidden, **ids})),
            ("why", act(manager, made, "resolve", {"why": hidden})),
            ("message", send(manager, "patch", place(made), {"message": hidden})),
            ("message", send(manager, "post", ALERTS, {"battery": asset.pk, **POSTED, "message": hidden})),
        ]:
            assert (answer.status_code, set(answer.json())) == (400, {field}), answer.content
            assert "can see" in answer.json()[field][0]
        assert listed(manager, is_resolved="false") == [made["id"]]
        assert len(history(manager, made)) == 1

    def test_a_comment_has_lines_and_a_reason_has_one(self, operator: Person, asset: Asset) -> None:
        made = post(operator, asset)
        assert act(operator, made, "comment", {"text": "First\r\n\tthen \U0001f469\u200d\U0001f527"}).status_code == 200
        assert history(operator, made)[-1]["why"] == "First\n\tthen \U0001f469\u200d\U0001f527"
        answer = act(operator, made, "shelve", {"reason": "First\nthen", "minutes": 5})
        assert (answer.status_code, answer.json()) == (400, {"reason": ["Write it in one line."]})

    def test_it_is_shelved_for_a_while(self, operator: Person, asset: Asset) -> None:
        made = post(operator, asset)
        body = act(operator, made, "shelve", {"reason": "being repaired", "minutes": 90}).json()
        assert body["shelve_reason"] == "being repaired"
        left = datetime.fromisoformat(body["shelved_until"]) - clock.now()
        assert timedelta(minutes=89) < left <= timedelta(minutes=90)
        assert (listed(operator, shelved="true"), listed(operator, shelved="false")) == ([made["id"]], [])
        until = (clock.now() + timedelta(hours=8)).isoformat()
        longer = act(operator, made, "shelve", {"reason": "being repaired", "until": until}).json()
        assert longer["shelved_until"] > body["shelved_until"]
        over = act(operator, made, "unshelve").json()
        assert (over["shelved_until"], over["shelve_reason"]) == (None, None)
        assert act(operator, made, "unshelve").json() == over
        kinds = [one["kind"] for one in history(operator, made)]
        assert kinds == ["opened", "shelved", "shelved", "unshelved", "announced"]

    @pytest.mark.parametrize(
        ("body", "names"),
        [
            ({"minutes": 5}, {"reason"}),
            ({"reason": "", "minutes": 5}, {"reason"}),
            ({"reason": "x" * 501, "minutes": 5}, {"reason"}),
            ({"reason": "x"}, {"until"}),
            ({"reason": "x", "minutes": 5, "until": "2026-05-01T12:00:00Z"}, {"until"}),
            ({"reason": "x", "minutes": 0}, {"minutes"}),
            ({"reason": "x", "minutes": 481}, {"minutes"}),
            ({"reason": "x", "minutes": "five"}, {"minutes"}),
            ({"reason": "x", "until": "tomorrow"}, {"until"}),
            ({"reason": "x", "until": 5}, {"until"}),
            ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, {"until"}),
            ({"reason": "x", "until": "9999-12-31T23:59:59-14:00"}, {"until"}),
            ({"reason": "x", "minutes": 5, "for": "me"}, {"for"}),
        ],
    )
    def test_a_shelf_has_a_reason_and_one_end(self, body: Any, names: set[str], operator: Person, asset: Asset) -> None:
        answer = act(operator, post(operator, asset), "shelve", body)
        assert (answer.status_code, set(answer.json())) == (400, names)

    def test_what_is_over_cannot_be_shelved(self, manager: Person, asset: Asset) -> None:
        made = post(manager, asset, is_resolved=True)
        assert act(manager, made, "shelve", {"reason": "x", "minutes": 5}).status_code == 409

    def test_several_are_acknowledged_at_once(self, operator: Person, asset: Asset, other_tenant: Tenant) -> None:
        first, second = post(operator, asset)["id"], post(operator, asset)["id"]
        act(operator, {"id": second}, "acknowledge")
        strange = posted(battery(other_tenant)).pk
        answer = send(operator, "post", f"{ALERTS}acknowledge/", {"ids": [first, second, strange, first]})
        assert answer.json() == {"acknowledged": [first], "already": [second], "unknown": [strange]}
        assert listed(operator, acknowledged="true", ordering="created_at") == [first, second]

    def test_several_are_given_to_somebody_at_once(self, operator: Person, asset: Asset, other_tenant: Tenant) -> None:
        first, second = post(operator, asset)["id"], post(operator, asset)["id"]
        act(operator, {"id": second}, "assign", {"user": operator.user.pk})
        strange = posted(battery(other_tenant)).pk
        ids = [first, second, strange]
        answer = send(operator, "post", f"{ALERTS}assign/", {"ids": ids, "user": operator.user.pk})
        assert answer.json() == {"assigned": [first], "already": [second], "unknown": [strange]}
        assert listed(operator, assigned_to="me", ordering="created_at") == [first, second]
        answer = send(operator, "post", f"{ALERTS}assign/", {"ids": ids, "user": None})
        assert answer.json()["assigned"] == [first, second]
        assert listed(operator, assigned_to="me") == []

    def test_several_are_not_given_to_whom_nobody_knows_or_who_looks_on(
        self, operator: Person, stranger: Person, colleague: Person, asset: Asset
    ) -> None:
        made = post(operator, asset)
        for user in (stranger.user.pk, colleague.user.pk, 10**9):
            answer = send(operator, "post", f"{ALERTS}assign/", {"ids": [made["id"]], "user": user})
            assert (answer.status_code, set(answer.json())) == (400, {"user"})

    def test_several_are_shelved_at_once(self, manager: Person, asset: Asset, other_tenant: Tenant) -> None:
        first, over = post(manager, asset)["id"], post(manager, asset, is_resolved=True)["id"]
        strange = posted(battery(other_tenant)).pk
        body = {"ids": [first, over, strange], "reason": "repair", "minutes": 15}
        answer = send(manager, "post", f"{ALERTS}shelve/", body)
        assert answer.json() == {"shelved": [first], "already": [], "unknown": [strange], "over": [over]}
        assert listed(manager, shelved="true") == [first]

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [({"minutes": 481}, "minutes"), ({"reason": " "}, "reason"), ({"minutes": None}, "until"), ({"ids": 3}, "ids")],
    )
    def test_how_several_are_shelved_is_said_in_full(
        self, wrong: dict[str, Any], field: str, operator: Person, asset: Asset
    ) -> None:
        body = {"ids": [post(operator, asset)["id"]], "reason": "repair", "minutes": 15, **wrong}
        answer = send(operator, "post", f"{ALERTS}shelve/", body)
        assert (answer.status_code, set(answer.json())) == (400, {field})

    @pytest.mark.parametrize("ids", [None, 1, "1", ["x"], [0], [None], list(range(1, 1002))])
    def test_which_are_acknowledged_is_a_list_of_numbers(self, ids: Any, operator: Person, db: None) -> None:
        answer = send(operator, "post", f"{ALERTS}acknowledge/", {"ids": ids})
        assert (answer.status_code, set(answer.json())) == (400, {"ids"})


class TestHistory:
    def test_it_is_all_that_happened_the_oldest_first_with_who_by_name(
        self, operator: Person, owner: Person, colleague: Person, rule: RuleSpec, asset: Asset
    ) -> None:
        alert = opened(rule, asset)
        act(operator, alert, "acknowledge")
        act(owner, alert, "assign", {"user": operator.user.pk})
        apply(clear(rule, asset, 9))
        body = colleague.jwt.get(f"{place(alert)}history/").json()
        assert (body["count"], body["next"], body["previous"]) == (4, None, None)
        told = [(one["kind"], one["by"]) for one in body["results"]]
        assert told == [("opened", "rule"), ("acknowledged", "olga"), ("assigned", "owner"), ("cleared", "rule")]
        assert [set(one) for one in body["results"]] == [{"id", "kind", "at", "event_at", "by", "why", "detail"}] * 4
        assert body["results"][-1]["event_at"] == "2026-05-01T12:00:09Z"

    def test_it_comes_in_pages(self, operator: Person, asset: Asset) -> None:
        made = post(operator, asset)
        for number in range(25):
            act(operator, made, "comment", {"text": f"{number}"})
        first = operator.jwt.get(f"{place(made)}history/").json()
        second = operator.jwt.get(first["next"]).json()
        assert (len(first["results"]), len(second["results"])) == (20, 6)
        assert second["results"][-1]["why"] == "24"


class TestTheList:
    def test_it_is_the_newest_first_in_pages_of_twenty(self, operator: Person, asset: Asset) -> None:
        made = [posted(asset).pk for _ in range(21)]
        body = operator.jwt.get(ALERTS).json()
        assert (body["count"], body["previous"]) == (21, None)
        assert [one["id"] for one in body["results"]] == made[:0:-1]
        assert [one["id"] for one in operator.jwt.get(body["next"]).json()["results"]] == made[:1]
        assert operator.jwt.get(ALERTS, {"page": 3}).status_code == 404

    def test_it_is_filtered_by_each_field_of_the_contract(
        self, operator: Person, colleague: Person, tenant: Tenant
    ) -> None:
        first, van = battery(tenant, "BAT-001"), vehicle(tenant, "VAN-1")
        low = posted(first).pk
        hot = posted(van, alert_type=AlertType.OVER_TEMPERATURE, level=Level.CRITICAL).pk
        over = posted(first, alert_type=AlertType.FAULT)
        actions.alert_resolve(over, by="user:1")
        actions.alert_acknowledge(over, by="user:1")
        for query, expected in (
            ({"is_resolved": "true"}, [over.pk]),
            ({"is_resolved": "false"}, [hot, low]),
            ({"is_resolved": "False", "kind": "battery"}, [low]),
            ({"alert_level": "CRITICAL"}, [hot]),
            ({"alert_type": "FAULT"}, [over.pk]),
            ({"kind": "vehicle"}, [hot]),
            ({"battery": first.pk}, [over.pk, low]),
            ({"battery": van.pk}, []),
            ({"asset": van.pk}, [hot]),
            ({"asset": first.pk, "battery": first.pk}, [over.pk, low]),
            ({"asset": van.pk, "battery": first.pk}, []),
            ({"acknowledged": "true"}, [over.pk]),
            ({"acknowledged": "false"}, [hot, low]),
            ({"assigned_to": "me"}, []),
            ({"assigned_to": colleague.user.pk}, []),
            ({"search": "bat-0"}, [over.pk, low]),
            ({"search": "over_temp"}, [hot]),
            ({"search": "%"}, []),
            ({"search": ""}, [over.pk, hot, low]),
            ({"ordering": "created_at"}, [low, hot, over.pk]),
            ({"ordering": "-alert_level", "is_resolved": "false"}, [hot, low]),
            ({"ordering": "asset_key", "is_resolved": "false"}, [low, hot]),
            ({"ordering": "alert_type"}, [over.pk, low, hot]),
            ({"ordering": "-resolved_at", "page_size": 1}, [over.pk]),
        ):
            assert listed(operator, **query) == expected, query
        assert listed(operator, f"{ALERTS}unresolved/") == [hot, low]
        assert listed(operator, f"{ALERTS}unresolved/", alert_level="CRITICAL") == [hot]

    @pytest.mark.parametrize(
        "query",
        [
            {"is_resolved": "yes"},
            {"alert_level": "warning"},
            {"alert_type": "hot"},
            {"kind": "rocket"},
            {"battery": "BAT-001"},
            {"battery": "0"},
            {"asset": "9" * 100},
            {"acknowledged": "1"},
            {"shelved": "x"},
            {"assigned_to": "anna"},
            {"search": "\0"},
            {"search": "x" * 1000},
            {"ordering": "colour"},
            {"ordering": "-"},
            {"page": "0"},
            {"page_size": "1001"},
            {"tenant": "nowhere"},
        ],
    )
    @pytest.mark.parametrize("path", [ALERTS, f"{ALERTS}unresolved/"])
    def test_what_it_cannot_understand_is_a_400_that_names_it(
        self, path: str, query: dict[str, str], colleague: Person
    ) -> None:
        if path != ALERTS and "is_resolved" in query:
            return
        answer = colleague.jwt.get(path, query)
        assert (answer.status_code, set(answer.json())) == (400, set(query))

    def test_a_page_of_many_costs_what_a_page_of_few_does(
        self, operator: Person, colleague: Person, tenant: Tenant
    ) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as asked:
                listed(operator)
            return len(asked)

        def make(number: int) -> None:
            alert = posted(battery(tenant, f"BAT-{number}"))
            person = User.objects.create(username=f"p{number}", tenant=tenant, role=Role.OPERATOR)
            actions.alert_acknowledge(alert, by=f"user:{person.pk}")
            actions.alert_assign(alert, user=person, by="user:1")

        make(0)
        few = cost()
        for number in range(1, 20):
            make(number)
        assert cost() == few

    def test_who_stands_above_tenants_sees_all_or_those_of_one(
        self, superuser: Person, asset: Asset, other_tenant: Tenant
    ) -> None:
        mine, theirs = posted(asset).pk, posted(battery(other_tenant)).pk
        assert listed(superuser) == [theirs, mine]
        assert listed(superuser, tenant="north") == [mine]
        assert superuser.jwt.get(f"{ALERTS}{theirs}/").status_code == 200


class TestWhoMay:
    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("acknowledge", {}),
            ("assign", {"user": None}),
            ("comment", {"text": "x"}),
            ("shelve", {"reason": "x", "minutes": 5}),
            ("unshelve", {}),
        ],
    )
    def test_a_viewer_reads_and_an_operator_acts(
        self, name: str, body: Any, colleague: Person, operator: Person, stranger: Person, asset: Asset
    ) -> None:
        alert = posted(asset)
        assert act(colleague, alert, name, body).status_code == 403
        assert act(stranger, alert, name, body).status_code == 404
        assert alerts.told(alert) == ["opened"]
        assert act(operator, alert, name, body).status_code == 200

    def test_an_operator_says_of_none_that_it_is_over(self, operator: Person, asset: Asset) -> None:
        alert = posted(asset)
        assert act(operator, alert, "resolve").status_code == 403
        for method in ("put", "patch"):
            answer = send(operator, method, place(alert), {"message": "Charged", "is_resolved": True})
            assert answer.status_code == 403, method
        assert send(operator, "delete", place(alert)).status_code == 403
        answer = send(operator, "post", ALERTS, {"battery": asset.pk, **POSTED, "is_resolved": True})
        assert answer.status_code == 403
        assert listed(operator) == listed(operator, is_resolved="false") == [alert.pk]
        assert alerts.told(alert) == ["opened"]

    def test_an_operator_changes_the_words_of_what_a_manager_has_resolved(
        self, operator: Person, manager: Person, asset: Asset
    ) -> None:
        made = post(operator, asset)
        body = act(manager, made, "resolve").json()
        answer = send(operator, "put", place(made), {**body, "message": "It was empty"})
        assert (answer.status_code, answer.json()["message"]) == (200, "It was empty")
        assert [one["kind"] for one in history(operator, made)] == ["opened", "resolved", "changed"]

    @pytest.mark.parametrize("role", ["manager", "admin"])
    @pytest.mark.parametrize("way", ["resolve", "put", "patch", "delete"])
    def test_managers_and_admins_resolve_in_every_way(
        self, role: str, way: str, make_person: Any, asset: Asset
    ) -> None:
        alert, person = posted(asset), make_person(role)
        path = f"{place(alert)}{way}/" if way == "resolve" else place(alert)
        answer = send(person, "post" if way == "resolve" else way, path, {"is_resolved": True})
        assert answer.status_code < 300, answer.content
        assert "resolved" in alerts.told(alert)

    def test_a_key_resolves_by_its_scope(self, owner: Person, asset: Asset) -> None:
        alert = posted(asset)
        for scope, status in ((Scope.READ, 403), (Scope.INGEST, 403), (Scope.ADMIN, 200)):
            assert owner.key(scope).post(f"{place(alert)}resolve/").status_code == status

    def test_a_viewer_changes_nothing(self, colleague: Person, asset: Asset) -> None:
        alert = posted(asset)
        assert colleague.jwt.get(place(alert)).status_code == 200
        for method in ("put", "patch", "delete"):
            assert send(colleague, method, place(alert), {}).status_code == 403
        assert send(colleague, "post", ALERTS, {"battery": asset.pk, **POSTED}).status_code == 403
        for name in ("acknowledge", "assign", "shelve"):
            assert send(colleague, "post", f"{ALERTS}{name}/", {"ids": [alert.pk]}).status_code == 403

    def test_another_tenants_alert_is_not_there(self, stranger: Person, asset: Asset) -> None:
        alert = posted(asset)
        assert listed(stranger) == listed(stranger, asset=asset.pk) == listed(stranger, battery=asset.pk) == []
        for path in (place(alert), f"{place(alert)}history/"):
            assert stranger.jwt.get(path).status_code == 404
        for method in ("put", "patch", "delete"):
            assert send(stranger, method, place(alert), {}).status_code == 404

    def test_what_there_is_none_of_is_not_found(self, manager: Person, db: None) -> None:
        for number in ("0", "999999999", "9" * 40):
            assert manager.jwt.get(f"{ALERTS}{number}/").status_code == 404
            assert send(manager, "post", f"{ALERTS}{number}/resolve/", {}).status_code == 404
