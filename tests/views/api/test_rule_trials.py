"""What a rule would have raised, over the API."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.people import Person
from tests.support.battery_history import START, battery_make, history_load
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts import trial
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.store.store import Store

RULES = "/api/rules/"
TRY = f"{RULES}try/"
HOT = {
    "kind": "battery",
    "name": "Hot",
    "channel": "current_temperature",
    "condition": "above",
    "limit": "45",
    "level": "WARNING",
    "alert_type": "OVER_TEMPERATURE",
}
NOON = START + timedelta(days=3, hours=12)


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the paths lead to is imported first: a module that came while the clock stands would keep that clock.
    import_module("wattkeeper.config.urls")
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def hot(vehicle_store: Store, tenant: Tenant, tmp_path: Path) -> int:
    """A battery that was too hot on the second day, for an hour, and is so again since eleven; its id."""
    asset = battery_make("BAT-1", tenant=tenant)
    course = {0: 20.0, 24 * 3600: 55.0, 25 * 3600: 45.0, 83 * 3600: 48.5}
    history_load(
        vehicle_store, tmp_path, [("BAT-1", at, hot, 10.0, "IDLE") for at, hot in course.items()], assets=[asset]
    )
    return asset.pk


def tried(client: Any, **body: Any) -> dict[str, Any]:
    answer = client.post(TRY, {**HOT, **body}, format="json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_rule_that_somebody_thinks_of_tells_what_it_would_have_raised(owner: Person, hot: int) -> None:
    rules, trail = Rule.objects.count(), AuditEntry.objects.count()
    assert tried(owner.jwt, days=3) == {
        "days": 3,
        "since": "2024-05-01T12:00:00Z",
        "until": "2024-05-04T12:00:00Z",
        "untestable": None,
        "assets": 1,
        "assets_unsure": 0,
        "assets_alerted": 1,
        "readings": 3,
        "total": 2,
        "still_open": 1,
        "by_day": [
            {"day": "2024-05-01", "count": 0},
            {"day": "2024-05-02", "count": 1},
            {"day": "2024-05-03", "count": 0},
            {"day": "2024-05-04", "count": 1},
        ],
        "by_asset": [{"asset": hot, "key": "BAT-1", "count": 2}],
        "alerts": [
            {
                "asset": hot,
                "key": "BAT-1",
                "opened_at": "2024-05-04T11:00:00Z",
                "cleared_at": None,
                "worst": 48.5,
                "seconds": 3600.0,
            },
            {
                "asset": hot,
                "key": "BAT-1",
                "opened_at": "2024-05-02T00:00:00Z",
                "cleared_at": "2024-05-02T01:00:00Z",
                "worst": 55.0,
                "seconds": 3600.0,
            },
        ],
    }
    assert (Rule.objects.count(), AuditEntry.objects.count(), Alert.objects.count()) == (rules, trail, 0)


def test_a_rule_that_is_there_is_tried_by_whoever_reads(owner: Person, colleague: Person, hot: int) -> None:
    rule = owner.jwt.post(RULES, {**HOT, "enabled": False}, format="json").json()
    for client in (colleague.jwt, owner.key(Scope.READ)):
        found = client.get(f"{RULES}{rule['id']}/try/").json()
        assert (found["days"], found["total"]) == (7, 2)
        assert client.get(f"{RULES}{rule['id']}/try/", {"days": "1"}).json()["total"] == 1


def test_only_who_may_change_rules_tries_new_ones(owner: Person, colleague: Person, make_person: Any, hot: int) -> None:
    clients = {
        "viewer": colleague.jwt,
        "operator": make_person("operator").jwt,
        "manager": make_person("manager").jwt,
        "reader": owner.key(Scope.READ),
        "admin key": owner.key(Scope.ADMIN),
    }
    statuses = {name: client.post(TRY, HOT, format="json").status_code for name, client in clients.items()}
    assert statuses == {"viewer": 403, "operator": 403, "manager": 200, "reader": 403, "admin key": 200}


def test_a_stranger_tries_rules_on_their_own_things(stranger: Person, owner: Person, hot: int) -> None:
    rule = owner.jwt.post(RULES, HOT, format="json").json()
    assert stranger.jwt.get(f"{RULES}{rule['id']}/try/").status_code == 404
    assert tried(stranger.jwt)["assets"] == 0
    answer = stranger.jwt.post(TRY, {**HOT, "asset": hot}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {"asset"})


def test_who_stands_above_tenants_says_whose(superuser: Person, owner: Person, other_tenant: Tenant, hot: int) -> None:
    assert superuser.jwt.post(TRY, HOT, format="json").status_code == 400
    assert superuser.jwt.post(f"{TRY}?tenant=north", HOT, format="json").json()["total"] == 2
    assert superuser.jwt.post(f"{TRY}?tenant=south", HOT, format="json").json()["assets"] == 0


def test_what_is_written_has_no_history(owner: Person, vehicle_store: Store) -> None:
    found = tried(owner.jwt, channel="health_percentage", condition="below", limit="80")
    assert "no history" in found["untestable"]
    assert found["alerts"] == found["by_day"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"days": "many"}, "days"),
        ({"limit": "hot"}, "limit"),
        ({"limit": "2 * no_such"}, "limit"),
        ({"channel": "no_such"}, "channel"),
        ({"kind": "boat"}, "kind"),
        ({"condition": "ABOVE"}, "condition"),
        ({"asset": 2**62}, "asset"),
        ({"strange": 1}, "strange"),
        ({"name": ""}, "name"),
    ],
)
def test_what_cannot_be_understood_is_named(owner: Person, body: dict[str, Any], field: str) -> None:
    answer = owner.jwt.post(TRY, {**HOT, **body}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {field})


@pytest.mark.parametrize(("field", "number"), [("days", "1e400"), ("deadband", "NaN"), ("days", "7.5")])
def test_no_number_breaks_it(owner: Person, field: str, number: str) -> None:
    body = json.dumps({**HOT, field: "HERE"}).replace('"HERE"', number)
    answer = owner.jwt.post(TRY, body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) <= {field, "detail"}


@pytest.mark.parametrize("days", ["0", "91", "-1", "1.5", "x", "9" * 500])
def test_the_days_are_a_whole_number_to_ninety(owner: Person, days: str) -> None:
    rule = owner.jwt.post(RULES, HOT, format="json").json()
    answer = owner.jwt.get(f"{RULES}{rule['id']}/try/", {"days": days})
    assert (answer.status_code, set(answer.json())) == (400, {"days"})


def test_a_rule_that_means_nothing_any_more_is_a_conflict(owner: Person, tenant: Tenant) -> None:
    rule = owner.jwt.post(RULES, HOT, format="json").json()
    Rule.objects.filter(pk=rule["id"]).update(channel="of an earlier release")
    answer = owner.jwt.get(f"{RULES}{rule['id']}/try/")
    assert answer.status_code == 409
    assert "cannot be understood any more" in answer.json()["detail"]


def test_who_comes_when_too_many_are_trying_hears_so(owner: Person, hot: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_WAIT_SECONDS", 0.01)
    with trial._place(), trial._place():
        answer = owner.jwt.post(TRY, HOT, format="json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert tried(owner.jwt)["total"] == 2
