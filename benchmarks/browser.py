"""The pages in a browser: first paint, the weight of their scripts, whether anything jumps, and a chart's data."""

from __future__ import annotations

import re
import shutil
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from benchmarks.report import Figure
from benchmarks.server import PASSWORD, USER, Server

LOADS = 5
CHARTS = 10
REST_MS = 1_500
PAINT_LIMIT_MS = 1_000
SCRIPT_LIMIT_BYTES = 150_000
CHART_LIMIT_MS = 150
SIZE = {"width": 1440, "height": 900}
# What the browser itself has noted, once the page is at rest.
NOTED = """async () => {
  const noted = (type) => new Promise((done) => {
    new PerformanceObserver((list) => done(list.getEntries())).observe({ type, buffered: true });
    setTimeout(() => done([]), 300);
  });
  const scripts = performance.getEntriesByType("resource").filter((one) => one.name.split("?")[0].endsWith(".js"));
  const series = performance.getEntriesByType("resource").find((one) => one.name.includes("/series/"));
  return {
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    scripts: scripts.reduce((sum, one) => sum + one.encodedBodySize, 0),
    shift: (await noted("layout-shift")).reduce((sum, one) => sum + one.value, 0),
    chart: series ? series.responseEnd - series.requestStart : null,
  };
}"""
# The chart's request of a page at rest, each with a window of its own.
ASKED = """async (minutes) => {
  const place = new URL(document.querySelector("[data-charts]").dataset.series, location.href);
  const since = new Date(place.searchParams.get("initial_timestamp"));
  place.searchParams.set("initial_timestamp", new Date(since.getTime() + minutes * 60000).toISOString());
  const start = performance.now();
  await (await fetch(`${place}&points=1500`)).json();
  return performance.now() - start;
}"""


def browser_figures(server: Server, *, rows: int, start: datetime) -> Iterator[Figure]:
    """Each page by a browser that has nothing in its cache; the slowest, the heaviest of them counts."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        yield Figure("the pages in a browser", "not measured: no Chromium is installed")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        kept = _logged_in(browser, server)
        vehicle = _first_vehicle(browser, server, kept)
        window = f"{vehicle}?since={start:%Y-%m-%dT%H:%M:%SZ}"
        found = {
            name: [_load(browser, server, kept, path) for _ in range(LOADS)]
            for name, path in {
                "the overview": "/",
                "the list": "/vehicles/",
                "imports": "/imports/",
                f"a vehicle with {rows:,} points": window,
            }.items()
        }
        charts = _charts(browser, server, kept, window)
        browser.close()
    yield from _paints(found)
    scripts = max(one["scripts"] for loads in found.values() for one in loads)
    yield Figure(
        "scripts of the heaviest page, compressed",
        f"{scripts / 1e3:.0f} kB",
        "",
        f"{SCRIPT_LIMIT_BYTES / 1e3:.0f} kB",
        0 < scripts < SCRIPT_LIMIT_BYTES,
    )
    shift = max(one["shift"] for loads in found.values() for one in loads)
    yield Figure("layout shift of any page", f"{shift:g}", "", "0", shift == 0)
    median = statistics.median(charts)
    opening = statistics.median(one["chart"] for loads in found.values() for one in loads if one["chart"] is not None)
    yield Figure(
        f"a chart over {rows:,} points, in the browser, from request to data",
        f"{median:.0f} ms median, {max(charts):.0f} ms slowest of {len(charts)}",
        "",
        f"{CHART_LIMIT_MS} ms",
        median < CHART_LIMIT_MS,
    )
    yield Figure("  the same while the browser still opens and paints the page", f"{opening:.0f} ms median")


def _paints(found: dict[str, list[dict[str, Any]]]) -> Iterator[Figure]:
    for name, loads in found.items():
        paint = statistics.median(one["paint"] for one in loads)
        worst = max(one["paint"] for one in loads)
        yield Figure(
            f"first paint: {name}",
            f"{paint:.0f} ms median, {worst:.0f} ms slowest of {LOADS}",
            "",
            f"{PAINT_LIMIT_MS:,} ms",
            paint < PAINT_LIMIT_MS,
        )


def _logged_in(browser: Browser, server: Server) -> Sequence[Any]:
    """The cookies of a session."""
    context = browser.new_context(base_url=server.url)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()
    cookies = context.cookies()
    context.close()
    return cookies


def _fresh(browser: Browser, server: Server, cookies: Sequence[Any]) -> BrowserContext:
    context = browser.new_context(base_url=server.url, viewport=SIZE)  # type: ignore[arg-type]
    context.add_cookies(cookies)
    return context


def _first_vehicle(browser: Browser, server: Server, cookies: Sequence[Any]) -> str:
    context = _fresh(browser, server, cookies)
    page = context.new_page()
    page.goto("/vehicles/")
    address = page.locator("tbody th a").first.get_attribute("href")
    context.close()
    assert address and re.fullmatch(r"/vehicles/\d+/", address)
    return address


def _charts(browser: Browser, server: Server, cookies: Sequence[Any], path: str) -> list[float]:
    """Milliseconds from the request to the parsed data."""
    context = _fresh(browser, server, cookies)
    page = context.new_page()
    page.goto(path)
    page.locator("[data-charts][data-ready]").wait_for()
    page.wait_for_timeout(REST_MS)
    took = []
    for place in range(CHARTS + 1):
        took.append(float(page.evaluate(ASKED, 5 * place)))
        page.wait_for_timeout(REST_MS / 5)
    context.close()
    return took[1:]


def _load(browser: Browser, server: Server, cookies: Sequence[Any], path: str) -> dict[str, Any]:
    context = _fresh(browser, server, cookies)
    page = context.new_page()
    page.goto(path, wait_until="load")
    if page.locator("[data-charts]").count():
        page.locator("[data-charts][data-ready]").wait_for()
    noted: dict[str, Any] = page.evaluate(NOTED)
    context.close()
    return noted
