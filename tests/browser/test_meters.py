"""Meters: the list that keeps up with what comes, and the page of one with its use and its messages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import log_in
from tests.support.meters import PATH, as_bytes, message
from tests.support.servers import Server, command

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]

NUMBER = 99000001  # of a meter that no demo has
KEY = f"EFE-{NUMBER}-0-4"


@cache
def key_of(home: Path) -> str:
    """The secret of a gateway's key in the demo's tenant."""
    made = command("key", "add", "gateway", "--tenant", "demo", "--scope", "ingest", home=home)
    made.check_returncode()
    return made.stdout.strip()


def sent(server: Server, *, value: int, status: int = 0) -> None:
    """A message of this moment, durable."""
    said = message(at=datetime.now(UTC), value=value, who={"identnr": NUMBER, "status": status})
    headers = {"Authorization": f"Api-Key {key_of(server.home)}", "Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}{PATH}", content=as_bytes(said), headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text


def row(page: Page) -> Locator:
    return page.locator("tbody tr", has_text=KEY)


def opened(page: Page, demo: Server) -> None:
    sent(demo, value=1000)
    log_in(page)
    page.goto(f"/meters/?search={NUMBER}")
    page.get_by_role("link", name=KEY).click()


def test_the_list_follows_what_a_meter_says(page: Page, demo: Server) -> None:
    sent(demo, value=1000)
    log_in(page)
    page.goto(f"/meters/?search={NUMBER}")
    expect(page.locator("[data-live-state=live]")).to_be_attached()
    sent(demo, value=1234567, status=20)
    expect(row(page).locator("[data-value=latest]")).to_have_text("1,234,567 kWh")
    expect(row(page).locator(".badge.warning")).to_have_text(["battery low", "temporary error"])


def test_other_months_are_looked_at_in_place(page: Page, demo: Server) -> None:
    opened(page, demo)
    expect(page.locator("[data-live-state=live]")).to_be_attached()  # until then a link is a plain one
    address = page.url
    use = page.locator("#use")
    use.get_by_role("link", name="Months").click()
    expect(use.get_by_role("link", name="Months")).to_have_attribute("aria-current", "true")
    expect(use.locator(".use-head strong")).to_have_text(str(datetime.now(UTC).year))
    use.get_by_role("link", name="Earlier").click()
    expect(use.locator(".use-head strong")).to_have_text(str(datetime.now(UTC).year - 1))
    assert page.url == address


def test_the_keyboard_stays_on_the_link_that_was_used(page: Page, demo: Server) -> None:
    opened(page, demo)
    expect(page.locator("[data-live-state=live]")).to_be_attached()  # until then a link is a plain one
    use = page.locator("#use")
    for name, label in (("Months", str(datetime.now(UTC).year)), ("Earlier", str(datetime.now(UTC).year - 1))):
        link = use.get_by_role("link", name=name, exact=True)
        link.focus()
        page.keyboard.press("Enter")
        expect(use.locator(".use-head strong")).to_have_text(label)
        expect(link).to_be_focused()
    page.reload()
    expect(use.get_by_role("link", name="Later", exact=True)).not_to_have_attribute("href", re.compile(""))


def test_a_message_unfolds_into_its_records_and_its_text(page: Page, demo: Server) -> None:
    opened(page, demo)
    message_shown = page.locator(".telegram").first
    message_shown.locator("summary").click()
    expect(message_shown.locator("tbody tr").filter(has_text="Energy (kWh)").first).to_contain_text("1,000 kWh")
    expect(message_shown.locator("pre")).to_contain_text(f'"identnr": {NUMBER}')
