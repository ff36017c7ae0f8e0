"""One vehicle's page: what it says now, the window it looks at, its rows, its exports, and who may edit it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.people import Person
from tests.support.vehicles import body_of
from tests.views.dashboard.test_pages import EVIL, browser, rows_of
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.assets.actions import assets_register
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.clock import now
from wattkeeper.flow.ingest import ingest_row
from wattkeeper.flow.readings.reading import Row
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY
from wattkeeper.views.dashboard.pages.asset_window import ROWS

AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
ALL_DAY = {"since": "2026-01-05 00:00", "until": "2026-01-06 00:00"}


def drive(tenant: Tenant, key: str, *, minutes: int = 3, since: datetime = AT) -> Asset:
    """A vehicle with a reading a minute."""
    for minute in range(minutes):
        values = {"speed": 40.0 + minute, "odometer": 100.5 + minute, "soc": 80, "elevation": 7.0, "shift_state": "D"}
        ingest_row(TELEMETRY, Row(key, since + timedelta(minutes=minute), values), tenant_id=tenant.pk, by="test")
    return Asset.objects.get(tenant=tenant, kind="vehicle", key=key)


def page_of(asset: Asset) -> str:
    return f"/vehicles/{asset.pk}/"


def text_of(answer: Any) -> str:
    return answer.content.decode()


@pytest.fixture
def van(vehicle_store: Store, tenant: Tenant) -> Asset:
    return drive(tenant, "VAN-1")


class TestLooking:
    @pytest.mark.parametrize("role", ["admin", "manager", "operator", "viewer"])
    def test_colleagues_see_its_state_and_its_rows(
        self, role: str, van: Asset, make_person: Callable[..., Person]
    ) -> None:
        answer = browser(make_person(role)).get(page_of(van), ALL_DAY)
        assert answer.status_code == 200
        assert [row[0] for row in rows_of(answer)] == [f"2026-01-05 08:0{minute}:00" for minute in (2, 1, 0)]
        assert re.search(r"<dt>Odometer</dt><dd><span [^>]*>102.5</span> <small>km</small>", text_of(answer))

    def test_to_a_stranger_it_does_not_exist(self, van: Asset, stranger: Person) -> None:
        answer = browser(stranger).get(page_of(van))
        assert answer.status_code == 404
        assert "VAN-1" not in text_of(answer)

    def test_who_is_not_logged_in_is_asked_to(self, van: Asset) -> None:
        assert urlsplit(Client().get(page_of(van))["Location"]).path == "/login/"

    def test_who_stands_above_tenants_sees_it(self, van: Asset, superuser: Person) -> None:
        assert browser(superuser).get(page_of(van)).status_code == 200

    def test_a_vehicle_of_another_kinds_number_is_none(self, van: Asset, owner: Person) -> None:
        assert browser(owner).get("/vehicles/999999999/").status_code == 404

    def test_names_are_no_markup(self, van: Asset, owner: Person) -> None:
        Asset.objects.filter(pk=van.pk).update(name=EVIL, site=EVIL)
        assert EVIL not in text_of(browser(owner).get(page_of(van)))

    def test_a_vehicle_without_readings_says_so(self, vehicle_store: Store, tenant: Tenant, owner: Person) -> None:
        ids = assets_register(tenant_id=tenant.pk, kind="vehicle", keys=["NEW"], by="test")
        answer = browser(owner).get(f"/vehicles/{ids['NEW']}/")
        assert "has sent nothing yet" in text_of(answer)

    def test_where_nothing_is_in_the_window_the_last_reading_is_one_click_away(self, van: Asset, owner: Person) -> None:
        client = browser(owner)
        text = text_of(client.get(page_of(van)))
        assert "No reading in this window" in text
        link = re.search(r'href="(\?until=[^"]*)">Go there', text)
        assert link
        assert len(rows_of(client.get(page_of(van) + link[1]))) == 3


class TestTheWindow:
    def test_the_address_says_it(self, van: Asset, owner: Person) -> None:
        part = {"since": "2026-01-05T08:01:00Z", "until": "2026-01-05T08:02:00Z"}
        assert [row[0] for row in rows_of(browser(owner).get(page_of(van), part))] == ["2026-01-05 08:01:00"]

    def test_times_are_the_tenants(self, van: Asset, owner: Person, tenant: Tenant) -> None:
        tenant.time_zone = "Europe/Berlin"
        tenant.save()
        answer = browser(owner).get(page_of(van), {"since": "2026-01-05 09:02", "until": "2026-01-05 09:03"})
        assert [row[0] for row in rows_of(answer)] == ["2026-01-05 09:02:00"]
        assert "Europe/Berlin" in text_of(answer)

    @pytest.mark.parametrize("query", [{"window": "soon"}, {"since": "x"}, {"sort": "password"}])
    def test_what_the_address_says_wrongly_is_told(self, query: dict[str, str], van: Asset, owner: Person) -> None:
        answer = browser(owner).get(page_of(van), query)
        assert answer.status_code == 400
        assert next(iter(query.values())) in text_of(answer)

    def test_the_charts_ask_for_the_window_and_for_the_one_before(self, van: Asset, owner: Person) -> None:
        text = text_of(browser(owner).get(page_of(van), {**ALL_DAY, "compare": "1"}))
        asked = [_query(text, name) for name in ("series", "before")]
        assert [one["vehicle_id"] for one in asked] == ["VAN-1"] * 2
        assert [one["initial_timestamp"][:10] for one in asked] == ["2026-01-05", "2026-01-04"]
        assert [one["final_timestamp"][:10] for one in asked] == ["2026-01-05", "2026-01-04"]  # a microsecond before


class TestTheRows:
    def test_they_are_sorted_as_the_address_says(self, van: Asset, owner: Person) -> None:
        rows = rows_of(browser(owner).get(page_of(van), {**ALL_DAY, "sort": "speed"}))
        assert [row[1] for row in rows] == ["40", "41", "42"]

    def test_they_are_turned_over_in_pages(self, vehicle_store: Store, tenant: Tenant, owner: Person) -> None:
        long = drive(tenant, "LONG", minutes=ROWS + 5)
        client = browser(owner)
        first, second = (rows_of(client.get(page_of(long), {**ALL_DAY, "page": page})) for page in (1, 2))
        assert (len(first), len(second)) == (ROWS, 5)
        assert not {row[0] for row in first} & {row[0] for row in second}

    def test_what_is_implausible_is_flagged(self, vehicle_store: Store, tenant: Tenant, owner: Person) -> None:
        values = {"speed": 250.0, "odometer": 1.0, "soc": 1, "elevation": 1.0, "shift_state": None}
        row = Row("FAST", AT, values, ("speed_implausible",))
        ingest_row(TELEMETRY, row, tenant_id=tenant.pk, by="test")
        fast = Asset.objects.get(tenant=tenant, key="FAST")
        assert rows_of(browser(owner).get(page_of(fast), ALL_DAY))[0][-1] == "speed implausible"


class TestExporting:
    @pytest.mark.parametrize("name", ["csv", "xlsx", "json", "parquet"])
    def test_each_format_holds_what_the_page_shows(self, name: str, van: Asset, owner: Person) -> None:
        client = browser(owner)
        text = text_of(client.get(page_of(van), {"since": "2026-01-05 08:01", "until": "2026-01-05 09:00"}))
        link = next(link for link in re.findall(r'href="([^"]*export=[^"]*)"', text) if f"export={name}" in link)
        answer = client.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200
        body = body_of(answer)
        assert answer["Content-Disposition"] == f'attachment; filename="VAN-1.{name}"'
        if name == "csv":
            assert body.count(b"\n") == 3

    def test_the_row_at_the_windows_end_is_in_the_next_window_alone(self, van: Asset, owner: Person) -> None:
        client = browser(owner)
        page = client.get(page_of(van), {"since": "2026-01-05T08:00:00Z", "until": "2026-01-05T08:02:00Z"})
        assert len(rows_of(page)) == 2
        link = next(iter(re.findall(r'href="([^"]*export=csv[^"]*)"', text_of(page)))).replace("&amp;", "&")
        assert body_of(client.get(link)).count(b"\n") == 1 + 2

    def test_a_stranger_who_has_the_link_gets_nothing(self, van: Asset, owner: Person, stranger: Person) -> None:
        text = text_of(browser(owner).get(page_of(van), ALL_DAY))
        link = next(iter(re.findall(r'href="([^"]*export=csv[^"]*)"', text))).replace("&amp;", "&")
        assert browser(stranger).get(link).status_code == 400  # the tenant that it names is none that they know of


class TestEditing:
    FORM = {"name": "City van", "type": "e-Crafter", "site": "Hamburg"}

    @pytest.mark.parametrize("role", ["admin", "manager"])
    def test_who_may_edit_does_it_with_a_trail(
        self, role: str, van: Asset, make_person: Callable[..., Person], tenant: Tenant
    ) -> None:
        client = browser(make_person(role))
        assert 'data-opens="edit"' in text_of(client.get(page_of(van)))
        answer = client.post(f"{page_of(van)}edit/", self.FORM, follow=True)
        assert answer.redirect_chain == [(page_of(van), 302)]
        assert "<h1>City van</h1>" in text_of(answer)
        van.refresh_from_db()
        assert (van.name, van.type, van.site) == ("City van", "e-Crafter", "Hamburg")
        assert AuditEntry.objects.filter(action="asset_change", tenant=tenant).count() == 1

    def test_the_window_stays_what_it_was(self, van: Asset, owner: Person) -> None:
        client = browser(owner)
        assert client.post(f"{page_of(van)}edit/?window=7d", self.FORM)["Location"] == f"{page_of(van)}?window=7d"
        assert client.get(f"{page_of(van)}edit/?window=1h")["Location"] == f"{page_of(van)}?window=1h"

    @pytest.mark.parametrize("role", ["operator", "viewer"])
    def test_who_may_not_is_told_and_sees_no_button(
        self, role: str, van: Asset, make_person: Callable[..., Person]
    ) -> None:
        client = browser(make_person(role))
        assert 'data-opens="edit"' not in text_of(client.get(page_of(van)))
        assert client.post(f"{page_of(van)}edit/", self.FORM).status_code == 403
        van.refresh_from_db()
        assert van.name == ""

    def test_a_stranger_edits_nothing(self, van: Asset, stranger: Person) -> None:
        assert browser(stranger).post(f"{page_of(van)}edit/", self.FORM).status_code == 404
        van.refresh_from_db()
        assert van.name == ""

    @pytest.mark.parametrize("wrong", [{"name": "n" * 201}, {"site": "s" * 201}, {"type": "t" * 101}, {"name": "a\0b"}])
    def test_what_is_wrong_is_said_beside_its_field(self, wrong: dict[str, str], van: Asset, owner: Person) -> None:
        answer = browser(owner).post(f"{page_of(van)}edit/", {**self.FORM, **wrong})
        assert answer.status_code == 422
        assert "data-open-now" in text_of(answer)
        assert 'class="problem"' in text_of(answer)
        van.refresh_from_db()
        assert van.name == ""


class TestTheOverview:
    def test_it_counts_who_reports_and_names_who_is_silent(
        self, vehicle_store: Store, tenant: Tenant, owner: Person
    ) -> None:
        drive(tenant, "FRESH", minutes=1, since=now() - timedelta(minutes=1))
        drive(tenant, "SILENT", minutes=1)
        assets_register(tenant_id=tenant.pk, kind="vehicle", keys=["NEW"], by="test")
        text = text_of(browser(owner).get("/"))
        tiles = re.findall(r'<dt>(.*?)</dt><dd><a href="([^"]*)">(\d+)</a>', text, re.DOTALL)
        assert [(re.sub(r"<[^>]+>", "", word).strip(), int(count)) for word, _, count in tiles[:4]] == [
            ("All", 3), ("Reporting", 1), ("Silent", 1), ("No reading yet", 1)
        ]  # fmt: skip
        assert ">SILENT</a>" in text
        assert ">FRESH</a>" not in text
        client = browser(owner)
        assert [row[0] for row in rows_of(client.get(tiles[1][1]))] == ["FRESH"]

    def test_another_tenants_things_are_not_counted(self, van: Asset, stranger: Person) -> None:
        text = text_of(browser(stranger).get("/"))
        assert "VAN-1" not in text
        assert re.findall(r">(\d+)</a></dd>", text) == ["0"] * 4 * len(registry.kinds())


class TestTheSearch:
    def test_a_part_of_a_name_finds_things(self, van: Asset, owner: Person) -> None:
        drive(van.tenant, "VAN-2", minutes=1)
        text = text_of(browser(owner).get("/search/", {"q": "van"}))
        assert re.findall(r">(VAN-\d)</a>", text) == ["VAN-1", "VAN-2"]

    def test_a_whole_id_leads_to_its_page(self, van: Asset, owner: Person) -> None:
        assert browser(owner).get("/search/", {"q": "VAN-1"})["Location"] == page_of(van)

    def test_the_field_gets_only_what_it_shows(self, van: Asset, owner: Person) -> None:
        text = text_of(browser(owner).get("/search/", {"q": "van"}, headers={"HX-Request": "true"}))
        assert text.count("<a ") == 1
        assert "<html" not in text

    @pytest.mark.parametrize("q", ["nothing", EVIL, "%", "x" * 3000, "a\0b"])
    def test_what_is_not_there_is_said_so(self, q: str, van: Asset, owner: Person) -> None:
        answer = browser(owner).get("/search/", {"q": q})
        assert answer.status_code == 200
        assert "Nothing is called so" in text_of(answer)
        assert EVIL not in text_of(answer)

    def test_a_stranger_finds_nothing(self, van: Asset, stranger: Person) -> None:
        assert "VAN-1" not in text_of(browser(stranger).get("/search/", {"q": "van"}))


def _query(text: str, name: str) -> dict[str, str]:
    """The parameters of the address in `data-NAME`."""
    address = re.search(rf'data-{name}="([^"]*)"', text)
    assert address
    return {key: values[0] for key, values in parse_qs(urlsplit(address[1].replace("&amp;", "&")).query).items()}
