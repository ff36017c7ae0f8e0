"""Codes that are in no table: kept, counted, and listed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.people import Person
from tests.support.meters import KEY, RECEIVED, message, message_store, post, record, records
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets import actions
from wattkeeper.flow.store.store import Store

UNKNOWN = "/api/data/unknown/"
ODD = "Odd things (furlong)"


def listed(person: Person, **query: object) -> list[dict[str, Any]]:
    answer = person.jwt.get(UNKNOWN, query)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def odd(*dimensions: str, minutes: int = 0, **who: object) -> dict[str, Any]:
    """A message with records of those dimensions; its clock says `minutes` after the documented time."""
    at = RECEIVED - timedelta(hours=2) + timedelta(minutes=minutes)
    return message([*records(at=at), *(record(name, 1) for name in dimensions)], who=who)


@pytest.fixture
def told(meter_store: Store, tenant: Tenant) -> None:
    for content in (
        odd(ODD),
        odd(ODD, ODD, minutes=10, identnr=83251077),
        odd("Other things", minutes=5),
        odd(minutes=20, type=200),
        odd(minutes=30, manufacturer=0xFFFF),
        odd(minutes=40),
    ):
        message_store(tenant, content)


def test_each_is_listed_with_how_often_and_when_it_was_seen_the_last_first(told: None, owner: Person) -> None:
    found = listed(owner)
    assert [(one["what"], one["code"], one["count"]) for one in found] == [
        ("manufacturer", "65535", 1),
        ("medium", "200", 1),
        ("dimension", ODD, 2),
        ("dimension", "Other things", 1),
    ]
    twice = found[2]
    assert (twice["first_seen"], twice["last_seen"]) == ("2021-09-07T06:31:00Z", "2021-09-07T06:41:00Z")
    assert twice["meter"] == KEY.replace("83251076", "83251077")


def test_the_list_has_pages_and_a_filter(told: None, owner: Person) -> None:
    page = owner.jwt.get(UNKNOWN, {"page": 2, "page_size": 3}).json()
    assert (page["count"], [one["code"] for one in page["results"]]) == (4, ["Other things"])
    assert [one["code"] for one in listed(owner, what="medium")] == ["200"]


@pytest.mark.parametrize(
    ("query", "status"),
    [({"page": 9}, 404), ({"page": "x"}, 400), ({"page_size": 10**6}, 400), ({"what": "colour"}, 400)],
)
def test_what_cannot_be_asked_is_named(told: None, owner: Person, query: dict[str, Any], status: int) -> None:
    answer = owner.jwt.get(UNKNOWN, query)
    assert answer.status_code == status
    if status == 400:
        assert list(answer.json()) == list(query)


def test_colleagues_see_it_and_strangers_see_nothing_of_it(
    told: None, colleague: Person, stranger: Person, superuser: Person, tenant: Tenant
) -> None:
    assert len(listed(colleague)) == 4
    assert listed(stranger) == []
    assert stranger.jwt.get(UNKNOWN, {"tenant": tenant.slug}).status_code == 400
    assert len(listed(superuser, tenant=tenant.slug)) == 4


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("wattkeeper_meter_unknown_codes_total", {"what": what}) or 0.0


def test_each_stored_message_is_counted_once(meter_store: Store, owner: Person) -> None:
    names = ("dimension", "medium", "manufacturer")
    before = {what: counted(what) for what in names}
    for _ in range(2):  # the second time nothing is stored
        answer = post(owner.jwt, [odd(ODD, "Other things", type=200), odd(minutes=1)])
        assert answer.status_code == 201
    assert {what: counted(what) - before[what] for what in names} == {"dimension": 1, "medium": 1, "manufacturer": 0}


def test_a_meter_beyond_what_a_key_may_bring_is_refused_and_hinders_no_other(
    meter_store: Store, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "SELF_REGISTERED_MAX", 1)
    answer = post(owner.jwt, [odd(), odd(identnr=1), odd(minutes=1), odd(identnr=2)])
    assert answer.status_code == 207
    receipts = answer.json()["receipts"]
    assert [receipt["status"] for receipt in receipts] == [201, 400, 201, 400]
    assert receipts[1]["device"] == receipts[3]["device"]
    alone = post(owner.jwt, odd(identnr=1))
    assert (alone.status_code, alone.json()) == (400, {"device": receipts[1]["device"]})
