"""The dashboard's page: alerts, figures, charts and batteries of who looks, each leading to what it counts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.people import Person
from tests.support.registered import device, register, update
from tests.support.vehicles import body_of
from tests.views.dashboard.test_pages import EVIL, browser
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.battery.dashboard.page import ROWS
from wattkeeper.kinds.battery.demo import sample_make

PAGE, FIGURES = "/dashboard/", "/dashboard/figures/"

pytestmark = pytest.mark.usefixtures("battery_store")


def text_of(person: Person, path: str = PAGE, **query: Any) -> str:
    answer = browser(person).get(path, query)
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def words(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def batteries(text: str) -> list[list[str]]:
    """The rows of the table of batteries, as a person reads them."""
    rows = re.findall(r"<tr data-asset=.*?</tr>", text, re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def serials(text: str) -> list[str]:
    return [row[0].split()[0] for row in batteries(text)]


def cards(text: str) -> dict[str, str]:
    found = re.findall(r'<div class="tile[^"]*"><dt>(.*?)</dt><dd>(.*?)</div>', text, re.DOTALL)
    return {words(name): words(value) for name, value in found}


def chart(text: str, label: str) -> dict[str, tuple[str, str]]:
    """Of the list that tells a chart in words: by name the count and the address."""
    (listed,) = re.findall(rf'<ul class="[^"]*" aria-label="{label}">(.*?)</ul>', text, re.DOTALL)
    rows = re.findall(r"<li>(.*?)</li>", listed, re.DOTALL)
    found = {}
    for row in rows:
        name = re.search(r'class="(?:pie|tally)-name">(.*?)</span>', row)
        count, link = re.search(r"<b>(.*?)</b>", row), re.search(r'<a href="([^"]*)"', row)
        assert name and count
        found[unescape(name[1])] = (count[1], unescape(link[1]) if link else "")
    return found


@pytest.fixture
def sample(tenant: Tenant, battery_store: Store) -> None:
    sample_make(tenant.pk, "test")


@pytest.mark.usefixtures("sample")
class TestTheSampleFleet:
    @pytest.mark.parametrize("role", ["admin", "manager", "operator", "viewer"])
    def test_whoever_is_of_the_tenant_sees_it(self, role: str, make_person: Callable[..., Person]) -> None:
        assert serials(text_of(make_person(role))) == ["BAT-001", "BAT-002", "BAT-003"]

    def test_its_figures_are_those_of_the_api(self, owner: Person) -> None:
        assert cards(text_of(owner)) == {
            "Batteries": "3",
            "Active": "2 1 charging 1 discharging",
            "Faulty": "0",
            "Average health": "94.33 % 0 below 50 %",
            "Average charge": "76.67 %",
            "Average temperature": "26.33 °C",
            "Unresolved alerts": "1 0 critical",
            "Devices": "1 1 active",
        }

    def test_its_six_charts_say_each_count_in_words(self, owner: Person) -> None:
        text = text_of(owner)
        counted = {
            label: {name: count for name, (count, _) in chart(text, label).items()}
            for label in (
                "Batteries by status",
                "Batteries by health",
                "Batteries by charge",
                "Batteries by type",
                "Batteries by charge cycles",
                "Alerts by type",
            )
        }
        assert counted == {
            "Batteries by status": {"Charging": "1", "Discharging": "1", "Idle": "1"},
            "Batteries by health": {
                "Excellent (90-100%)": "2", "Good (70-89%)": "1", "Fair (50-69%)": "0", "Poor (<50%)": "0",
            },
            "Batteries by charge": {
                "Full (90-100%)": "1", "High (70-89%)": "1", "Medium (40-69%)": "1", "Low (10-39%)": "0",
                "Critical (<10%)": "0",
            },
            "Batteries by type": {"Li-ion": "2", "NiMH": "1"},
            "Batteries by charge cycles": {
                "New (0-100)": "1", "Good (100-500)": "2", "Aging (500-1000)": "0", "Old (1000+)": "0",
            },
            "Alerts by type": {"Over temperature": "1"},
        }  # fmt: skip

    def test_each_count_leads_to_as_many(self, owner: Person) -> None:
        text, client = text_of(owner), browser(owner)
        for label in ("status", "type", "health", "charge", "charge cycles"):
            for name, (count, address) in chart(text, f"Batteries by {label}").items():
                listed = re.findall(r"<tr data-asset=", client.get(address).content.decode())
                assert (name, len(listed)) == (name, int(count))
        ((_, address),) = chart(text, "Alerts by type").values()
        assert "BAT-002" in client.get(address).content.decode()

    @pytest.mark.parametrize("charge", [39.9995, 40, 69.99999999])
    def test_a_bar_counts_what_its_list_has_also_at_its_edge(self, charge: float, owner: Person) -> None:
        register(owner.jwt, "EDGE", current_charge=charge)
        client = browser(owner)
        for name, (count, address) in chart(text_of(owner), "Batteries by charge").items():
            page = client.get(address).content.decode()
            assert (name, len(re.findall(r"<tr data-asset=", page))) == (name, int(count))
            assert "999" not in "".join(re.findall(r'<input name="[^"]*" value="[^"]*"', page))

    def test_its_alert_comes_before_all_else(self, owner: Person) -> None:
        text = text_of(owner)
        assert text.index("warmer than it should be") < text.index("Average health") < text.index('<th scope="row"')

    def test_a_battery_is_a_row_with_its_state(self, owner: Person) -> None:
        (first, *_) = batteries(text_of(owner))
        assert first[:-1] == ["BAT-001 Li-ion", "Discharging", "85", "95", "3.65", "25", "150"]
        assert first[-1].endswith(" ago")

    def test_the_page_names_its_sockets_address_and_each_row_its_battery(self, owner: Person, tenant: Tenant) -> None:
        text = text_of(owner)
        assert 'data-live="/ws/dashboard/"' in text
        ids = set(Asset.objects.filter(tenant=tenant, kind="battery").values_list("pk", flat=True))
        assert {int(pk) for pk in re.findall(r'data-asset="(\d+)"', text)} == ids


class TestTheScope:
    def test_a_stranger_sees_nothing_of_it(self, owner: Person, stranger: Person) -> None:
        register(owner.jwt, "HIDDEN-1", battery_type="Secret")
        for path in (PAGE, FIGURES):
            text = text_of(stranger, path)
            assert "HIDDEN-1" not in text
            assert "Secret" not in text
        assert cards(text_of(stranger, FIGURES))["Batteries"] == "0"

    def test_who_is_not_logged_in_is_asked_to(self, db: None) -> None:
        for path in (PAGE, FIGURES):
            assert Client().get(path)["Location"].startswith("/login/")

    def test_a_tenant_that_is_none_of_ones_own_is_refused(self, owner: Person, stranger: Person) -> None:
        for path in (PAGE, FIGURES):
            assert browser(owner).get(path, {"tenant": "south"}).status_code == 400

    def test_who_stands_above_tenants_sees_all_or_one(self, superuser: Person, owner: Person, stranger: Person) -> None:
        register(owner.jwt, "NORTH-1")
        register(stranger.jwt, "SOUTH-1")
        assert serials(text_of(superuser)) == ["NORTH-1", "SOUTH-1"]
        chosen = text_of(superuser, tenant="south")
        assert serials(chosen) == ["SOUTH-1"]
        assert cards(chosen)["Batteries"] == "1"
        assert 'data-live="/ws/dashboard/?tenant=south"' in chosen
        assert "/api/dashboard/export/?tenant=south" in chosen

    def test_a_site_narrows_the_figures_the_charts_and_the_rows(self, owner: Person) -> None:
        here, there = register(owner.jwt, "HERE-1", battery_type="NMC"), register(owner.jwt, "THERE-1")
        Asset.objects.filter(pk=here["id"]).update(site="Hamburg")
        device(owner.jwt, serial_number="D-1", batteries=[here["id"]])
        device(owner.jwt, serial_number="D-2", batteries=[there["id"]])
        update(owner.jwt, here["id"], current_charge=3)
        text = text_of(owner, site="Hamburg")
        assert serials(text) == ["HERE-1"]
        shown = cards(text)
        assert (shown["Batteries"], shown["Devices"], shown["Average charge"]) == ("1", "1 1 active", "3 %")
        assert shown["Unresolved alerts"] == "1 0 critical"
        assert list(chart(text, "Batteries by type")) == ["NMC"]
        assert chart(text, "Batteries by charge")["Critical (<10%)"][1].startswith("/batteries/?site=Hamburg&")
        assert "site=Hamburg" in re.search(r'hx-get="(/dashboard/figures/[^"]*)"', text)[1]  # type: ignore[index]

    def test_where_no_battery_is_the_page_says_so(self, owner: Person) -> None:
        register(owner.jwt, "HERE-1")
        assert "No battery is at Nowhere" in text_of(owner, site="Nowhere")


class TestTheTable:
    @pytest.fixture
    def fleet(self, owner: Person) -> None:
        for number, (charge, status) in enumerate([(90, "IDLE"), (20, "CHARGING"), (55, "FAULT")]):
            register(owner.jwt, f"B-{number}", current_charge=charge, current_status=status)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"sort": "current_charge"}, ["B-1", "B-2", "B-0"]),
            ({"sort": "-current_charge"}, ["B-0", "B-2", "B-1"]),
            ({"current_status": "FAULT"}, ["B-2"]),
            ({"min_current_charge": "50"}, ["B-0", "B-2"]),
            ({"search": "b-1"}, ["B-1"]),
            ({"search": "nothing"}, []),
        ],
    )
    def test_the_address_says_which_and_in_which_order(
        self, query: dict[str, str], found: list[str], fleet: None, owner: Person
    ) -> None:
        assert serials(text_of(owner, **query)) == found

    def test_what_the_address_says_wrongly_is_told(self, fleet: None, owner: Person) -> None:
        answer = browser(owner).get(PAGE, {"sort": "password"})
        assert answer.status_code == 400
        assert "password" in answer.content.decode()

    def test_the_file_holds_what_is_filtered(self, fleet: None, owner: Person) -> None:
        text = text_of(owner, min_current_charge="50", sort="-current_charge")
        (link,) = re.findall(r'href="(/batteries/export/[^"]*export=json)"', text)
        listed = json.loads(body_of(browser(owner).get(unescape(link))))
        assert [one["key"] for one in listed] == ["B-0", "B-2"]

    def test_the_table_alone_is_what_htmx_is_given(self, fleet: None, owner: Person) -> None:
        answer = browser(owner).get(PAGE, {"sort": "-key"}, headers={"HX-Request": "true", "HX-Target": "batteries"})
        text = answer.content.decode()
        assert serials(text) == ["B-2", "B-1", "B-0"]
        assert text.lstrip().startswith('<section class="card fleet" id="batteries"')
        assert "<html" not in text
        assert "Average health" not in text

    def test_it_is_turned_over_in_pages(self, owner: Person, tenant: Tenant) -> None:
        for number in range(ROWS + 2):
            register(owner.jwt, f"B-{number:03}")
        first, second = (serials(text_of(owner, page=page)) for page in (1, 2))
        assert (len(first), second) == (ROWS, [f"B-{ROWS:03}", f"B-{ROWS + 1:03}"])

    def test_more_batteries_do_not_ask_the_database_more_often(
        self, owner: Person, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(ROWS):
            register(owner.jwt, f"B-{number:03}", current_charge=number)
        client = browser(owner)
        with django_assert_max_num_queries(22):
            assert len(serials(client.get(PAGE).content.decode())) == ROWS

    def test_names_are_no_markup(self, owner: Person) -> None:
        register(owner.jwt, "B-1", battery_type=EVIL)
        assert EVIL not in text_of(owner)
        assert EVIL not in text_of(owner, search=EVIL)

    def test_what_is_not_known_is_a_dash(self, owner: Person) -> None:
        register(owner.jwt, "B-1", current_charge=None, current_voltage=None, current_temperature=None)
        assert batteries(text_of(owner))[0][2:6] == ["\N{EN DASH}", "100", "\N{EN DASH}", "\N{EN DASH}"]


class TestAnEmptyFleet:
    def test_it_is_told_how_the_first_battery_comes(self, owner: Person) -> None:
        text = unescape(text_of(owner))
        assert "curl http://testserver/api/batteries/" in text
        body = re.search(r"-d '(\{.*?\})'", text)
        assert body
        assert owner.jwt.post("/api/batteries/", json.loads(body[1]), format="json").status_code == 201
        assert serials(text_of(owner)) == ["BAT-001"]

    @pytest.mark.parametrize("path", [PAGE, "/batteries/", "/vehicles/"])
    def test_who_may_only_look_on_is_told_whom_to_ask(
        self, path: str, owner: Person, make_person: Callable[..., Person], stranger: Person
    ) -> None:
        told = words(text_of(make_person("viewer"), path))
        assert f"ask {owner.user.get_username()}" in told
        assert stranger.user.get_username() not in told
        assert "wattkeeper key add" not in told
        assert "curl" not in told

    def test_who_may_register_but_makes_no_keys_is_told_who_does(
        self, owner: Person, make_person: Callable[..., Person]
    ) -> None:
        assert f"a key that {owner.user.get_username()} makes for you" in words(text_of(make_person("manager")))
        assert 'href="/keys/"' in text_of(owner)


class TestTheWayThere:
    def test_the_bar_the_list_and_the_overview_lead_to_it(self, owner: Person) -> None:
        register(owner.jwt, "B-1")
        for path in ("/", "/batteries/"):
            assert text_of(owner, path).count(f'href="{PAGE}"') == 2
        assert re.search(r'href="/dashboard/" aria-current="page"', text_of(owner))

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_it_is_for_looking_only(self, method: str, owner: Person) -> None:
        for path in (PAGE, FIGURES):
            assert getattr(browser(owner), method)(path).status_code == 405


class TestABatterysPage:
    def test_it_shows_its_state_its_nameplate_its_devices_and_its_alerts(self, owner: Person, sample: None) -> None:
        battery = Asset.objects.get(key="BAT-002")
        text = text_of(owner, f"/batteries/{battery.pk}/")
        told = words(text)
        assert "Capacity 4,000 mAh Nominal voltage 3.4 V" not in told
        assert "Capacity 4,000 mAh Nominal voltage 3.7 V" in told
        assert "Mobile Phone DEVICE-001 Active Mobile Warehouse 1 BAT-001" in told
        other = Asset.objects.get(key="BAT-001")
        assert f'<a href="/batteries/{other.pk}/">BAT-001</a>' in text
        assert "warmer than it should be" in told
        assert f'data-asset="{battery.pk}"' in text
        assert f"/alerts/?asset={battery.pk}&amp;state=all" in text
        assert 'data-value="current_charge">45<' in text

    def test_what_it_does_is_said_in_words_and_in_capitals_only_to_programs(self, owner: Person) -> None:
        battery = register(owner.jwt, "B-1")
        update(owner.jwt, battery["id"], current_status="DISCHARGING")
        for path in (f"/batteries/{battery['id']}/", "/batteries/"):
            told = words(re.sub(r"<template.*?</template>|<option.*?</option>", "", text_of(owner, path)))
            assert "Discharging" in told
            assert "DISCHARGING" not in told
        page = text_of(owner, f"/batteries/{battery['id']}/")
        assert len(re.findall(r"<td><span class=\"badge quiet\">.*?Discharging</span></td>", page)) == 1  # its one row
        assert '<option value="DISCHARGING">Discharging</option>' in text_of(owner, "/batteries/")
        (file,) = json.loads(body_of(browser(owner).get("/batteries/export/", {"export": "json"})))
        assert file["current_status"] == "DISCHARGING"

    def test_one_that_no_device_holds_says_so(self, owner: Person, sample: None) -> None:
        battery = Asset.objects.get(key="BAT-003")
        assert "No device holds this battery" in text_of(owner, f"/batteries/{battery.pk}/")

    def test_another_tenants_device_is_none_of_it(self, owner: Person, stranger: Person, sample: None) -> None:
        battery = Asset.objects.get(key="BAT-001")
        assert browser(stranger).get(f"/batteries/{battery.pk}/").status_code == 404
