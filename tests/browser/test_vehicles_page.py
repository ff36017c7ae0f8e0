"""A newcomer's first look, in the browser that is installed: a phone's and a desk's width, by day and by night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.support.servers import Server, command, home_make, serving
from wattkeeper.config.demo import PASSWORD

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("browser") / "home"
    key = home_make(home)
    command("demo", "--vehicles", 3, "--days", 1, home=home).check_returncode()
    with serving(home, key=key) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def page(request: pytest.FixtureRequest, browser: Browser, demo: Server) -> Iterator[Page]:
    size, scheme = request.param
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, base_url=demo.url)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if _is_bad(message) else None)
    yield page
    context.close()
    assert complaints == []


def _is_bad(message: ConsoleMessage) -> bool:
    return message.type in {"error", "warning"}


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("demo-manager")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_who_logs_in_sees_the_fleet_and_finds_a_vehicle(page: Page) -> None:
    log_in(page)
    expect(page.get_by_role("heading", name="Vehicles")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(4)  # with the heading's
    expect(page.get_by_role("row", name="VAN-0002")).to_contain_text("ago")
    # What is wide scrolls in its own box, never the page.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("searchbox").fill("0003")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_the_documentation_of_the_api_opens_from_there(page: Page) -> None:
    log_in(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="API").click()
    expect(page.get_by_text("/api/v1/vehicle_data/").first).to_be_visible()


def test_a_wrong_password_is_said_so(page: Page) -> None:
    log_in(page, "guessed")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value("demo-manager")
