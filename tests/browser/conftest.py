"""The demo, and the browser that is installed at a phone's and a desk's width, by day and by night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.support.browsing import BY_TURNS, CHROMIUM, PATIENCE_MS, SIZES
from tests.support.servers import Server, demo_make, serving


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("browser") / "home"
    key = demo_make(home)
    with serving(home, key=key) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: Playwright keeps an event loop running, under which Django's tests would not run.
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of. A test that means it to takes those away; any other fails for them."""
    return []


@pytest.fixture(params=BY_TURNS, ids="-".join)
def page(request: pytest.FixtureRequest, browser: Browser, demo: Server, complaints: list[str]) -> Iterator[Page]:
    size, scheme = request.param
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, base_url=demo.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if _is_bad(message) else None)
    yield page
    context.close()
    assert complaints == []


# A request that is given up, because a newer one takes its place (`hx-sync="...:replace"`) or the page is left, is so
# by design; yet htmx logs both of its events as errors. One that failed is `htmx:sendError`, which stays a complaint.
GIVEN_UP = {"htmx:sendAbort", "htmx:afterRequest"}


def _is_bad(message: ConsoleMessage) -> bool:
    what, _, _ = message.text.partition(",")  # htmx names the element behind it
    return message.type in {"error", "warning"} and what not in GIVEN_UP
