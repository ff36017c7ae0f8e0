"""One vehicle's page: its charts over a window that is chosen, dragged over, stepped back from and compared."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import log_in

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]


def opened(page: Page, query: str = "") -> Locator:
    """The charts of a vehicle, drawn."""
    log_in(page)
    page.goto(f"/vehicles/{query}")
    page.get_by_role("link", name="VAN-0001").click()
    return drawn(page)


def drawn(page: Page) -> Locator:
    charts = page.locator("[data-charts][data-ready]")
    expect(charts).to_be_visible()
    return charts


def query_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_each_channel_is_drawn_with_its_unit_and_told_in_words(page: Page) -> None:
    charts = opened(page)
    expect(charts.locator("canvas")).to_have_count(5)
    expect(charts.locator("h3")).to_have_text(["Speed km/h", "Odometer km", "State of charge %", "Elevation m", "Gear"])
    expect(charts.get_by_role("img", name=re.compile(r"State of charge: \d+ to \d+ %, last \d+ %"))).to_be_visible()
    assert page.evaluate(_INK) > 500  # there is a line on the canvas, not only an axis


def test_a_drag_zooms_and_back_steps_out_again(page: Page) -> None:
    charts = opened(page)
    expect(page.locator("[data-back]")).to_be_disabled()
    whole = page.locator("#rows .pages span").first.inner_text()
    charts.locator(".u-over").nth(1).scroll_into_view_if_needed()
    box = charts.locator(".u-over").nth(1).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since=.*until="))
    drawn(page)
    zoomed = page.locator("#rows .pages span").first.inner_text()
    assert _count(zoomed) < _count(whole)
    expect(page.locator("#window")).to_have_count(1)
    page.locator("[data-back]").click()
    expect(page).not_to_have_url(re.compile("since="))
    drawn(page)
    # The day goes on meanwhile: readings come in at its end and leave at its beginning.
    assert _count(page.locator("#rows .pages span").first.inner_text()) > _count(zoomed)


def test_windows_are_chosen_typed_and_stepped_through(page: Page) -> None:
    opened(page)
    page.get_by_role("link", name="6h", exact=True).click()
    expect(page.get_by_role("link", name="6h", exact=True)).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile("window=6h"))
    drawn(page)
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("since="))
    before = query_of(page)
    drawn(page)
    page.keyboard.press("-")
    expect(page).not_to_have_url(re.compile(re.escape(before["since"][:10] + "T" + before["since"][11:13])))
    drawn(page)
    page.locator("#window summary").click()
    page.get_by_label("From").fill("now-3h")
    page.get_by_label("To", exact=True).fill("now-1h")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("since=now-3h"))
    assert query_of(page) == {"since": "now-3h", "until": "now-1h"}
    drawn(page)


def test_the_window_before_is_drawn_beside_it(page: Page) -> None:
    opened(page)
    page.get_by_role("link", name="6h", exact=True).click()
    expect(page.get_by_role("link", name="6h", exact=True)).to_have_attribute("aria-current", "true")
    drawn(page)
    with page.expect_response(lambda answer: "/series/" in answer.url) as first:
        page.get_by_role("link", name="Compare").click()
    assert first.value.ok
    charts = drawn(page)
    expect(page).to_have_url(re.compile("compare=1"))
    assert query_of(page) == {"window": "6h", "compare": "1"}
    expect(page.locator("[data-foot]")).to_contain_text("Dashed: the window before.")
    expect(charts.locator("canvas")).not_to_have_count(0)  # who has slept for six hours has said less


def test_a_pointer_reads_the_same_moment_in_every_chart(page: Page) -> None:
    charts = opened(page)
    charts.locator(".u-over").first.hover()
    reads = charts.locator("[data-read]")
    expect(reads.nth(1)).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"))
    expect(reads.nth(2)).to_contain_text("%")


def test_light_and_dark_draw_the_charts_anew(page: Page) -> None:
    charts = opened(page)
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for scheme in ("light", "dark") if is_dark else ("dark", "light"):
        with page.expect_response(lambda answer: "/series/" in answer.url):
            page.emulate_media(color_scheme=scheme)  # as a system does at dusk
        expect(charts.locator("canvas")).to_have_count(5)
    with page.expect_response(lambda answer: "/series/" in answer.url):
        page.locator("[data-theme-toggle]").click()
    expect(charts.locator("canvas")).to_have_count(5)


def test_a_finger_zooms_too(page: Page) -> None:
    charts = opened(page)
    over = charts.locator(".u-over").first
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    for event, part in (("pointerdown", 0.3), ("pointermove", 0.5), ("pointermove", 0.7), ("pointerup", 0.7)):
        place = {"clientX": box["x"] + box["width"] * part, "clientY": box["y"] + 20}
        over.dispatch_event(event, {"pointerType": "touch", "bubbles": True, **place})
    expect(page).to_have_url(re.compile("since=.*until="))


def test_what_is_shown_is_downloaded(page: Page) -> None:
    opened(page)
    page.locator("summary", has_text="Export this").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "VAN-0001.csv"
    lines = download.value.path().read_text().splitlines()
    assert len(lines) - 1 >= _count(page.locator("#rows .pages span").first.inner_text()) - 5


def test_a_manager_names_a_vehicle(page: Page) -> None:
    opened(page)
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit")
    dialog.get_by_label("Site").fill("Hamburg")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    page.goto("/vehicles/?site=Hamburg")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_charts_that_cannot_be_had_say_so(page: Page, complaints: list[str]) -> None:
    log_in(page)
    page.route(
        "**/series/**", lambda route: route.fulfill(status=503, json={"detail": "There is no memory for this now."})
    )
    page.goto("/vehicles/")
    page.get_by_role("link", name="VAN-0001").click()
    expect(page.locator("#toasts")).to_contain_text("There is no memory for this now.")
    expect(page.locator("[data-wait]").first).to_have_text("Could not be loaded")
    complaints.clear()


# How many pixels of the second chart have the colour of its line.
_INK = """() => {
  const canvas = document.querySelectorAll("[data-charts] canvas")[1];
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let ink = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 200) ink++;
  return ink;
}"""


def _count(text: str) -> int:
    """1-25 of 2,429 rows -> 2429; "No rows" -> 0"""
    found = re.search(r"of ([\d,]+) rows", text)
    return int(found[1].replace(",", "")) if found else 0
