"""An admin adds a channel, sends a test and sees it arrive, and says who is told of what; a manager looks at channels.
The server sends it."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import fits, log_in, violations
from wattkeeper.views.dashboard.route_words import DASH

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]

ARRIVAL_MS = 15_000  # the server's worker looks once a second


def add_mail(page: Page, name: str) -> None:
    """A channel to an address that nobody has: the demo's server prints its mail."""
    page.goto("/notifications/channels/new/?type=email")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Recipients").fill("shift@example.org\nsecond@example.org")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_channel_is_added_tested_and_switched(page: Page) -> None:
    name = f"Shift {secrets.token_hex(3)}"
    log_in(page, name="demo-admin")
    add_mail(page, name)
    page.goto("/notifications/")
    line = page.get_by_role("listitem").filter(has_text=name).filter(has=page.get_by_role("button", name="Send a test"))
    expect(line).to_contain_text("Not tried lately")
    line.get_by_role("button", name="Send a test").click()
    expect(line.locator(".outcome")).to_contain_text("Delivered", timeout=ARRIVAL_MS)
    expect(line.locator(".channel-state")).to_contain_text("Works")
    assert violations(page) == []
    assert fits(page)

    line.get_by_role("button", name="Switch off").click()
    expect(line.get_by_role("button", name="Switch on")).to_be_focused()
    expect(line).to_contain_text("Nobody is told through it")

    line.get_by_role("link", name=name).click()
    expect(page.locator(".attempts")).to_contain_text("Delivered")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog", name="Remove this channel?").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("is removed")
    expect(page.get_by_text(name, exact=True)).to_have_count(0)


def test_a_manager_looks_at_a_channel_and_is_told_whom_to_ask(page: Page) -> None:
    log_in(page, name="demo-manager")
    page.goto("/notifications/")
    expect(page.get_by_text("to change them ask demo-admin")).to_be_visible()
    expect(page.get_by_text("Add a channel")).to_have_count(0)
    assert violations(page) == []
    assert fits(page)
    page.locator(".channel-line").filter(has_text="Shift").first.get_by_role("link").first.click()
    expect(page.get_by_text("To have it changed ask demo-admin")).to_be_visible()
    expect(page.locator("#channel-form")).to_have_count(0)
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)
    expect(page.get_by_role("button", name="Send a test")).to_be_visible()
    assert violations(page) == []
    assert fits(page)


def test_what_does_not_arrive_says_why(page: Page) -> None:
    name = f"Program {secrets.token_hex(3)}"
    log_in(page, name="demo-admin")
    page.goto("/notifications/channels/new/?type=webhook")
    page.get_by_label("Name").fill(name)
    page.get_by_label("URL").fill("http://127.0.0.1:9/hook")  # nobody listens there
    page.get_by_label("Secret").fill("a-secret-that-signs-it")
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator(".outcome")).to_contain_text("Failed", timeout=ARRIVAL_MS)
    expect(page.locator(".channel-state")).to_contain_text("Nothing arrives")
    expect(page.get_by_label("Secret")).to_have_value("")
    page.goto("/notifications/messages/?state=failed")
    expect(page.get_by_role("row").filter(has_text=name).first).to_be_visible()
    assert violations(page) == []
    assert fits(page)


def test_what_is_wrong_is_said_at_once_and_takes_no_secret_away(page: Page, complaints: list[str]) -> None:
    name = f"Program {secrets.token_hex(3)}"
    log_in(page, name="demo-admin")
    page.goto("/notifications/channels/new/?type=webhook")
    # Past the browser's own check of it.
    page.get_by_label("Name").evaluate("it => { it.removeAttribute('maxlength'); it.value = 'n'.repeat(101); }")
    page.get_by_label("URL").fill("http://127.0.0.1:9/hook")
    page.get_by_label("Secret").fill("short")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".problem")).to_have_count(2)
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("URL")).to_have_value("http://127.0.0.1:9/hook")
    expect(page.get_by_label("Secret")).to_have_value("")
    assert "127.0.0.1:9" not in page.locator("#channel-form").inner_html()
    assert violations(page) == []
    assert fits(page)

    page.get_by_label("Secret").fill("a-secret-that-signs-it")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".problem")).to_have_count(1)
    expect(page.get_by_label("Secret")).to_have_value("a-secret-that-signs-it")
    expect(page.get_by_label("Secret")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("status")).to_contain_text("is added")
    complaints.clear()  # of the two answers that say what is wrong


def test_a_route_is_added_changed_and_switched(page: Page) -> None:
    name = f"Shift {secrets.token_hex(3)}"
    log_in(page, name="demo-admin")
    add_mail(page, name)
    page.get_by_role("link", name="Add a route").click()
    expect(page.get_by_label("Through")).to_contain_text(name)
    page.get_by_label("How bad").select_option("ERROR")
    page.get_by_label("Which things").select_option("battery")
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_label("Quiet until").fill("06:00")
    assert violations(page) == []
    page.get_by_role("button", name="Add it").click()
    line = page.locator("#routes li").filter(has_text=name)
    expect(line).to_contain_text("ERROR and above, of batteries")
    expect(line).to_contain_text(f"quiet 22:00{DASH}06:00 except CRITICAL")
    line.get_by_role("button", name="Switch off").click()
    expect(line.get_by_role("button", name="Switch on")).to_be_focused()
    line.get_by_role("link", name="ERROR and above").click()
    page.get_by_label("Minutes before it is told again").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".words")).to_contain_text("once")
    expect(page.get_by_label("Quiet from")).to_have_value("22:00")
    assert fits(page)
