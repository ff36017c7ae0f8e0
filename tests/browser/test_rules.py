"""An admin tries a rule, changes it, and switches it off; a viewer reads and tries."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import fits, log_in, violations

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]


def add_rule(page: Page, name: str) -> None:
    """A rule that every vehicle of the demo breaks, saved and switched off."""
    page.goto("/rules/new/?kind=vehicle")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Channel").select_option("soc")
    expect(page.get_by_label("Limit (%)")).to_be_visible()
    page.get_by_label("Limit (%)").fill("1")
    page.get_by_label("Deadband (%)").fill("0.5")
    page.get_by_role("button", name="Save, switched off").click()
    expect(page.get_by_role("status")).to_contain_text("is switched off")


def test_a_rule_is_tried_changed_switched_on_and_off(page: Page) -> None:
    name = f"Rule {secrets.token_hex(3)}"
    log_in(page, name="demo-admin")
    add_rule(page, name)
    tried = page.locator("#trial")
    page.get_by_role("button", name="Try it").click()
    expect(tried).to_contain_text("State of charge above 1 %; clears below 0.5 %")
    expect(tried).to_contain_text("of 3 vehicles")
    page.get_by_label("Limit (%)").fill("100")
    page.get_by_label("In the last").select_option("30")
    page.get_by_role("button", name="Try it").click()
    expect(tried).to_contain_text("0 alerts in the last 30 days")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_label("Limit (%)")).to_have_value("100")

    page.goto(f"/rules/?search={name}")
    row = page.get_by_role("row").filter(has_text=name)
    row.get_by_role("button", name="Switch on").click()
    expect(row.get_by_role("button", name="Switch off")).to_be_focused()
    row.get_by_role("button", name="Switch off").click()
    expect(row).to_contain_text("Off")
    page.reload()
    expect(row).to_contain_text("Off")

    row.get_by_role("link", name=name).click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog", name="Remove this rule?").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("is removed")


def test_a_choice_brings_its_fields_and_keeps_what_was_said(page: Page) -> None:
    log_in(page, name="demo-admin")
    page.goto("/rules/new/?kind=vehicle")
    page.get_by_label("Name").fill("Half said")
    page.get_by_label("Condition").select_option("outside")
    page.get_by_label("From (km/h)").fill("5")
    page.get_by_label("Channel").focus()
    page.get_by_label("Channel").select_option("shift_state")
    expect(page.get_by_label("Limit")).to_have_value("P")
    expect(page.get_by_label("Channel")).to_be_focused()
    page.get_by_label("Condition").select_option("silent")
    expect(page.get_by_label("Limit (s)")).to_have_value("")
    expect(page.get_by_label("Channel")).to_be_hidden()
    expect(page.get_by_label("Condition")).to_have_attribute("hx-get", "/rules/new/?kind=vehicle")
    expect(page.get_by_label("Name")).to_have_value("Half said")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial")).to_contain_text("Limit (s): This field is required.")
    assert violations(page) == []


def test_a_viewer_tries_a_rule_and_goes_to_one_of_its_alerts(page: Page) -> None:
    log_in(page, name="demo-admin")
    name = f"Rule {secrets.token_hex(3)}"
    add_rule(page, name)
    address = page.url
    page.context.clear_cookies()
    log_in(page, name="demo-viewer")
    page.goto(address)
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("button", name="Try it").click()
    link = page.locator("#trial tbody th a").first
    expect(link).to_be_visible()
    assert violations(page) == []
    assert fits(page)
    link.click()
    expect(page.locator("[data-charts][data-ready]")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/vehicles/\d+/\?since=.+&until=.+"))
