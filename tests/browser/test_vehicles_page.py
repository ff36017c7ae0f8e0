"""A newcomer's first look, in the browser that is installed: a phone's and a desk's width, by day and by night."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import fits, log_in

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]


def test_who_logs_in_sees_the_fleet_and_finds_a_vehicle(page: Page) -> None:
    log_in(page)
    page.locator(".tile a").first.click()
    expect(page.get_by_role("heading", name="Vehicles", level=1)).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(4)  # with the heading's
    expect(page.get_by_role("row", name="VAN-0002")).to_contain_text("ago")
    assert fits(page)
    page.get_by_label("Search vehicles").fill("0003")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"\?search=0003$"))  # what is empty stays out of the address


def test_the_list_is_filtered_and_sorted_by_what_is_known_last(page: Page) -> None:
    log_in(page)
    page.goto("/vehicles/")
    page.get_by_role("link", name="State of charge").click()
    charges = [float(text) for text in page.locator("tbody td:nth-of-type(6)").all_inner_texts()]
    assert charges == sorted(charges)
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("State of charge from").fill(str(int(charges[-1])))
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(sum(charge >= int(charges[-1]) for charge in charges))
    expect(page).to_have_url(re.compile("sort=soc"))  # it stays sorted
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_the_documentation_of_the_api_opens_from_there(page: Page) -> None:
    log_in(page)
    if page.get_by_role("button", name="Menu").is_visible():
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("navigation", name="More").get_by_role("link", name="API").click()
    expect(page.get_by_text("/api/v1/vehicle_data/").first).to_be_visible()


def test_a_wrong_password_is_said_so(page: Page) -> None:
    log_in(page, "guessed")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value("demo-manager")
