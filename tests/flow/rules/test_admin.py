"""Rules in Django admin: the same checks, the same trail, the same effect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import Person
from wattkeeper.base.accounts.models import AuditEntry
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.rules.models import Revision, Rule

LIST = "/admin/rules/rule/"
HOT = {
    "kind": "battery",
    "name": "Hot",
    "channel": "current_temperature",
    "condition": "above",
    "limit": "45",
    "deadband": "2",
    "on_delay_seconds": "0",
    "off_delay_seconds": "60",
    "level": "WARNING",
    "alert_type": "OVER_TEMPERATURE",
    "enabled": "on",
}


def add(person: Person, **fields: Any) -> Any:
    return person.session.post(f"{LIST}add/", {"tenant": person.tenant.pk, **HOT, **fields})


def test_an_admin_sees_the_defaults_and_those_of_the_own_tenant(owner: Person, stranger: Person) -> None:
    add(stranger, name="Secret")
    page = owner.session.get(LIST).content.decode()
    assert "Temperature is too high" in page
    assert "Secret" not in page


def test_a_rule_is_added_and_noted_once(owner: Person) -> None:
    assert add(owner).status_code == 302
    made = Rule.objects.get(name="Hot")
    assert (made.tenant, made.limit, made.created_by) == (owner.tenant, "45", f"user:{owner.user.pk}")
    assert AuditEntry.objects.filter(action="rule_add").count() == 1


def test_a_change_is_kept_noted_once_and_judged_by(owner: Person) -> None:
    add(owner)
    made, number = Rule.objects.get(name="Hot"), Revision.objects.get().number
    body = {name: value for name, value in HOT.items() if name not in {"kind", "enabled"}}
    answer = owner.session.post(f"{LIST}{made.pk}/change/", {**body, "limit": "60"})
    assert answer.status_code == 302
    kept = Rule.objects.get(pk=made.pk)
    assert (kept.limit, kept.enabled, kept.kind, kept.deadband) == ("60", False, "battery", 2.0)
    entry = AuditEntry.objects.get(action="rule_change")
    assert entry.detail == {"limit": ["45", "60"], "enabled": [True, False]}
    assert Revision.objects.get().number != number


@pytest.mark.parametrize(
    ("field", "value"), [("limit", "hot"), ("channel", "speed"), ("low", "5"), ("deadband", "nan")]
)
def test_what_means_nothing_is_said_beside_its_field(owner: Person, field: str, value: str) -> None:
    answer = add(owner, **{field: value})
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not Rule.objects.filter(name="Hot").exists()


def test_another_tenants_thing_is_none(owner: Person, stranger: Person) -> None:
    mine, theirs = (
        Asset.objects.create(tenant=one.tenant, kind="battery", key="B1", registered_by="test")
        for one in (owner, stranger)
    )
    assert add(owner, asset=theirs.pk).status_code == 200
    assert add(owner, asset=mine.pk).status_code == 302
    assert Rule.objects.get(name="Hot").asset == mine


def test_another_tenants_rule_is_not_there(owner: Person, stranger: Person) -> None:
    add(stranger)
    path = f"{LIST}{Rule.objects.get(name='Hot').pk}/change/"
    assert owner.session.get(path).status_code == 302  # to the index: it knows of no such rule
    assert stranger.session.get(path).status_code == 200


def test_nobody_takes_a_rule_away_there(superuser: Person, owner: Person) -> None:
    add(owner)
    assert superuser.session.get(f"{LIST}{Rule.objects.get(name='Hot').pk}/delete/").status_code == 403
