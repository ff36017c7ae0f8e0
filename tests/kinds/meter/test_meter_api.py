"""What programs may ask of meters: which there are, what they said, what was used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.people import Person
from tests.support.meters import KEY, message, message_store, messages_store, meter_make
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.kinds.meter.models import Meter

pytestmark = pytest.mark.usefixtures("vehicle_store")

LIST = "/api/meters/"
START = datetime(2026, 4, 30, 22, tzinfo=UTC)
WATER = {"type": 7, "identnr": 40000001, "manufacturer": 1143}


def heat(tenant: Tenant, *, days: int = 4, step: int = 10) -> Asset:
    moments = [START + timedelta(days=day) for day in range(days)]
    messages_store(tenant, [(message(at=at, value=100 + day * step), at) for day, at in enumerate(moments)])
    return Asset.objects.get(tenant=tenant, key=KEY)


def listed(person: Person, **query: object) -> list[str]:
    answer = person.jwt.get(LIST, query)
    assert answer.status_code == 200, answer.json()
    return [one["key"] for one in answer.json()["results"]]


class TestTheList:
    def test_a_meter_says_who_it_is_and_what_it_said_last(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message(value=2969, dimension="Energy (10 kWh)", who={"status": 20}))
        (meter,) = owner.jwt.get(LIST).json()["results"]
        named = ("key", "manufacturer", "identnr", "version", "type", "medium", "latest", "status_words", "clock")
        assert [meter[name] for name in named] == [
            KEY, "EFE (5317)", "83251076", 0, 4, "heat (4)", "29,690 kWh", "power low, temporary error", "in order",
        ]  # fmt: skip
        assert meter["state"]["energy"] == 29690
        assert meter["state"]["at"] == "2021-09-07T08:30:00Z"
        assert owner.jwt.get(f"{LIST}{meter['id']}/").json() == meter

    def test_one_that_has_said_nothing_has_no_state(self, colleague: Person, tenant: Tenant) -> None:
        meter = meter_make(tenant)
        said = colleague.jwt.get(f"{LIST}{meter.pk}/").json()
        assert (said["state"], said["latest"], said["status_words"], said["clock"]) == (None, None, "", None)

    def test_it_is_searched_filtered_and_ordered(self, owner: Person, tenant: Tenant) -> None:
        meter_make(tenant, site="A", name="Boiler room")
        meter_make(tenant, site="B", **WATER)
        both = [KEY, "ACW-40000001-0-7"]
        assert listed(owner) == both
        assert listed(owner, ordering="key") == both[::-1]
        for query in (
            {"search": "boiler"},
            {"site": "A"},
            {"type": 4},
            {"manufacturer": "efe"},
            {"manufacturer": 5317},
        ):
            assert listed(owner, **query) == [KEY]
        assert listed(owner, type=0) == []
        assert listed(owner, page_size=1, page=2) == both[1:]

    @pytest.mark.parametrize(
        "query",
        ["ordering=energy", "type=heat", "type=256", "manufacturer=EF", "manufacturer=65536", "page=0", "search=a%00"],
    )
    def test_what_cannot_be_understood_is_named(self, query: str, owner: Person) -> None:
        answer = owner.jwt.get(f"{LIST}?{query}")
        assert (answer.status_code, list(answer.json())) == (400, [query.partition("=")[0]])

    def test_strangers_and_senders_see_none(self, owner: Person, stranger: Person, tenant: Tenant) -> None:
        meter = heat(tenant)
        assert listed(stranger) == []
        for step in ("", "messages/", "consumption/"):
            assert stranger.jwt.get(f"{LIST}{meter.pk}/{step}").status_code == 404
            assert owner.key(Scope.READ).get(f"{LIST}{meter.pk}/{step}").status_code == 200
            assert owner.key(Scope.INGEST).get(f"{LIST}{meter.pk}/{step}").status_code == 403


class TestMessages:
    def test_they_come_as_they_were_sent_the_newest_first(self, colleague: Person, tenant: Tenant) -> None:
        meter = heat(tenant)
        answer = colleague.jwt.get(f"{LIST}{meter.pk}/messages/", {"page_size": 2}).json()
        assert answer["count"] == 4
        newest = answer["results"][0]
        assert newest["message"] == message(at=START + timedelta(days=3), value=130)
        assert (newest["counted_at"], newest["flags"], newest["values"]["main_value"]) == (
            "2026-05-03T22:00:00Z",
            [],
            "130",
        )

    def test_they_are_asked_for_by_time_and_of_this_meter_alone(self, owner: Person, tenant: Tenant) -> None:
        meter, other = heat(tenant), meter_make(tenant, **WATER)
        window = {"initial_timestamp": "2026-05-01T22:00:00Z", "final_timestamp": "2026-05-02", "meter_id": other.key}
        found = owner.jwt.get(f"{LIST}{meter.pk}/messages/", window).json()["results"]
        assert [one["counted_at"] for one in found] == ["2026-05-02T22:00:00Z", "2026-05-01T22:00:00Z"]
        assert owner.jwt.get(f"{LIST}{other.pk}/messages/").json()["results"] == []

    @pytest.mark.parametrize(("query", "status"), [("page=3", 404), ("initial_timestamp=soon", 400)])
    def test_what_there_is_not_is_said(self, query: str, status: int, owner: Person, tenant: Tenant) -> None:
        assert owner.jwt.get(f"{LIST}{heat(tenant).pk}/messages/?{query}").status_code == status


class TestConsumption:
    def asked(self, person: Person, meter: Asset, **query: str) -> Any:
        return person.jwt.get(f"{LIST}{meter.pk}/consumption/", query)

    def test_it_is_told_by_day(self, colleague: Person, tenant: Tenant) -> None:
        said = self.asked(colleague, heat(tenant), since="2026-05-01", until="2026-05-05").json()
        assert (said["channel"], said["unit"], said["time_zone"], said["per"]) == (
            "energy", "kWh", "Europe/Berlin", "day",
        )  # fmt: skip
        assert [one["amount"] for one in said["results"]] == [10, 10, 10, None]
        assert said["results"][0] == {
            "since": "2026-04-30T22:00:00Z",
            "until": "2026-05-01T22:00:00Z",
            "amount": 10.0,
            "estimated": False,
            "reset": False,
            "exchange": False,
        }
        assert said["total"] == 30

    def test_it_is_told_by_month(self, owner: Person, tenant: Tenant) -> None:
        said = self.asked(owner, heat(tenant, days=40), per="month", since="2026-05-15", until="2026-07-01").json()
        assert [(one["amount"], one["estimated"]) for one in said["results"]] == [(310, False), (80, True)]

    def test_it_goes_on_over_an_exchange(self, owner: Person, tenant: Tenant) -> None:
        old = heat(tenant, days=2)
        new = meter_make(tenant, identnr=2)
        moments = [(START + timedelta(days=day), day * 5) for day in (1, 2, 3)]
        messages_store(tenant, [(message(at=at, value=value, who={"identnr": 2}), at) for at, value in moments])
        Meter.objects.filter(pk=new.pk).update(replaces=old)
        said = self.asked(owner, new, since="2026-05-01", until="2026-05-04").json()
        assert said["meters"] == [old.pk, new.pk]
        assert [(one["amount"], one["exchange"]) for one in said["results"]] == [(10, False), (5, True), (5, False)]

    def test_a_meter_without_a_counter_has_none(self, owner: Person, tenant: Tenant) -> None:
        said = self.asked(owner, meter_make(tenant)).json()
        assert (said["channel"], said["results"], said["total"]) == (None, [], None)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"per": "week"}, "per"),
            ({"since": "2026-02-30"}, "since"),
            ({"until": "tomorrow"}, "until"),
            ({"until": "9999-12-31"}, "until"),
            ({"since": "2026-05-02", "until": "2026-05-02"}, "until"),
            ({"since": "2000-01-01", "until": "2026-05-02"}, "since"),
        ],
    )
    def test_what_is_no_time_is_named(self, query: dict[str, str], field: str, owner: Person, tenant: Tenant) -> None:
        answer = self.asked(owner, meter_make(tenant), **query)
        assert (answer.status_code, list(answer.json())) == (400, [field])
