"""The pages: log in and out, and the things that a person may see with their latest state."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.people import PASSWORD, Person
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.clock import now
from wattkeeper.kinds.vehicle.models import VehicleState
from wattkeeper.views.dashboard.pages.assets import ROWS

PAGE = "/vehicles/"
UNKNOWN = "\N{EN DASH}"
EVIL = "<script>alert(1)</script>"
ELSEWHERE = ["https://evil.example/", "//evil.example/", "///evil.example", "\\\\evil.example", "javascript:alert(1)"]


def vehicle(tenant: Tenant, key: str, *, name: str = "", at: datetime | None = None, **channels: Any) -> Asset:
    """A vehicle; with `at`, its latest state."""
    asset = Asset.objects.create(tenant=tenant, kind="vehicle", key=key, name=name, registered_by="test")
    if at is not None:
        VehicleState.objects.create(asset=asset, at=at, **channels)
    return asset


def rows_of(page: Any) -> list[list[str]]:
    """The table's rows below its heading, as a person reads them."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.content.decode(), re.DOTALL)[1:]
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows)
    return [[" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in row] for row in cells]


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(person.user)
    return client


class TestLoggingIn:
    @pytest.mark.parametrize("path", ["/", PAGE, f"{PAGE}?search=a&page=2"])
    def test_who_is_nobody_is_asked_to_log_in_and_comes_back(self, path: str, db: None) -> None:
        answer = Client().get(path)
        assert answer.status_code == 302
        address = urlsplit(answer["Location"])
        assert address.path == "/login/"
        assert parse_qs(address.query)["next"] == [path]

    @pytest.mark.parametrize(("next_", "place"), [(PAGE, PAGE), ("/api/docs/", "/api/docs/"), ("", "/")])
    def test_a_name_and_a_password_lead_to_where_one_wanted(self, next_: str, place: str, owner: Person) -> None:
        client = Client()
        form = {"username": "owner", "password": PASSWORD, "next": next_}
        answer = client.post("/login/", form)
        assert (answer.status_code, answer["Location"]) == (302, place)
        assert client.get(PAGE).status_code == 200

    @pytest.mark.parametrize("next_", ELSEWHERE)
    def test_a_login_leads_to_no_other_site(self, next_: str, owner: Person) -> None:
        page = Client().get("/login/", {"next": next_})
        assert f'name="next" value="{next_}"' not in page.content.decode()
        answers = [
            Client().post("/login/", {"username": "owner", "password": PASSWORD, "next": next_}),
            Client().post("/login/", {"username": "owner", "password": PASSWORD}, query_params={"next": next_}),
        ]
        assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/")] * 2

    def test_a_wrong_password_is_said_and_opens_nothing(self, owner: Person) -> None:
        client = Client()
        answer = client.post("/login/", {"username": "owner", "password": "wrong"})
        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()
        assert client.get(PAGE).status_code == 302

    def test_what_is_typed_is_no_markup(self, db: None) -> None:
        answer = Client().post(
            "/login/", {"username": f'">{EVIL}', "password": "x"}, query_params={"next": f'">{EVIL}'}
        )
        assert EVIL not in answer.content.decode()

    def test_a_form_from_another_site_is_refused(self, owner: Person) -> None:
        client = Client(enforce_csrf_checks=True)
        answer = client.post("/login/", {"username": "owner", "password": PASSWORD})
        assert answer.status_code == 403
        assert client.get(PAGE).status_code == 302

    def test_a_login_changes_the_sessions_name(self, owner: Person) -> None:
        client = Client()
        client.session.save()
        before = client.cookies["sessionid"].value
        client.post("/login/", {"username": "owner", "password": PASSWORD})
        assert client.cookies["sessionid"].value != before
        assert client.cookies["sessionid"]["httponly"]

    def test_who_logs_out_is_out(self, owner: Person) -> None:
        client = browser(owner)
        kept = client.cookies["sessionid"].value
        assert 'action="/logout/"' in client.get(PAGE).content.decode()
        answer = client.post("/logout/")
        assert (answer.status_code, answer["Location"]) == (302, "/login/")
        client.cookies["sessionid"] = kept
        assert client.get(PAGE).status_code == 302
        assert not Session.objects.exists()

    def test_no_browser_keeps_a_page_for_whoever_uses_it_next(self, owner: Person) -> None:
        client = browser(owner)
        for page in ("/", PAGE, "/imports/", "/people/", "/keys/", "/profile/"):
            assert "no-store" in client.get(page)["Cache-Control"]

    def test_a_link_does_not_log_out(self, owner: Person) -> None:
        client = browser(owner)
        assert client.get("/logout/").status_code == 405
        assert client.get(PAGE).status_code == 200

    @pytest.mark.parametrize("next_", ELSEWHERE)
    def test_a_logout_leads_to_no_other_site(self, next_: str, owner: Person) -> None:
        answer = browser(owner).post("/logout/", {"next": next_})
        assert not urlsplit(answer["Location"]).netloc
        assert urlsplit(answer["Location"]).path in {"/login/", "/logout/"}

    def test_who_is_deactivated_is_out_at_once(self, owner: Person) -> None:
        client = browser(owner)
        owner.user.is_active = False
        owner.user.save()
        assert client.get(PAGE).status_code == 302


class TestTheList:
    def test_vehicles_are_shown_with_their_latest_state(self, owner: Person, tenant: Tenant) -> None:
        at = datetime(2024, 5, 1, 10, 11, 12, tzinfo=UTC)
        vehicle(tenant, "v-2")
        vehicle(tenant, "v-1", at=at, speed=0.0, odometer=1234.5, soc=81, elevation=-3.25, shift_state="P")
        vehicle(tenant, "v-3", at=at, speed=None, odometer=1.0, soc=0, elevation=0.0, shift_state=None)
        page = browser(owner).get(PAGE)
        assert rows_of(page) == [
            ["v-1", f"{(now() - at).days} d ago", "Silent", "0", "1,234.5", "81", "-3.25", "P"],
            ["v-2", "no reading yet", "No reading yet", *[UNKNOWN] * 5],
            ["v-3", f"{(now() - at).days} d ago", "Silent", UNKNOWN, "1", "0", "0", UNKNOWN],
        ]
        assert 'datetime="2024-05-01T10:11:12+00:00" title="2024-05-01 10:11:12"' in page.content.decode()

    def test_every_channel_is_a_column_with_its_unit(self, owner: Person, tenant: Tenant) -> None:
        vehicle(tenant, "v-1")
        heading = re.search(r"<thead>(.*?)</thead>", browser(owner).get(PAGE).content.decode(), re.DOTALL)
        assert heading
        columns = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<th .*?</th>", heading[1], re.DOTALL)]
        channels = registry.kind("vehicle").streams[0].channels
        assert columns[3:] == [f"{channel.label} {channel.unit.value}".strip() for channel in channels]

    @pytest.mark.parametrize("role", ["admin", "manager", "operator", "viewer"])
    def test_another_tenants_vehicles_are_not_there(
        self, role: str, make_person: Callable[..., Person], tenant: Tenant, other_tenant: Tenant
    ) -> None:
        vehicle(tenant, "ours", at=now(), odometer=1, soc=1, elevation=1)
        vehicle(other_tenant, "hidden-one", at=now(), odometer=99.75, soc=1, elevation=1)
        client = browser(make_person(role))
        for query in ("", "?search=hidden", "?page=2", "?sort=-odometer"):
            page = client.get(f"{PAGE}{query}").content.decode()
            assert "hidden-one" not in page
            assert "99.75" not in page
            assert other_tenant.name not in page
        assert [row[0] for row in rows_of(client.get(PAGE))] == ["ours"]

    def test_who_stands_above_tenants_sees_whose_each_is(
        self, superuser: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        vehicle(tenant, "a")
        vehicle(other_tenant, "b")
        assert [row[0] for row in rows_of(browser(superuser).get(PAGE))] == ["a", "b"]
        assert [row[3] for row in rows_of(browser(superuser).get(PAGE))] == ["North", "South"]
        assert [row[0] for row in rows_of(browser(superuser).get(PAGE, {"tenant": other_tenant.slug}))] == ["b"]

    def test_the_api_is_one_click_away(self, owner: Person) -> None:
        client = browser(owner)
        assert 'href="/api/docs/"' in client.get(PAGE).content.decode()
        assert client.get("/api/docs/").status_code == 200

    def test_a_tenant_without_vehicles_is_told_how_they_come(self, owner: Person, other_tenant: Tenant) -> None:
        vehicle(other_tenant, "theirs")
        page = browser(owner).get(PAGE)
        text = page.content.decode()
        assert rows_of(page) == []
        assert "No vehicles yet" in text
        assert "wattkeeper key add" in text
        assert "wattkeeper import FILE.csv --kind vehicle --server http://testserver --key KEY" in text

    @pytest.mark.parametrize("part", ["key", "name"])
    def test_names_are_no_markup(self, part: str, owner: Person, tenant: Tenant) -> None:
        vehicle(tenant, **{"key": "v-1", part: EVIL})
        tenant.name = EVIL
        tenant.save()
        text = browser(owner).get(PAGE, {"search": "script"}).content.decode()
        assert EVIL not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text

    def test_what_is_searched_for_is_no_markup(self, owner: Person) -> None:
        text = browser(owner).get(PAGE, {"search": f'">{EVIL}'}).content.decode()
        assert EVIL not in text

    @pytest.mark.parametrize(
        ("search", "found"),
        [("V-1", ["v-1", "v-10"]), ("bus", ["City bus"]), (" v-10 ", ["v-10"]), ("%", []), ("_", [])],
    )
    def test_a_search_finds_parts_of_ids_and_names(
        self, search: str, found: list[str], owner: Person, tenant: Tenant
    ) -> None:
        for key in ("v-1", "v-10"):
            vehicle(tenant, key)
        vehicle(tenant, "b-7", name="City bus")
        assert [row[0] for row in rows_of(browser(owner).get(PAGE, {"search": search}))] == found

    def test_the_form_shows_a_filters_number_as_it_was_written(self, owner: Person, tenant: Tenant) -> None:
        vehicle(tenant, "v-1", at=now(), odometer=1_234_567.25, soc=1, elevation=1)
        text = browser(owner).get(PAGE, {"min_odometer": "1234567.25"}).content.decode()
        assert 'name="min_odometer" value="1234567.25"' in text

    def test_many_vehicles_are_turned_over_in_pages(self, owner: Person, tenant: Tenant) -> None:
        keys = [f"v-{n:03}" for n in range(2 * ROWS + 1)]
        for key in keys:
            vehicle(tenant, key)
        client = browser(owner)
        pages = [client.get(PAGE, {"page": number, "search": "v-"}) for number in (1, 2, 3)]
        assert [row[0] for page in pages for row in rows_of(page)] == keys
        first, middle, last = (page.content.decode() for page in pages)
        assert ('rel="prev"' in first, 'rel="next"' in first) == (False, True)
        assert 'href="?page=1&amp;search=v-"' in middle
        assert 'href="?page=3&amp;search=v-"' in middle
        assert ('rel="prev"' in last, 'rel="next"' in last) == (True, False)

    @pytest.mark.parametrize("page", ["0", "-1", "99", "x", "", "1e9", "9" * 5000])
    def test_a_page_that_is_none_is_a_page_near_by(self, page: str, owner: Person, tenant: Tenant) -> None:
        vehicle(tenant, "v-1")
        answer = browser(owner).get(PAGE, {"page": page})
        assert answer.status_code == 200
        assert [row[0] for row in rows_of(answer)] == ["v-1"]

    def test_more_vehicles_do_not_ask_the_database_more_often(
        self, superuser: Person, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(30):
            vehicle(tenant, f"v-{n}", at=now() - timedelta(minutes=n), odometer=1, soc=1, elevation=1)
        client = browser(superuser)
        with django_assert_max_num_queries(9):
            assert len(rows_of(client.get(PAGE))) == 30

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_the_list_is_for_looking_only(self, method: str, owner: Person) -> None:
        assert getattr(browser(owner), method)(PAGE).status_code == 405
