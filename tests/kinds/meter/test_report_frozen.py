"""A closed month: its report stays as it was, whatever comes later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from tests.people import Person
from tests.support.meters import ENERGY, message, messages_store, meter_make, record, records
from tests.support.reports import MONTHS, fetched, local, newest, spoke
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.assets.models import Asset, SiteZone
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.kinds.meter.models import DueStorage, FrozenMonth
from wattkeeper.kinds.meter.report.actions import month_freeze
from wattkeeper.kinds.meter.report.months import Month

pytestmark = pytest.mark.usefixtures("meter_store")

MONTH = "2021-09"
FREEZE = f"{MONTHS}{MONTH}/freeze/"
VARIANTS: list[dict[str, str]] = [
    {},
    {"raw": "true"},
    {"all": "true"},
    {"all": "true", "raw": "true"},
    {"format": "json"},
    {"format": "json", "raw": "true", "all": "true"},
    {"site": "Nord"},
    {"site": "Nord", "raw": "1"},
    {"type": "heat", "all": "1"},
    {"site": "Nord", "type": "6"},
    {"only": "flagged"},
    {"only": "error", "raw": "1"},
]


@pytest.fixture
def building(tenant: Tenant) -> Tenant:
    """A heat meter and a water meter in the north, one of them with an error, and one somewhere without a clock."""
    meter_make(tenant, site="Nord", identnr=1)
    meter_make(tenant, site="Nord", identnr=2, type=6)
    at = local("2021-09-29T10:00:00")
    several = [*records(at=at, value=1), record(ENERGY, 5, tariff=1), record("Volume (m m^3)", 1500)]
    messages_store(tenant, [(message(several, who={"identnr": 1}), at)])
    spoke(tenant, "2021-09-30T10:00:00", dimension="Volume (m m^3)", who={"identnr": 2, "type": 6, "status": 8})
    messages_store(tenant, [(message(at=None, who={"identnr": 3}), local("2021-09-30T12:00:00"))])
    return tenant


def variants(person: Person) -> list[bytes]:
    return [fetched(person.jwt, month=MONTH, **variant) for variant in VARIANTS]


def frozen(person: Person, path: str = FREEZE) -> Any:
    response = person.jwt.post(path)
    assert response.status_code == 201, response.content
    return response.json()


class TestAFrozenMonth:
    def test_is_byte_for_byte_what_it_was(self, owner: Person, building: Tenant) -> None:
        before = variants(owner)
        assert len(set(before)) == len(VARIANTS)
        answer = frozen(owner)
        assert (answer["month"], answer["devices"], answer["rows"]) == (MONTH, 3, 5)
        assert answer["frozen_by"] == "owner"
        assert variants(owner) == before

    def test_does_not_change_with_what_comes_or_is_set_later(self, owner: Person, building: Tenant) -> None:
        before = variants(owner)
        frozen(owner)
        at = local("2021-09-30T23:00:00")
        messages_store(building, [(message(at=at, value=777, who={"identnr": 1}), at + timedelta(hours=3))])
        messages_store(building, [(message(at=None, who={"identnr": 4}), local("2021-09-15T00:00:00"))])
        DueStorage.objects.create(tenant=building, manufacturer=5317, storage=8)
        SiteZone.objects.create(tenant=building, site="Nord", time_zone="Asia/Tokyo")
        Asset.objects.filter(tenant=building).update(site="Süd", name="Renamed", archived_at=clock.now())
        assert variants(owner) == before

    def test_counts_what_came_after_it_was_frozen(
        self, owner: Person, building: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "now", lambda: local("2021-10-02T00:00:00"))
        frozen(owner)
        at = local("2021-09-30T23:00:00")
        messages_store(building, [(message(at=at, who={"identnr": 1}), at + timedelta(hours=40))])
        assert owner.jwt.get(MONTHS).json()["results"] == [
            {
                "month": MONTH,
                "devices": 3,
                "frozen_at": "2021-10-01T22:00:00Z",
                "frozen_by": "owner",
                "late": 1,
            }
        ]

    def test_follows_its_messages_again_when_it_is_unfrozen(self, owner: Person, building: Tenant) -> None:
        frozen(owner)
        at = local("2021-09-30T23:00:00")
        messages_store(building, [(message(at=at, value=777, who={"identnr": 1}), at + timedelta(hours=3))])
        assert newest(owner.jwt, MONTH, type="heat") == ["1", "29690"]
        assert owner.jwt.delete(FREEZE).status_code == 204
        assert newest(owner.jwt, MONTH, type="heat") == ["777", "29690"]
        assert owner.jwt.delete(FREEZE).status_code == 404

    def test_is_noted_with_what_it_was(self, owner: Person, building: Tenant) -> None:
        frozen(owner)
        owner.jwt.delete(FREEZE)
        closed, opened = AuditEntry.objects.filter(action__startswith="month_").order_by("pk")
        assert (closed.action, opened.action) == ("month_freeze", "month_unfreeze")
        assert closed.target == opened.target == "month:2021-09 of meters"
        assert closed.detail == opened.detail
        assert closed.detail["devices"] == 3


class TestWhatCannotBeFrozen:
    def test_a_month_that_is_frozen_already(self, owner: Person, building: Tenant) -> None:
        frozen(owner)
        assert owner.jwt.post(FREEZE).status_code == 409

    def test_a_month_that_goes_on_somewhere(
        self, owner: Person, building: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        SiteZone.objects.create(tenant=building, site="Bronx", time_zone="America/New_York")
        monkeypatch.setattr(clock, "now", lambda: local("2021-10-01T05:59:59"))
        assert owner.jwt.post(FREEZE).status_code == 409
        monkeypatch.setattr(clock, "now", lambda: local("2021-10-01T06:00:00"))
        frozen(owner)

    def test_a_month_without_a_message(self, owner: Person, building: Tenant) -> None:
        assert owner.jwt.post(f"{MONTHS}2021-08/freeze/").status_code == 404

    @pytest.mark.parametrize("month", ["2021-13", "0000-01", "9999-01", "now"])
    def test_what_is_no_month(self, month: str, owner: Person, building: Tenant) -> None:
        response = owner.jwt.post(f"{MONTHS}{month}/freeze/")
        assert (response.status_code, list(response.json())) == (400, ["month"])

    @pytest.mark.django_db(transaction=True)
    def test_one_month_by_two_at_once(self, building: Tenant) -> None:
        month, outcomes = Month(2021, 9), list[object]()
        together = threading.Barrier(2)

        def freeze() -> None:
            together.wait()
            try:
                outcomes.append(month_freeze(tenant=building, month=month, by="test"))
            except ConflictError as error:
                outcomes.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=freeze) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {type(one) for one in outcomes} == {FrozenMonth, ConflictError}
        assert FrozenMonth.objects.count() == 1


class TestWhoMay:
    def test_managers_freeze_and_admins_unfreeze(self, make_person: Callable[..., Person], building: Tenant) -> None:
        people = {role: make_person(role).jwt for role in ("viewer", "operator", "manager", "admin")}
        assert [people[role].post(FREEZE).status_code for role in people] == [403, 403, 201, 409]
        assert [people[role].delete(FREEZE).status_code for role in people] == [403, 403, 403, 204]
        assert {person.get(MONTHS).status_code for person in people.values()} == {200}

    def test_another_tenants_month_is_not_there(self, owner: Person, stranger: Person, building: Tenant) -> None:
        assert stranger.jwt.post(FREEZE).status_code == 404
        frozen(owner)
        assert stranger.jwt.delete(FREEZE).status_code == 404
        assert stranger.jwt.get(MONTHS).json()["results"] == []


def test_the_months_are_those_of_each_site(owner: Person, tenant: Tenant) -> None:
    SiteZone.objects.create(tenant=tenant, site="Ginza", time_zone="Asia/Tokyo")
    meter_make(tenant, site="Ginza", identnr=1)
    received = local("2021-08-31T20:00:00")  # in Tokyo it is September
    for identnr in (1, 2):
        messages_store(tenant, [(message(at=None, who={"identnr": identnr}), received)])
    found = [(one["month"], one["devices"], one["late"]) for one in owner.jwt.get(MONTHS).json()["results"]]
    assert found == [("2021-09", 1, 0), ("2021-08", 1, 0)]
