"""Under the Content-Security-Policy the pages that others have made still work: no browser has anything to forbid."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.servers import Server, command, demo_make, serving

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]

ROOT, PASSWORD = "root", "correct-horse-77"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("policy") / "home"
    key = demo_make(home)
    root = ("createsuperuser", "--noinput", "--username", ROOT, "--email", "root@localhost.localdomain")
    command(*root, home=home, DJANGO_SUPERUSER_PASSWORD=PASSWORD).check_returncode()
    with serving(home, key=key) as server:
        yield server


@pytest.fixture
def empty_page(browser: Browser, demo: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=demo.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(empty_page: Page) -> Iterator[Page]:
    """One in which nothing may be forbidden, and no script may fail."""
    complaints: list[str] = []
    empty_page.on("pageerror", lambda error: complaints.append(str(error)))
    empty_page.on("console", lambda said: complaints.append(said.text) if _is_of_policy(said) else None)
    yield empty_page
    assert complaints == []


def _is_of_policy(said: ConsoleMessage) -> bool:
    return "Content Security Policy" in said.text


def test_the_documentation_asks_the_api(page: Page, demo: Server) -> None:
    page.goto("/api/docs/")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_role("textbox").first.fill(f"Api-Key {demo.key}")
    page.get_by_role("button", name="Apply credentials").first.click()
    page.get_by_role("button", name="Close").first.click()
    listed = page.locator("#operations-Vehicle_telemetry-api_v1_vehicle_data_list")
    listed.locator(".opblock-summary-control").click()
    listed.get_by_role("button", name="Try it out").click()
    listed.get_by_role("button", name="Execute").click()
    answer = listed.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer).to_contain_text('"count":')


@pytest.mark.parametrize("model", ["assets/asset", "accounts/user", "accounts/apikey", "vehicle/vehiclestate"])
def test_django_admin_shows_a_list_and_a_form(model: str, page: Page) -> None:
    page.goto(f"/admin/login/?next=/admin/{model}/")
    page.get_by_label("Username").fill(ROOT)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("^(Change|View) "))
    page.wait_for_load_state("networkidle")


def test_a_script_that_has_found_its_way_into_a_page_does_not_run(empty_page: Page) -> None:
    empty_page.goto("/login/")
    with empty_page.expect_console_message(_is_of_policy):
        empty_page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'ran = 1'}))")
    assert empty_page.evaluate("typeof ran") == "undefined"
