"""The month's report on screen: for who may look, and its closing for who may close."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.people import Person
from tests.support.meters import ENERGY, message, messages_store, meter_make, record
from tests.support.reports import fetched, local, spoke
from tests.views.dashboard.test_pages import browser
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset, SiteZone
from wattkeeper.base.core import clock
from wattkeeper.kinds.meter.models import FrozenMonth, Meter
from wattkeeper.kinds.meter.report import page

pytestmark = pytest.mark.usefixtures("meter_store")

PAGE = "/reports/"
NOW = local("2021-10-15T12:00:00")


@pytest.fixture(autouse=True)
def _in_october(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def building(tenant: Tenant) -> Tenant:
    """In September one meter is well, one says an error, one has no clock; a fourth says nothing."""
    spoke(tenant, "2021-09-29T10:00:00", who={"identnr": 1})
    spoke(tenant, "2021-09-30T10:00:00", who={"identnr": 2, "type": 6, "status": 8})
    messages_store(tenant, [(message(at=None, who={"identnr": 3}), local("2021-09-30T12:00:00"))])
    spoke(tenant, "2021-08-29T10:00:00", who={"identnr": 4})
    return tenant


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def shown(client: Client, **query: str) -> list[str]:
    """What stands in the first column."""
    return re.findall(
        r'<th scope="row"[^>]*><a [^>]*>([^<]*)</a>', text_of(client.get(PAGE, {"month": "2021-09", **query}))
    )


def counts(client: Client, **query: str) -> list[int]:
    text = text_of(client.get(PAGE, {"month": "2021-09", **query}))
    return [int(count) for count in re.findall(r'<a class="level[^>]*><strong>([0-9,]+)</strong>', text)]


def files(client: Client, **query: str) -> dict[str, dict[str, str]]:
    """What each download's address says."""
    text = text_of(client.get(PAGE, {"month": "2021-09", **query}))
    links = re.findall(r'<a href="([^"]*)" download>([^<]*)</a>', text)
    return {
        name: {key: value for key, (value,) in parse_qs(urlsplit(address.replace("&amp;", "&")).query).items()}
        for address, name in links
    }


class TestTheReport:
    def test_has_a_row_for_each_meter_with_what_is_wrong_with_it(self, colleague: Person, building: Tenant) -> None:
        text = text_of(browser(colleague).get(PAGE, {"month": "2021-09"}))
        assert shown(browser(colleague)) == ["00000001", "00000002", "00000003"]
        for words in (
            "permanent error</span>",
            "no time of its own",
            "warm water (6)",
            "Energy (kWh)",
            "2021-09-29 10:00:00",
        ):
            assert words in text
        for asset in Asset.objects.filter(tenant=building).exclude(key__contains="00000004"):
            assert f'href="/meters/{asset.pk}/' in text

    def test_counts_errors_flags_and_meters_that_said_nothing(self, colleague: Person, building: Tenant) -> None:
        client = browser(colleague)
        assert counts(client) == [3, 1, 1, 1]
        assert counts(client, type="6") == [1, 1, 0, 0]
        assert shown(client, show="error") == ["00000002"]
        assert shown(client, show="flagged") == ["00000003"]
        assert shown(client, show="missing") == ["EFE-00000004-0-4"]

    def test_misses_no_meter_that_was_not_there_yet_or_is_archived(self, colleague: Person, tenant: Tenant) -> None:
        spoke(tenant, "2021-09-29T10:00:00", who={"identnr": 1})
        for identnr, created_at, archived_at in (
            (2, "2021-10-01T00:00:00", None),
            (3, "2020-01-01T00:00:00", NOW),
            (4, "2021-09-30T23:59:59", None),
        ):
            made = Asset.objects.filter(pk=meter_make(tenant, identnr=identnr).pk)
            made.update(created_at=local(created_at), archived_at=archived_at)
        assert shown(browser(colleague), show="missing") == ["EFE-00000004-0-4"]

    def test_misses_no_meter_in_whose_place_another_has_spoken(self, colleague: Person, building: Tenant) -> None:
        old, new = (Asset.objects.get(key=f"EFE-0000000{number}-0-4") for number in (4, 1))
        Meter.objects.filter(pk=new.pk).update(replaces=old)
        Asset.objects.filter(pk=old.pk).update(created_at=local("2021-01-01T00:00:00"))
        client = browser(colleague)
        assert shown(client, show="missing") == []
        assert shown(client, show="missing", month="2021-07") == ["EFE-00000004-0-4"]  # the other was not there yet

    def test_has_a_file_of_the_meters_that_said_nothing(
        self, colleague: Person, stranger: Person, building: Tenant
    ) -> None:
        Asset.objects.filter(key="EFE-00000004-0-4").update(name="=Flat 4", site="North", last_seen=NOW)
        (query,) = files(browser(colleague), show="missing").values()
        assert query == {"month": "2021-09"}
        header, row = fetched(colleague.session, f"{PAGE}missing/", **query).decode().splitlines()
        assert header == "Device ID,Device Manufacturer,Device Type,Device Version,Name,Site,Last Seen"
        assert row == "00000004,EFE (5317),heat (4),0,'=Flat 4,North,2021-10-15 12:00:00"
        assert len(fetched(stranger.session, f"{PAGE}missing/", **query).splitlines()) == 1

    def test_says_what_people_call_a_meter_and_shows_thousands_apart(self, colleague: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(message(value=1234567), local("2021-09-07T10:00:00"))])
        Asset.objects.update(name="Flat 4 <b>")
        text = text_of(browser(colleague).get(PAGE, {"month": "2021-09"}))
        assert '83251076</a><small class="under"><bdi>Flat 4 &lt;b&gt;</bdi></small>' in text
        assert '<td class="number">1,234,567</td>' in text
        assert b",1234567," in fetched(colleague.session, "/api/csv/", month="2021-09")

    def test_names_the_zone_of_its_times_where_that_is_not_the_pages(self, colleague: Person, building: Tenant) -> None:
        client = browser(colleague)
        assert "Europe/Berlin" in text_of(client.get(PAGE, {"month": "2021-09"}))
        SiteZone.objects.create(tenant=building, site="Dover", time_zone="Europe/London")
        Asset.objects.filter(key="EFE-00000001-0-4").update(site="Dover")
        text = text_of(client.get(PAGE, {"month": "2021-09"}))
        assert "2021-09-29 09:00:00 <small>Europe/London</small>" in text
        assert "2021-09-30 10:00:00 <small>Europe/Berlin</small>" in text

    def test_shows_all_values_where_that_is_wanted(self, colleague: Person, tenant: Tenant) -> None:
        said = [record(ENERGY, 1), record("Volume (m m^3)", 2500), record(ENERGY, 7, tariff=2)]
        messages_store(tenant, [(message(said), local("2021-09-07T10:00:00"))])
        text = text_of(browser(colleague).get(PAGE, {"month": "2021-09", "all": "true"}))
        assert re.findall(r"<bdi>([^<]*)</bdi></td><td class=\"number\">([^<]*)<", text) == [
            ("Energy (kWh)", "1"),
            ("Volume (m³)", "2.5"),
            ("Energy (kWh), tariff 2", "7"),
        ]

    def test_comes_in_pages(self, colleague: Person, building: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(page, "ROWS", 2)
        client = browser(colleague)
        assert shown(client) == ["00000001", "00000002"]
        assert shown(client, page="2", all="true") == ["00000003"]

    def test_is_of_this_month_at_first_and_turns_to_others(self, colleague: Person, building: Tenant) -> None:
        client = browser(colleague)
        text = text_of(client.get(PAGE))
        assert "Report of October 2021" in text
        assert 'rel="prev" href="/reports/?month=2021-09"' in text
        assert 'rel="next"' not in text
        assert 'rel="next" href="/reports/?month=2021-10"' in text_of(client.get(PAGE, {"month": "2021-09"}))

    def test_offers_its_files_of_exactly_what_is_chosen(self, colleague: Person, building: Tenant) -> None:
        client = browser(colleague)
        chosen = {"month": "2021-09", "type": "6", "only": "error", "all": "true"}
        assert files(client, type="6", show="error", all="true") == {
            "CSV": chosen,
            "Excel": {**chosen, "format": "xlsx"},
            "JSON": {**chosen, "format": "json"},
            "CSV of codes, as sent": {**chosen, "raw": "true"},
        }
        for query in files(client, type="6", show="error", all="true").values():
            assert fetched(colleague.session, "/api/csv/", **query)
        assert files(client, type="6", show="missing") == {}

    def test_of_nothing_says_how_the_first_message_comes(
        self, owner: Person, colleague: Person, tenant: Tenant
    ) -> None:
        assert "curl http://testserver/api/data/" in text_of(browser(owner).get(PAGE))
        text = text_of(browser(colleague).get(PAGE))
        assert "curl" not in text
        assert "owner" in text

    @pytest.mark.parametrize("query", [{"month": "2021-13"}, {"type": "lava"}, {"show": "x"}, {"all": "x"}])
    def test_says_what_cannot_be_understood(self, query: dict[str, str], colleague: Person) -> None:
        assert browser(colleague).get(PAGE, query).status_code == 400

    def test_above_tenants_asks_whose(self, superuser: Person, building: Tenant, other_tenant: Tenant) -> None:
        client = browser(superuser)
        assert "Whose report?" in text_of(client.get(PAGE))
        assert shown(client, tenant=building.slug) == ["00000001", "00000002", "00000003"]

    def test_another_tenant_has_its_own(self, stranger: Person, building: Tenant) -> None:
        assert shown(browser(stranger)) == []


class TestFreezing:
    def test_is_for_managers_and_its_end_for_admins(self, make_person: Callable[..., Person], building: Tenant) -> None:
        freeze, unfreeze = f"{PAGE}freeze/", f"{PAGE}unfreeze/"
        for role, statuses in {
            "viewer": (403, 403),
            "operator": (403, 403),
            "manager": (302, 403),
            "admin": (302, 302),
        }.items():
            client = browser(make_person(role))
            for address, status in zip((freeze, unfreeze), statuses, strict=True):
                assert client.post(address, {"month": "2021-09"}).status_code == status, (role, address)
            FrozenMonth.objects.all().delete()

    def test_is_told_with_who_and_with_what_came_late(self, owner: Person, colleague: Person, building: Tenant) -> None:
        client = browser(owner)
        assert "Freeze this month?" in text_of(client.get(PAGE, {"month": "2021-09"}))
        text = text_of(client.post(f"{PAGE}freeze/", {"month": "2021-09"}, follow=True))
        assert "Frozen by <strong>owner</strong>" in text
        assert "No message has come for the month since." in text
        at = local("2021-09-30T23:00:00")
        FrozenMonth.objects.update(frozen_at=at)  # before that came
        messages_store(building, [(message(at=at, who={"identnr": 1}), at.replace(minute=5))])
        text = text_of(browser(colleague).get(PAGE, {"month": "2021-09"}))
        assert "<strong>1</strong> message that came for the month later is not in it." in text
        assert "Unfreeze" not in text
        assert "To have it opened again ask owner." in text
        text = text_of(client.post(f"{PAGE}unfreeze/", {"month": "2021-09"}, follow=True))
        assert "September 2021 is not frozen any more" in text

    def test_is_not_offered_of_a_month_that_goes_on(self, owner: Person, tenant: Tenant) -> None:
        spoke(tenant, "2021-10-02T10:00:00")
        text = text_of(browser(owner).get(PAGE))
        assert "83251076" in text
        assert "Freeze" not in text
        answer = browser(owner).post(f"{PAGE}freeze/", {"month": "2021-10"})
        assert (answer.status_code, "The month is not over yet" in answer.content.decode()) == (409, True)
        assert "Someone was quicker" not in answer.content.decode()

    def test_says_before_what_is_wrong_and_who_can_take_it_back(
        self, owner: Person, make_person: Callable[..., Person], building: Tenant
    ) -> None:
        text = text_of(browser(make_person("manager")).get(PAGE, {"month": "2021-09", "type": "6"}))
        assert "Only an admin can take it back: owner." in text
        assert "<strong>1</strong> meter of it is flagged, and <strong>1</strong> is without a message." in text

    def test_keeps_no_list_of_meters_that_said_nothing(self, owner: Person, building: Tenant) -> None:
        client = browser(owner)
        client.post(f"{PAGE}freeze/", {"month": "2021-09"})
        Asset.objects.filter(key="EFE-00000001-0-4").update(site="Elsewhere")
        assert counts(client) == [3, 1, 1]
        assert counts(client, site="Elsewhere") == [0, 0, 0]
        assert len(shown(client, show="missing")) == 3
        assert client.get(f"{PAGE}missing/", {"month": "2021-09"}).status_code == 404

    def test_by_somebody_else_in_the_meantime_is_a_page_that_says_so(self, owner: Person, building: Tenant) -> None:
        browser(owner).post(f"{PAGE}freeze/", {"month": "2021-09"})
        assert browser(owner).post(f"{PAGE}freeze/", {"month": "2021-09"}).status_code == 409
