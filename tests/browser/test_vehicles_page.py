"""A newcomer's first look, in the browser that is installed: a phone's and a desk's width, by day and by night."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import log_in

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]


def test_who_logs_in_sees_the_fleet_and_finds_a_vehicle(page: Page) -> None:
    log_in(page)
    expect(page.get_by_role("heading", name="Vehicles")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(4)  # with the heading's
    expect(page.get_by_role("row", name="VAN-0002")).to_contain_text("ago")
    # What is wide scrolls in its own box, never the page.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("searchbox").fill("0003")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_the_documentation_of_the_api_opens_from_there(page: Page) -> None:
    log_in(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="API").click()
    expect(page.get_by_text("/api/v1/vehicle_data/").first).to_be_visible()


def test_a_wrong_password_is_said_so(page: Page) -> None:
    log_in(page, "guessed")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value("demo-manager")
