"""The dashboard kept open: what happens is seen without a reload, also after the server was away."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import fits, log_in, violations
from tests.support.servers import Server, command, home_make, serving

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]

FINE = {"current_charge": 60, "current_voltage": 3.7, "current_temperature": 25, "current_status": "IDLE"}
PLATE = {"battery_type": "Li-ion", "capacity": 5000, "voltage_nominal": 3.7}
# In one go: the row may be replaced at any moment.
UNCOVERED = """selector => {
  const one = document.querySelector(selector);
  one.scrollIntoView({block: "center"});
  const {left, right, top, bottom} = one.getBoundingClientRect();
  return [left + 1, right - 1].every((x) => one.contains(document.elementFromPoint(x, (top + bottom) / 2)));
}"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sample fleet, and a key of its tenant."""
    home = tmp_path_factory.mktemp("dashboard") / "home"
    home_make(home)
    command("demo", "--sample", home=home).check_returncode()
    made = command("key", "add", "dashboard", "--scope", "admin", "--tenant", "demo", home=home)
    made.check_returncode()
    with serving(home, key=made.stdout.strip()) as server:
        yield server


@pytest.fixture
def say(demo: Server) -> Callable[..., Any]:
    """`say("BAT-001", current_charge=5)`: a status update, as a program sends it. The id of the battery."""

    def post(serial: str, **values: Any) -> int:
        with _api(demo) as api:
            (battery,) = api.get("/api/batteries/", params={"search": serial}).json()["results"]
            api.post(f"/api/batteries/{battery['id']}/update_status/", json={**FINE, **values}).raise_for_status()
            return int(battery["id"])

    return post


@pytest.fixture
def fresh(demo: Server) -> Iterator[tuple[int, str]]:
    """The id and the serial number of a battery that is this test's alone, and gone after it."""
    serial = f"NEW-{secrets.token_hex(3)}"
    with _api(demo) as api:
        pk = api.post("/api/batteries/", json={"serial_number": serial, **PLATE}).raise_for_status().json()["id"]
        yield pk, serial
        api.delete(f"/api/batteries/{pk}/")


def _api(demo: Server) -> httpx.Client:
    return httpx.Client(base_url=demo.url, headers={"Authorization": f"Api-Key {demo.key}"}, timeout=60)


def opened(page: Page, path: str = "/dashboard/") -> None:
    """The page, when it hears of what happens."""
    log_in(page)
    page.goto(path)
    live(page)


def live(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-live-state", "live")


def row(page: Page, serial: str) -> Locator:
    return page.locator("#batteries tbody tr", has_text=serial)


def cell(page: Page, serial: str, name: str) -> Locator:
    return row(page, serial).locator(f'[data-value="{name}"]')


def figure(page: Page, name: str) -> Locator:
    return page.locator("#figures .tile", has_text=name).locator("dd").first


def without_reload(page: Page) -> None:
    """From now on; `still_there` fails if the page was loaded again."""
    page.evaluate("window.mark = 'kept'")


def still_there(page: Page) -> bool:
    return bool(page.evaluate("window.mark === 'kept'"))


def test_a_status_update_shows_in_its_row_and_in_the_figures(page: Page, demo: Server, say: Callable[..., int]) -> None:
    say("BAT-001", current_charge=50)
    opened(page)
    expect(cell(page, "BAT-001", "current_charge")).to_have_text("50")
    without_reload(page)
    say("BAT-001", current_charge=71.25, current_status="CHARGING", current_temperature=30.5)
    expect(cell(page, "BAT-001", "current_charge")).to_have_text("71.25")
    expect(row(page, "BAT-001").locator("meter").first).to_have_js_property("value", 71.25)
    expect(cell(page, "BAT-001", "current_status")).to_have_text("Charging")
    expect(cell(page, "BAT-001", "current_temperature")).to_have_text("30.5")
    expect(cell(page, "BAT-001", "last_updated")).to_have_text(re.compile(r"^\d+ s ago$"))
    with _api(demo) as api:
        average = api.get("/api/dashboard/stats/").json()["charge"]["average"]
    expect(figure(page, "Average charge")).to_have_text(f"{average:g} %")
    assert still_there(page)
    assert fits(page)
    assert violations(page) == []


def test_a_breach_shows_as_an_alert_and_is_gone_when_it_is_taken_away(
    page: Page, demo: Server, say: Callable[..., int]
) -> None:
    serial = f"HOT-{secrets.token_hex(3)}"
    with _api(demo) as api:
        battery = api.post("/api/batteries/", json={"serial_number": serial, **PLATE}).raise_for_status().json()["id"]
    opened(page)
    alerts = page.locator(".dashboard-alerts [data-alert]", has_text=serial)
    expect(alerts).to_have_count(0)
    without_reload(page)
    say(serial, current_temperature=75)
    expect(alerts).to_have_count(1)
    expect(alerts).to_contain_text("Critical")
    expect(figure(page, "Unresolved alerts")).not_to_have_text("1")
    assert violations(page) == []
    with _api(demo) as api:
        (alert,) = api.get("/api/alerts/", params={"search": serial}).json()["results"]
        api.delete(f"/api/alerts/{alert['id']}/").raise_for_status()
    expect(alerts).to_have_count(0)
    with _api(demo) as api:
        api.delete(f"/api/batteries/{battery}/").raise_for_status()
    expect(row(page, serial)).to_have_count(0)
    assert still_there(page)


def test_the_table_follows_the_fleet_but_moves_no_row_under_a_pointer(page: Page, demo: Server) -> None:
    serial = f"NEW-{secrets.token_hex(3)}"
    opened(page)
    without_reload(page)
    number = page.locator("#figures .tile dd").first
    before = int(number.inner_text())
    page.locator("#batteries tbody tr").first.hover()
    with _api(demo) as api:
        battery = api.post("/api/batteries/", json={"serial_number": serial, **PLATE}).raise_for_status().json()["id"]
        expect(number).to_have_text(str(before + 1))  # all else goes on
        expect(row(page, serial)).to_have_count(0)
        page.get_by_role("heading", name="Battery dashboard").hover()
        expect(row(page, serial)).to_have_count(1)
        api.delete(f"/api/batteries/{battery}/").raise_for_status()
    expect(row(page, serial)).to_have_count(0)
    assert still_there(page)


def test_the_order_of_the_table_becomes_true_again(page: Page, say: Callable[..., int]) -> None:
    say("BAT-001", current_charge=10)
    say("BAT-002", current_charge=20)
    opened(page, "/dashboard/?sort=current_charge")
    without_reload(page)
    rows = page.locator("#batteries tbody tr")
    say("BAT-001", current_charge=90)
    expect(cell(page, "BAT-001", "current_charge")).to_have_text("90")
    expect(rows.first).to_contain_text("BAT-002")
    assert still_there(page)


def test_what_the_address_says_stays_while_one_looks_on(page: Page, say: Callable[..., int]) -> None:
    opened(page)
    without_reload(page)
    page.get_by_role("link", name="Health %").click()
    expect(page).to_have_url(re.compile(r"\?sort=health_percentage$"))
    expect(page.locator("#batteries [aria-sort=ascending]")).to_contain_text("Health")
    page.get_by_label("Search batteries").fill("BAT")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?sort=health_percentage&search=BAT$"))
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)
    page.get_by_label("Freshness").select_option("now")
    expect(page).to_have_url(re.compile(r"fresh=now"))
    assert still_there(page)
    say("BAT-002", current_charge=33)
    page.get_by_role("button", name="Refresh").click()
    expect(cell(page, "BAT-002", "current_charge")).to_have_text("33")
    expect(page).to_have_url(re.compile(r"fresh=now"))  # a refresh is none of one's steps
    say("BAT-002", current_charge=34)
    expect(cell(page, "BAT-002", "current_charge")).to_have_text("34")  # what was swapped in is patched, too
    page.reload()
    expect(page.get_by_label("Search batteries")).to_have_value("BAT")
    expect(page.get_by_label("Freshness")).to_have_value("now")
    page.get_by_role("link", name="Clear").click()
    expect(page).to_have_url(re.compile(r"/dashboard/$"))
    expect(page.locator("#batteries tbody tr")).not_to_have_count(0)


def test_a_pause_holds_the_page_still(page: Page, say: Callable[..., int]) -> None:
    say("BAT-001", current_charge=40)
    log_in(page)
    with page.expect_websocket(lambda socket: "/ws/dashboard/" in socket.url) as socket:
        page.goto("/dashboard/")
    live(page)
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    with socket.value.expect_event("framereceived", lambda frame: '"current_charge":41' in str(frame)):
        say("BAT-001", current_charge=41)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(cell(page, "BAT-001", "current_charge")).to_have_text("40")
    page.get_by_role("button", name="Paused").click()
    live(page)
    expect(cell(page, "BAT-001", "current_charge")).to_have_text("41")


def test_while_the_server_is_away_the_page_says_so_and_afterwards_it_is_right(
    page: Page, demo: Server, say: Callable[..., int], complaints: list[str]
) -> None:
    say("BAT-001", current_charge=20)
    opened(page)
    without_reload(page)
    before = page.get_by_role("button", name="Live").bounding_box()
    demo.stop()
    try:
        away = page.get_by_role("button", name="Every 30 s")
        expect(away).to_be_visible()
        assert away.bounding_box() == before  # nothing jumps
        assert violations(page) == []
    finally:
        demo.start()
    say("BAT-001", current_charge=22)  # before the page is back
    live(page)
    expect(cell(page, "BAT-001", "current_charge")).to_have_text("22")
    say("BAT-001", current_charge=23)
    expect(cell(page, "BAT-001", "current_charge")).to_have_text("23")
    assert still_there(page)
    complaints.clear()  # of the connection that was refused


def test_a_slice_leads_to_the_batteries_that_it_counts(page: Page, say: Callable[..., int]) -> None:
    say("BAT-002", current_status="FAULT")
    opened(page)
    names = page.get_by_role("list", name="Batteries by status")
    names.get_by_role("link", name=re.compile("^Fault")).click()
    expect(page).to_have_url(re.compile(r"/batteries/\?current_status=FAULT"))
    expect(page.locator("tbody tr")).to_have_count(1)
    say("BAT-002")
    expect(page.locator("tbody tr")).to_contain_text("Idle")  # the list is live, too


def test_a_batterys_page_is_live_its_charts_too(page: Page, say: Callable[..., int]) -> None:
    battery = say("BAT-001", current_voltage=3.6)
    opened(page, f"/batteries/{battery}/")
    expect(page.locator("[data-charts][data-ready]")).to_be_visible()
    without_reload(page)
    say("BAT-001", current_voltage=3.9, current_status="DISCHARGING")
    tiles = page.locator("dl.tiles")
    expect(tiles.locator('[data-value="current_voltage"]')).to_have_text("3.9")
    expect(tiles.locator('[data-value="current_status"]')).to_have_text("Discharging")
    for told in (r"^Voltage: .* last 3.9 V$", "^Status: last Discharging$"):
        expect(page.get_by_role("img", name=re.compile(told))).to_be_visible()
    expect(page.locator("#rows tbody tr").first).to_contain_text("Discharging")
    assert still_there(page)
    assert fits(page)
    assert violations(page) == []


def test_where_no_battery_is_the_page_says_so(page: Page) -> None:
    log_in(page)
    page.goto("/dashboard/?site=Nowhere")
    expect(page.get_by_role("heading", name="No battery is here")).to_be_visible()
    assert fits(page)
    assert violations(page) == []


@pytest.mark.parametrize("page", [("phone", "dark")], indirect=True, ids="-".join)
def test_on_a_phone_the_charts_are_swiped_and_stay_where_one_has_swiped_them(
    page: Page, say: Callable[..., int]
) -> None:
    opened(page)
    strip = page.get_by_role("group", name="Charts")
    assert fits(page)
    assert strip.evaluate("one => one.offsetHeight < innerHeight / 2")
    strip.evaluate("one => one.scrollTo(one.scrollWidth, 0)")
    swiped = strip.evaluate("one => one.scrollLeft")
    assert swiped > page.evaluate("innerWidth")
    page.locator("#figures").evaluate("one => (one.dataset.before = '')")
    say("BAT-001", current_charge=65)
    expect(page.locator("#figures[data-before]")).to_have_count(0)
    assert strip.evaluate("one => one.scrollLeft") == swiped
    assert violations(page) == []


def call(page: Page, battery: int, name: str) -> None:
    """Have a person give the battery that name, and a site of it."""
    page.goto(f"/batteries/{battery}/")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("textbox", name="Site").fill(name)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_name_and_a_site_of_two_hundred_characters_widen_nothing(page: Page, fresh: tuple[int, str]) -> None:
    (battery, _), long = fresh, "N" * 200
    log_in(page)
    call(page, battery, long)
    assert fits(page)
    for path in ("/dashboard/", "/batteries/"):
        page.goto(path)
        assert fits(page)
        name = page.locator(f'tr[data-asset="{battery}"] th')
        expect(name).to_have_attribute("title", long)
        width, height = name.evaluate("one => [one.offsetWidth, one.offsetHeight]")
        assert width < 400
        assert height < 150


def test_charge_and_health_are_seen_without_scrolling_beside_a_long_name(
    page: Page, fresh: tuple[int, str], say: Callable[..., int]
) -> None:
    battery, serial = fresh
    say(serial, current_charge=61.25)
    log_in(page)
    call(page, battery, "N" * 200)
    page.goto("/dashboard/")
    box = page.locator("#batteries .table-scroll")
    assert box.evaluate("one => one.scrollWidth <= one.clientWidth")
    for name in ("current_status", "current_charge", "health_percentage"):
        value = f'#batteries [data-asset="{battery}"] [data-value="{name}"]'
        expect(page.locator(value)).to_be_visible()
        assert page.evaluate(UNCOVERED, value)
