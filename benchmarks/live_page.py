"""The dashboard open in a browser while batteries speak: whether it stays smooth, and what its scripts weigh."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.browser import SCRIPT_LIMIT_BYTES, SIZE
from benchmarks.report import Figure
from benchmarks.server import PASSWORD, USER, Server

BATTERIES = 60  # the page shows the first twenty, and is told of all
UPDATES_A_SECOND = 20
SECONDS = 20
SETTLE_MS = 3_000
LATE_MS = 25.0
FRAMES_A_SECOND = 60
LATE_SHARE = 0.05
# Every frame's distance from the one before, and how many cells were painted meanwhile.
MEASURED = """async (seconds) => {
  let painted = 0;
  const seen = new MutationObserver((changes) => (painted += changes.length));
  seen.observe(document.querySelector("#batteries tbody"), { subtree: true, childList: true, characterData: true });
  const gaps = await new Promise((done) => {
    const gaps = [];
    let last = performance.now();
    const end = last + 1000 * seconds;
    const frame = (now) => {
      gaps.push(now - last);
      last = now;
      if (now < end) requestAnimationFrame(frame);
      else done(gaps.slice(1));
    };
    requestAnimationFrame(frame);
  });
  seen.disconnect();
  return { gaps, painted };
}"""
WEIGHED = """() => performance.getEntriesByType("resource")
  .filter((one) => one.name.split("?")[0].endsWith(".js"))
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""


def live_page_figures(server: Server) -> Iterator[Figure]:
    """A fleet of some batteries, of which so many a second tell what they do."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        yield Figure("the dashboard in a browser", "not measured: no Chromium is installed")
        return
    ids = _register(server)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = _opened(browser, server)
        weight = int(page.evaluate(WEIGHED))
        idle = page.evaluate(MEASURED, SECONDS // 4)
        with _speaking(server, ids) as sent:
            page.wait_for_timeout(SETTLE_MS)
            before = len(sent)
            found = page.evaluate(MEASURED, SECONDS)
            rate = (len(sent) - before) / SECONDS
        browser.close()
    yield from _frames(found, idle, rate)
    yield Figure(
        "  scripts of that page, compressed",
        f"{weight / 1e3:.0f} kB",
        "",
        f"{SCRIPT_LIMIT_BYTES / 1e3:.0f} kB",
        0 < weight <= SCRIPT_LIMIT_BYTES,
    )


def _frames(found: dict[str, Any], idle: dict[str, Any], rate: float) -> Iterator[Figure]:
    gaps, resting = found["gaps"], idle["gaps"]
    median, at_rest = 1000 / statistics.median(gaps), 1000 / statistics.median(resting)
    late, late_at_rest = (sum(gap > LATE_MS for gap in some) / len(some) for some in (gaps, resting))
    yield Figure(
        f"the dashboard at {rate:.0f} updates a second, frames a second",
        f"{median:.1f} median, {len(gaps) / (sum(gaps) / 1000):.1f} on average, {found['painted']:,} changes painted",
        f"{at_rest:.1f} at rest",
        str(FRAMES_A_SECOND),
        median >= FRAMES_A_SECOND - 0.5,  # what the screen's clock says of 60 is 59.9 as often as 60
    )
    yield Figure(
        f"  frames later than {LATE_MS:.0f} ms",
        f"{late:.1%}, the latest {max(gaps):.0f} ms",
        f"{late_at_rest:.1%} at rest",
        f"{LATE_SHARE:.0%}",
        late <= LATE_SHARE,
    )


def _register(server: Server) -> list[int]:
    values = {"battery_type": "Li-ion", "capacity": 5000, "voltage_nominal": 3.7}
    with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as client:
        answers = [
            client.post("/api/batteries/", json={"serial_number": f"LIVE-{number:03}", **values})
            for number in range(BATTERIES)
        ]
    return [int(answer.raise_for_status().json()["id"]) for answer in answers]


def _opened(browser: Browser, server: Server) -> Page:
    page = browser.new_context(base_url=server.url, viewport=SIZE).new_page()  # type: ignore[arg-type]
    page.goto("/login/?next=/dashboard/")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()
    page.locator("html[data-live-state=live]").wait_for(state="attached")
    page.wait_for_timeout(SETTLE_MS)
    return page


@contextmanager
def _speaking(server: Server, ids: list[int]) -> Iterator[list[float]]:
    """In the background, evenly; gives when each update was answered."""
    over, sent = threading.Event(), list[float]()
    speaker = threading.Thread(target=_speak, args=(server, ids, over, sent))
    speaker.start()
    try:
        yield sent
    finally:
        over.set()
        speaker.join()


def _speak(server: Server, ids: list[int], over: threading.Event, sent: list[float]) -> None:
    begin, number = time.monotonic(), 0
    with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as client:
        while not over.wait(max(begin + number / UPDATES_A_SECOND - time.monotonic(), 0)):
            said = {
                "current_charge": 40 + number % 50,
                "current_voltage": 3.6 + number % 7 / 100,
                "current_temperature": 20 + number % 11,
                "current_status": ("CHARGING", "DISCHARGING", "IDLE")[number % 3],
            }
            # Mostly of what is on the screen: the others cost the page less.
            battery = ids[number % (20 if number % 4 else len(ids))]
            client.post(f"/api/batteries/{battery}/update_status/", json=said).raise_for_status()
            sent.append(time.monotonic())
            number += 1
