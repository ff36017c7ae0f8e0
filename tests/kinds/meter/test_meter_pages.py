"""The list of meters and the page of one, as people read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from tests.people import Person
from tests.support.meters import KEY, VOLUME, message, message_store, messages_store, meter_make, record
from tests.support.vehicles import body_of
from tests.views.dashboard.test_pages import EVIL, browser, rows_of
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.kinds.meter import panels
from wattkeeper.kinds.meter.live import meters_shown
from wattkeeper.kinds.meter.models import Meter
from wattkeeper.kinds.meter.wording import clock_words, figure_of

pytestmark = pytest.mark.usefixtures("vehicle_store")

NONE = "\N{EN DASH}"
START = datetime(2026, 4, 30, 22, tzinfo=UTC)  # the first of May in Berlin
WATER = {"type": 7, "identnr": 40000001, "manufacturer": 1143}


def daily(tenant: Tenant, values: list[int], *, start: datetime = START, **who: object) -> Asset:
    """A meter with a message at each local midnight, in litres."""
    days = [(start + timedelta(days=number), value) for number, value in enumerate(values)]
    said = [
        (message(at=at, value=value, due=None, due_date=None, dimension=VOLUME, who={**WATER, **who}), at)
        for at, value in days
    ]
    messages_store(tenant, said)
    return Asset.objects.get(tenant=tenant, kind="meter", key__contains=str({**WATER, **who}["identnr"]))


def text_of(answer: Any) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


class TestTheList:
    def test_it_has_the_newest_value_and_the_status_in_words(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message(value=1234567, dimension="Energy (10 Wh)", who={"status": 20}))
        page = browser(owner).get("/meters/")
        (row,) = rows_of(page)
        assert row[0] == KEY
        assert row[1:4] == ["12,345.67 kWh", "battery low temporary error", "heat (4)"]

    def test_a_meter_that_has_said_nothing_has_none_of_it(self, owner: Person, tenant: Tenant) -> None:
        meter_make(tenant)
        (row,) = rows_of(browser(owner).get("/meters/"))
        assert row[1:4] == [NONE, NONE, "heat (4)"]

    def test_other_columns_can_be_chosen(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message())
        page = browser(owner).get("/meters/", {"column": ["latest", "energy", "power"]})
        (row,) = rows_of(page)
        assert (row[1], row[4:]) == ("29,690 kWh", ["29,690", NONE])
        assert "data-all-is-none" not in page.content.decode()

    def test_medium_and_site_filter_it(self, owner: Person, tenant: Tenant) -> None:
        meter_make(tenant, site="A")
        meter_make(tenant, site="B", **WATER)
        client = browser(owner)
        assert [row[0] for row in rows_of(client.get("/meters/", {"type": "heat (4)"}))] == [KEY]
        assert [row[0] for row in rows_of(client.get("/meters/", {"site": "B"}))] == ["ACW-40000001-0-7"]

    def test_its_file_has_every_channel(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message())
        head, _ = body_of(owner.session.get("/meters/export/")).decode().splitlines()
        assert {"Energy (kWh)", "Status", "Clock offset (h)"} <= set(head.split(","))

    def test_what_is_told_live_is_what_the_page_shows(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message(who={"status": 20}))
        meter = Asset.objects.get(key=KEY)
        page = browser(owner).get("/meters/").content.decode()
        shown = meters_shown([meter.pk])[meter.pk]
        cells = dict(re.findall(r'data-value="(\w+)"[^>]*>([^<]*)<', page))
        assert {name: shown[name] for name in ("latest", "clock")} == {"latest": "29,690 kWh", "clock": "in order"}
        assert cells["latest"] == shown["latest"]
        assert f'data-state="{shown["status_words"]}"' in page
        assert all(f'data-badge="status_words" data-state="{one}"' in page for one in ("power low", "temporary error"))

    def test_a_meter_with_a_name_is_found_by_its_number_as_well(self, owner: Person, tenant: Tenant) -> None:
        meter_make(tenant, identnr=5)
        Asset.objects.filter(pk=meter_make(tenant).pk).update(name="Flat 4")
        client = browser(owner)
        for search in ("flat", "83251076"):
            (row,) = rows_of(client.get("/meters/", {"search": search}))
            assert row[0] == f"Flat 4 {KEY}"

    def test_one_that_was_replaced_is_not_called_silent(self, owner: Person, tenant: Tenant) -> None:
        old, new = daily(tenant, [1, 2]), daily(tenant, [1, 2], identnr=40000002)
        Meter.objects.filter(pk=new.pk).update(replaces=old)
        client = browser(owner)
        assert [row[5] for row in rows_of(client.get("/meters/", {"sort": "key"}))] == ["Replaced", "Silent"]
        told = text_of(client.get(f"/meters/{old.pk}/"))
        heading = told.partition("Export this")[0]
        assert heading.rstrip().endswith("Replaced")

    def test_who_may_not_edit_reads_the_settings_all_the_same(self, colleague: Person, tenant: Tenant) -> None:
        meter_make(tenant)
        assert 'href="/meters/settings/"' in browser(colleague).get("/meters/").content.decode()


class TestTheUse:
    def test_days_stand_in_a_table_with_what_is_to_be_known_of_them(self, owner: Person, tenant: Tenant) -> None:
        meter = daily(tenant, [1_000, 1_100, 1_250, 20, 40])
        page = browser(owner).get(f"/meters/{meter.pk}/")
        rows = rows_of(page)
        assert ["2026-05-01", "0.1", ""] in rows
        assert ["2026-05-03", "0.02", "counter began anew"] in rows
        assert ["2026-05-05", NONE, "not known"] in rows
        assert "0.29 m³" in text_of(page)
        assert "style=" not in page.content.decode()

    def test_months_are_compared_with_the_year_before(self, owner: Person, tenant: Tenant) -> None:
        meter = daily(tenant, list(range(0, 400 * 100, 100)), start=START - timedelta(days=365))
        rows = rows_of(browser(owner).get(f"/meters/{meter.pk}/consumption/", {"per": "month", "at": "2026"}))
        assert ["2026-05", "3.1", "3.1", "0 %", ""] in rows
        assert ["2026-06", "0.3", "3", NONE, "estimated"] in rows

    def test_an_exchange_goes_on_with_the_new_meter(self, owner: Person, tenant: Tenant) -> None:
        old = daily(tenant, [1_000, 1_100, 1_200])
        new = daily(tenant, [5, 55, 105], start=START + timedelta(days=2), identnr=40000002)
        Meter.objects.filter(pk=new.pk).update(replaces=old)
        rows = rows_of(browser(owner).get(f"/meters/{new.pk}/consumption/"))
        assert [row[:3] for row in rows if row[0] <= "2026-05-04"] == [
            ["2026-05-01", "0.1", ""],
            ["2026-05-02", "0.1", ""],
            ["2026-05-03", "0.05", "meter exchanged"],
            ["2026-05-04", "0.05", ""],
        ]

    @pytest.mark.parametrize(("name", "text"), [("per", "week"), ("at", "May"), ("at", "2026-13"), ("at", "0000")])
    def test_what_is_no_time_is_named(self, name: str, text: str, owner: Person, tenant: Tenant) -> None:
        answer = browser(owner).get(f"/meters/{meter_make(tenant).pk}/consumption/", {name: text})
        assert answer.status_code == 400
        assert text in text_of(answer)

    def test_the_end_of_the_calendar_is_no_failure(self, owner: Person, tenant: Tenant) -> None:
        meter = daily(tenant, [1, 2])
        for at in ("1900-01", "2199-12"):
            answer = browser(owner).get(f"/meters/{meter.pk}/consumption/", {"at": at})
            assert answer.status_code == 200
        assert f"{meter.pk}/consumption/?per=day&amp;at=1899" not in answer.content.decode()
        for per, at in (("day", "1900-01"), ("month", "1900")):
            page = browser(owner).get(f"/meters/{meter.pk}/consumption/", {"per": per, "at": at}).content.decode()
            assert "at=1899" not in page

    def test_what_goes_on_is_known_so_far_and_nothing_is_said_of_what_is_to_come(
        self, owner: Person, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        meter = daily(tenant, list(range(0, 1000, 100)))  # until the tenth of May
        monkeypatch.setattr(panels, "now", lambda: datetime(2026, 5, 10, 3, tzinfo=UTC))
        client = browser(owner)
        rows = rows_of(client.get(f"/meters/{meter.pk}/consumption/", {"per": "month"}))
        assert ["2026-05", "0.9", "so far"] in rows
        assert ["2026-06", NONE, ""] in rows
        assert ["2026-04", NONE, "not known"] in rows
        assert "hatched" not in text_of(client.get(f"/meters/{meter.pk}/consumption/", {"per": "month"}))

    def test_a_year_before_of_which_a_part_is_known_is_no_whole_one(self, owner: Person, tenant: Tenant) -> None:
        meter = daily(tenant, list(range(0, 2000, 10)), start=START - timedelta(days=150))
        page = text_of(browser(owner).get(f"/meters/{meter.pk}/consumption/", {"per": "month", "at": "2026"}))
        assert "The year before" in page
        assert "the whole year before" not in page

    def test_a_meter_without_a_counter_says_so(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message([record("Power (W)", 1200)]))
        meter = Asset.objects.get(key=KEY)
        assert "sent no counter" in text_of(browser(owner).get(f"/meters/{meter.pk}/"))


class TestThePage:
    def test_a_water_meter_shows_no_charts_of_heat_and_no_raw_bits(self, owner: Person, tenant: Tenant) -> None:
        meter = daily(tenant, [1, 2, 3])
        page = browser(owner).get(f"/meters/{meter.pk}/").content.decode()
        assert re.findall(r'data-chart="(\w+)"', page) == ["volume"]
        assert [
            re.sub(r"<[^>]+>", "", label) for label in re.findall(r'<div class="tile[^>]*><dt>(.*?)</dt>', page)
        ] == [
            "Last reading",
            "Latest value",
            "Medium",
            "Status",
            "Clock",
        ]

    def test_its_charts_lines_and_files_are_there(self, owner: Person, tenant: Tenant) -> None:
        meter = daily(tenant, [1_000, 2_000])
        page = browser(owner).get(f"/meters/{meter.pk}/", {"since": "2026-04-01 00:00", "until": "2026-06-01 00:00"})
        (series,) = re.findall(r'data-series="([^"]+)"', page.content.decode())
        answer = owner.jwt.get(unescape(series) + "&points=100")
        assert answer.json()["channels"]["volume"]["values"] == [1.0, 2.0]
        file = re.search(r'href="(/api/meters/export/[^"]+export=csv)"', page.content.decode())
        assert file and owner.session.get(unescape(file[1])).status_code == 200

    @pytest.mark.parametrize("role", ["admin", "manager", "operator", "viewer"])
    def test_only_who_may_edit_says_what_it_replaces(
        self, role: str, make_person: Callable[..., Person], tenant: Tenant
    ) -> None:
        meter, may = meter_make(tenant), role in {"admin", "manager"}
        client = browser(make_person(role))
        address = f"/meters/{meter.pk}/replaces/"
        assert (address in client.get(f"/meters/{meter.pk}/").content.decode()) is may
        assert client.post(address, {"replaces": ""}).status_code == (302 if may else 403)

    @pytest.mark.parametrize("path", ["", "messages/", "consumption/", "replaces/"])
    def test_nothing_is_told_where_nothing_was_done(self, path: str, owner: Person, tenant: Tenant) -> None:
        page = browser(owner).get(f"/meters/{daily(tenant, [1, 2]).pk}/{path}").content.decode()
        assert '<p class="toast ' not in page

    def test_names_are_no_markup(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message([record(EVIL, EVIL), record("Energy (kWh)", 1, function=EVIL)]))
        Asset.objects.filter(key=KEY).update(name=EVIL, site=EVIL, type=EVIL)
        meter = Asset.objects.get(key=KEY)
        client = browser(owner)
        for path in ("", "messages/", "consumption/", "replaces/"):
            assert EVIL not in client.get(f"/meters/{meter.pk}/{path}").content.decode()
        assert EVIL not in client.get("/meters/").content.decode()


class TestMessages:
    def test_a_message_stands_there_as_it_came_and_as_it_is_understood(self, owner: Person, tenant: Tenant) -> None:
        raw = (
            b'{"data": [{"dimension": "Energy (10 Wh)", "value": 1234.50, "storagenr": 3, "tariff": 2, "subunit": 1},'
            b' {"dimension": "Firmware version", "value": 2}], "device": {"type": 4, "status": 3, "identnr": 1,'
            b' "version": 0, "accessnr": 7, "manufacturer": 5317}}'
        )
        message_store(tenant, raw)
        meter = Asset.objects.get(kind="meter")
        page = browser(owner).get(f"/meters/{meter.pk}/messages/")
        assert rows_of(page) == [
            ["Energy (10 Wh)", "1234.50", "12.345 kWh", "3", "2", "1", NONE],
            ["Firmware version unknown", "2", NONE, "0", "0", "0", NONE],
        ]
        told = text_of(page)
        assert '"value": 1234.50' in told
        assert "2021-09-07 10:31:00 alarm no time unknown code received 2021-09-07 10:31:00, access number 7" in told
        assert "Times are those of Europe/Berlin" in told

    def test_there_are_pages_of_them_the_newest_first(self, owner: Person, tenant: Tenant) -> None:
        meter = daily(tenant, list(range(25)))
        client = browser(owner)
        first, second = (client.get(f"/meters/{meter.pk}/messages/", {"page": number}) for number in (1, 2))
        assert len(rows_of(first)) > len(rows_of(second)) > 0
        assert re.findall(r"<strong>([\d-]+)", first.content.decode())[0] == "2026-05-25"
        assert f"21{NONE}25 of 25 messages" in text_of(second)


class TestWhatItReplaces:
    @pytest.fixture
    def pair(self, tenant: Tenant) -> tuple[Asset, Asset]:
        return meter_make(tenant), meter_make(tenant, identnr=83251077)

    def say(self, person: Person, meter: Asset, key: str) -> Any:
        return browser(person).post(f"/meters/{meter.pk}/replaces/", {"replaces": key})

    def test_it_is_said_by_a_part_of_the_key_and_noted(self, owner: Person, pair: tuple[Asset, Asset]) -> None:
        old, new = pair
        answer = self.say(owner, new, "83251076")
        assert (answer.status_code, answer["Location"]) == (302, f"/meters/{new.pk}/")
        assert Meter.objects.get(pk=new.pk).replaces == old
        entry = AuditEntry.objects.get(action="meter_replace")
        assert (entry.detail, entry.actor) == ({"replaces": [None, KEY]}, f"user:{owner.user.pk}")
        client = browser(owner)
        assert f"Replaces {KEY}" in text_of(client.get(f"/meters/{new.pk}/"))
        assert f"Replaced by {new.key}" in text_of(client.get(f"/meters/{old.pk}/"))
        assert self.say(owner, new, "").status_code == 302
        assert Meter.objects.get(pk=new.pk).replaces is None

    def test_nothing_goes_round_in_a_circle(self, owner: Person, pair: tuple[Asset, Asset]) -> None:
        old, new = pair
        self.say(owner, new, old.key)
        answer = self.say(owner, old, new.key)
        assert answer.status_code == 422
        assert "cannot have hung there before" in text_of(answer)

    def test_one_meter_is_replaced_by_one(self, owner: Person, tenant: Tenant, pair: tuple[Asset, Asset]) -> None:
        old, new = pair
        self.say(owner, new, old.key)
        answer = self.say(owner, meter_make(tenant, identnr=5), old.key)
        assert (answer.status_code, "by another meter already" in text_of(answer)) == (422, True)

    @pytest.mark.parametrize("said", ["nothing", KEY, "EFE-8325107", "x" * 201, "a\0b"])
    def test_what_is_no_other_meter_is_refused(self, said: str, owner: Person, pair: tuple[Asset, Asset]) -> None:
        assert self.say(owner, pair[0], said).status_code == 422 if said != "EFE-8325107" else 302

    def test_several_that_may_be_meant_are_named(
        self, owner: Person, tenant: Tenant, pair: tuple[Asset, Asset]
    ) -> None:
        answer = self.say(owner, meter_make(tenant, identnr=5), "8325107")
        assert f"Several meters have that in their key: {KEY}, EFE-83251077-0-4" in text_of(answer)

    def test_another_tenants_meter_is_none(
        self, owner: Person, other_tenant: Tenant, pair: tuple[Asset, Asset]
    ) -> None:
        theirs = meter_make(other_tenant, identnr=9)
        assert self.say(owner, pair[0], theirs.key).status_code == 422


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (None, "tells no time"),
        (0.0, "in order"),
        (-47.9, "in order"),
        (-49, "2 d behind"),
        (3.0, "3 h ahead"),
        (0.2, "12 min ahead"),
    ],
)
def test_a_clock_is_told_in_words(hours: float | None, words: str) -> None:
    assert clock_words(hours) == words


@pytest.mark.parametrize(
    ("dimension", "said", "shown"),
    [
        ("Energy (10 Wh)", "12345678", "123,456.78 kWh"),
        ("Energy (kWh)", "29690", "29,690 kWh"),
        ("Volume (m m^3)", "1.5", "0.0015 m³"),
        ("Foo (bar)", "12345.50", "12,345.50 Foo (bar)"),
        ("Energy (kWh)", "-0.0", "0 kWh"),
        ("Energy (kWh)", "1e300", f"1{',000' * 100} kWh"),
    ],
)
def test_a_figure_has_every_digit_and_its_unit(dimension: str, said: str, shown: str) -> None:
    assert str(figure_of(dimension, said)) == shown
    assert figure_of(dimension, "nan") is figure_of(dimension, "many") is None
