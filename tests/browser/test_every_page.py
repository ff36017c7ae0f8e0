"""Every page of the shell: it fits its screen, axe finds nothing wrong with it, and nothing on it jumps."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_meters import sent
from tests.support.browsing import SIZES, fits, log_in, violations_by_day_and_night
from tests.support.servers import Server

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.xdist_group(__name__),
    pytest.mark.parametrize("page", [(size, "light") for size in SIZES], indirect=True, ids=SIZES),
]

# What is looked at, and something to do there first.
PAGES = {
    "overview": "/",
    "alerts": "/alerts/",
    "alerts that are none": "/alerts/?search=nothing+like+it",
    "alerts that are over": "/alerts/?state=over",
    "vehicles": "/vehicles/",
    "vehicles that are none": "/vehicles/?search=nothing",
    "vehicle": "/vehicles/{vehicle}/?window=24h&compare=1",
    "vehicle, nothing there": "/vehicles/{vehicle}/?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z",
    "battery dashboard": "/dashboard/",
    "battery dashboard, nothing there": "/dashboard/?search=nothing",
    "batteries": "/batteries/",
    "battery": "/batteries/{battery}/",
    "reports": "/reports/",
    "meters": "/meters/",
    "meter": "/meters/{meter}/",
    "a meter's use": "/meters/{meter}/consumption/?per=month",
    "a meter's messages": "/meters/{meter}/messages/",
    "what a meter replaces": "/meters/{meter}/replaces/",
    "settings of meters": "/meters/settings/",
    "rules": "/rules/",
    "rules that are none": "/rules/?search=nothing+like+it",
    "rule": "/rules/{rule}/",
    "rule, tried": "/rules/{rule}/try/?days=7",
    "a new rule": "/rules/new/?kind={kind}",
    "a new rule of silence": "/rules/new/?kind={kind}&shape=1&condition=silent",
    "imports": "/imports/",
    "search": "/search/?q=van",
    "notifications": "/notifications/",
    "a new channel": "/notifications/channels/new/?type=sms",
    "what was sent": "/notifications/messages/",
    "people": "/people/",
    "person": "/people/{person}/",
    "keys": "/keys/",
    "settings": "/settings/",
    "profile": "/profile/",
    "components": "/components/",
    "a wrong window": "/vehicles/{vehicle}/?window=soon",
    "nowhere": "/nowhere/",
}
SHIFTS = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(0), 200);
})"""


def test_the_login_is_in_order(page: Page) -> None:
    page.goto("/login/")
    assert violations_by_day_and_night(page) == []
    assert fits(page)


def test_each_page_fits_is_in_order_and_does_not_jump(page: Page, demo: Server, complaints: list[str]) -> None:
    sent(demo, value=1000)
    log_in(page, name="demo-admin")
    ids = {
        "vehicle": _first_id(page, "/vehicles/"),
        "person": _first_id(page, "/people/"),
        "battery": _first_id(page, "/batteries/"),
        "meter": _first_id(page, "/meters/"),
    }
    ids |= {"rule": _first_id(page, "/rules/?kind=vehicle"), "kind": "vehicle"}
    wrong = []
    for name, path in PAGES.items():
        page.goto(path.format(**ids))
        if "{vehicle}/?window=24h" in path or "{battery}" in path or path == "/meters/{meter}/":
            expect(page.locator("[data-charts][data-ready]")).to_be_visible()
        if not fits(page):
            wrong.append(f"{name}: is wider than the screen")
        if shift := page.evaluate(SHIFTS):
            wrong.append(f"{name}: jumps by {shift}")
        wrong += [f"{name}: {one}" for one in violations_by_day_and_night(page)]
        page.emulate_media(color_scheme="light")
    # The two pages that are errors are told so by the browser, too.
    told = [one for one in complaints if "400 (Bad Request)" not in one and "404 (Not Found)" not in one]
    complaints.clear()
    assert wrong + told == []


def test_what_opens_over_a_page_is_in_order(page: Page) -> None:
    log_in(page, name="demo-admin")
    page.goto("/components/")
    page.get_by_role("button", name="Open a dialog").click()
    expect(page.get_by_role("dialog", name="Edit")).to_be_visible()
    assert violations_by_day_and_night(page) == []
    page.keyboard.press("Escape")
    page.locator("summary", has_text="Menu").click()
    page.get_by_role("button", name="One that stays").click()
    expect(page.get_by_role("status")).to_contain_text("This did not work")
    assert violations_by_day_and_night(page) == []
    page.goto("/vehicles/")
    page.locator("summary", has_text="Filters").click()
    assert violations_by_day_and_night(page) == []
    assert fits(page)


def _first_id(page: Page, address: str) -> str:
    page.goto(address)
    place = page.locator("tbody th a").first.get_attribute("href")
    assert place
    return place.strip("/").split("/")[1].split("?")[0]
