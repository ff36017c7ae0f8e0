"""A manager looks through the month that is over, downloads its report and freezes it; an admin unfreezes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import fits, log_in, violations
from tests.support.meter_history import history_make
from tests.support.servers import Server, demo_make, serving

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("reports") / "home"
    key = demo_make(home)
    history_make(home)
    with serving(home, key=key) as server:
        yield server


def last_month(page: Page) -> None:
    page.goto("/reports/")
    page.get_by_role("link", name="Previous").click()


def test_last_months_report_is_looked_through_and_downloaded(page: Page) -> None:
    log_in(page)
    last_month(page)
    rows = page.get_by_role("region", name="Report of").get_by_role("row")
    expect(rows.filter(has_text="00000003")).to_contain_text("no time of its own")
    page.get_by_role("link", name="With an error").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("permanent error")
    page.get_by_label("All values").check()
    expect(rows.filter(has_text="Energy (kWh), tariff 1")).to_have_count(1)
    assert fits(page)
    assert violations(page) == []
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert started.value.suggested_filename.endswith("_report.csv")
    lines = list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text())))
    assert [(line["Device ID"], line["Newest Value"]) for line in lines] == [("00000002", "29690"), ("00000002", "7")]
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("Medium").select_option(label="water (7)")
    expect(rows.nth(1)).to_contain_text("29.69")


def test_a_month_is_frozen_by_a_manager_and_unfrozen_by_an_admin(page: Page) -> None:
    log_in(page)
    last_month(page)
    page.get_by_role("button", name="Freeze").click()
    dialog = page.get_by_role("dialog", name="Freeze this month?")
    expect(dialog).to_contain_text("Nothing is deleted.")
    assert violations(page) == []
    dialog.get_by_role("button", name="Freeze it").click()
    expect(page.get_by_text("Frozen by demo-manager")).to_be_visible()
    expect(page.get_by_role("button", name="Unfreeze")).to_have_count(0)
    assert fits(page)
    page.context.clear_cookies()
    log_in(page, name="demo-admin")
    last_month(page)
    page.get_by_role("button", name="Unfreeze").click()
    page.get_by_role("button", name="Unfreeze it").click()
    expect(page.get_by_role("status")).to_contain_text("is not frozen any more")
    expect(page.get_by_role("button", name="Freeze", exact=True)).to_be_visible()
