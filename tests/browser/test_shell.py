"""The shell around the pages: the drawer on a phone, the search, keys, light and dark, what unfolds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import log_in

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]


def is_phone(page: Page) -> bool:
    size = page.viewport_size
    return size is not None and size["width"] < 600


def test_the_bar_leads_everywhere_also_from_a_phones_drawer(page: Page) -> None:
    log_in(page)
    bar = page.get_by_role("navigation", name="Main")
    if is_phone(page):
        expect(bar).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
        expect(bar).to_be_visible()
        page.keyboard.press("Escape")
        expect(bar).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
    bar.get_by_role("link", name="Vehicles").click()
    expect(page.get_by_role("heading", name="Vehicles", level=1)).to_be_visible()
    expect(page.locator(".bar [aria-current=page]")).to_have_text("Vehicles")


def test_a_slash_searches_and_arrows_choose(page: Page) -> None:
    log_in(page)
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search everything")
    expect(field).to_be_focused()
    page.keyboard.type("van-0002")
    expect(page.locator("#found a")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="VAN-0002")).to_be_visible()


def test_escape_folds_what_was_found(page: Page) -> None:
    log_in(page)
    page.get_by_role("searchbox", name="Search everything").fill("nothing such")
    expect(page.locator("#found")).to_contain_text("Nothing is called")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_empty()


def test_light_and_dark_are_chosen_and_kept(page: Page) -> None:
    log_in(page)
    root, button = page.locator("html"), page.locator("[data-theme-toggle]")
    ground = "getComputedStyle(document.body).backgroundColor"
    button.click()
    expect(root).to_have_attribute("data-theme", "light")
    light = page.evaluate(ground)
    button.click()
    expect(root).to_have_attribute("data-theme", "dark")
    assert page.evaluate(ground) != light
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def test_a_question_mark_helps(page: Page) -> None:
    log_in(page)
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard and words")
    expect(help_).to_be_visible()
    expect(help_).to_contain_text("UTC")
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()


def test_everything_is_reached_by_the_tab_key(page: Page) -> None:
    log_in(page)
    page.goto("/vehicles/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))
    assert {"search", "Filters", "VAN-0001"} <= reached


def test_one_leaves_by_ones_menu(page: Page) -> None:
    log_in(page)
    page.locator("summary.person").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
