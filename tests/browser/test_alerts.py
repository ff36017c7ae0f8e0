"""An operator takes care of alerts: one and several, by hand and by key, beside a colleague. A manager ends them."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import EVERYWHERE, fits, log_in, violations
from tests.support.servers import Server
from wattkeeper.views.dashboard.pages.alert_rows import PEOPLE_SHOWN

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]

FRAME = "document.dispatchEvent(new CustomEvent('live:frame', {detail: {type: 'alert_update', alerts: []}}))"
REFETCH = "document.dispatchEvent(new CustomEvent('live:refetch'))"
POST = """async (made) => {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const {results} = await (await fetch("/api/batteries/")).json();
  const ids = [];
  for (const one of made) {
    const body = JSON.stringify({asset: results[0].id, ...one});
    const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
    ids.push((await (await fetch("/api/alerts/", {method: "POST", headers, body})).json()).id);
  }
  return ids;
}"""

SEEN_MS = 700  # a little more than alerts.js gives people to see that rows have moved
RESOLVE = """async (id) => {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  await fetch(`/api/alerts/${id}/resolve/`, {method: "POST", headers: {"X-CSRFToken": token}});
}"""


def post(page: Page, *levels: str) -> tuple[str, Sequence[int]]:
    """Post an alert of each level about a battery; what stands in all of their messages, and their ids."""
    mark = f"mark-{secrets.token_hex(3)}"
    made = [{"alert_type": "FAULT", "alert_level": level, "message": f"{mark} {level}"} for level in levels]
    return mark, page.evaluate(POST, made)


def colleagues(demo: Server, *names: str) -> None:
    """Operators beside the demo's own, without passwords: to make one takes longer than all of this."""
    with closing(sqlite3.connect(demo.home / "wattkeeper.sqlite3", timeout=60)) as database, database:
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(accounts_user)") if name != "id"]
        own = ", ".join("?" if name == "username" else name for name in columns)
        database.executemany(
            f"INSERT INTO accounts_user ({', '.join(columns)}) SELECT {own} FROM accounts_user WHERE username = ?",
            [(name, "demo-operator") for name in names],
        )


def row(page: Page, pk: int) -> Locator:
    return page.locator(f"#alert-{pk}")


def selected(page: Page) -> list[int]:
    return [int(box.input_value()) for box in page.locator("[data-alert-tick]:checked").all()]


def test_one_is_acknowledged_assigned_shelved_and_resolved_in_its_row(page: Page) -> None:
    log_in(page, name="demo-manager")
    mark, (pk,) = post(page, "ERROR")
    page.goto(f"/alerts/?search={mark}")
    one = row(page, pk)
    one.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status").filter(has_text="1 acknowledged.")).to_be_visible()
    expect(one.locator(".alert-side")).to_contain_text("demo-manager")
    expect(one).to_be_focused()
    expect(one.get_by_role("button", name="Acknowledge")).to_have_count(0)
    one.locator("summary", has_text="Assign").click()
    expect(one.locator("[name=assign]").first).to_have_text("To me")
    assert violations(page) == []
    assert fits(page)
    one.get_by_role("button", name="demo-operator").click()
    expect(one.locator(".alert-side")).to_contain_text("demo-operator")
    one.locator("[data-alert-menu=more] summary").click()
    one.get_by_label("Shelve").fill("The depot repairs it")
    assert violations(page) == []
    assert fits(page)
    one.get_by_role("button", name="1 h").click()
    expect(one).to_contain_text("Shelved until")
    one.locator("[data-alert-menu=shelved] summary").click()
    one.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("heading", name="No alert is like that")).to_be_visible()


def test_of_many_people_anyone_is_found_by_name(page: Page, demo: Server) -> None:
    mark = secrets.token_hex(3)
    colleagues(demo, *(f"zoe-{mark}-{number:02}" for number in range(PEOPLE_SHOWN)))
    log_in(page, name="demo-operator")
    text, (pk,) = post(page, "ERROR")
    page.goto(f"/alerts/?search={text}")
    one = row(page, pk)
    one.locator("summary", has_text="Assign").click()
    last = f"zoe-{mark}-{PEOPLE_SHOWN - 1}"
    expect(one.get_by_role("button", name="To me")).to_be_visible()
    expect(one.get_by_role("button", name=last)).to_have_count(0)
    one.get_by_label("Search people").fill(last)
    one.get_by_label("Search people").press("Enter")  # which gives it to nobody
    expect(one.get_by_role("button", name="To me")).to_have_count(0)
    assert violations(page) == []
    one.get_by_role("button", name=last).click()
    expect(one.locator(".alert-side")).to_contain_text(last)
    one.get_by_role("button", name="Acknowledge").click()  # the list goes on as ever
    expect(one.locator(".alert-side")).to_contain_text("demo-operator")


def test_several_are_ticked_and_taken_care_of_at_once(page: Page) -> None:
    log_in(page, name="demo-operator")
    mark, (first, second, third) = post(page, "INFO", "WARNING", "CRITICAL")
    page.goto(f"/alerts/?search={mark}")
    page.locator("#alerts-all").check()
    assert selected(page) == [third, second, first]
    row(page, second).locator("[data-alert-tick]").uncheck()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.locator(".alerts-do summary", has_text="Shelve").click()
    shelve = page.locator(".alerts-do [data-alert-menu=shelve]")
    shelve.get_by_label("Shelve").fill("Too much at once")
    assert violations(page) == []
    shelve.get_by_role("button", name="15 min").click()
    expect(page.get_by_role("status").filter(has_text="2 shelved for 15 min.")).to_be_visible()
    assert selected(page) == []
    expect(row(page, first)).to_contain_text("Shelved until")
    expect(row(page, second)).not_to_contain_text("Shelved until")


def test_keys_move_through_the_list_tick_and_acknowledge(page: Page) -> None:
    log_in(page, name="demo-operator")
    mark, (first, second, third) = post(page, "INFO", "WARNING", "CRITICAL")
    page.goto(f"/alerts/?search={mark}")
    page.keyboard.press("a")
    expect(page.get_by_role("status").filter(has_text="Go to an alert with j and k")).to_be_visible()
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(row(page, third)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(row(page, second)).to_be_focused()
    page.keyboard.press("a")
    expect(row(page, second).get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(row(page, second)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert sorted(selected(page)) == [first, third]
    page.keyboard.press("a")
    expect(page.get_by_role("status").filter(has_text="2 acknowledged.")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard and words")).to_contain_text("Acknowledge what is selected")


def test_the_list_is_fetched_anew_and_leaves_alone_who_is_at_work_in_it(page: Page) -> None:
    log_in(page, name="demo-operator")
    mark, (first, second) = post(page, "INFO", "ERROR")
    page.goto(f"/alerts/?search={mark}")
    row(page, first).locator("[data-alert-tick]").check()
    row(page, second).focus()
    page.evaluate(POST, [{"alert_type": "FAULT", "alert_level": "CRITICAL", "message": f"{mark} came later"}])
    page.evaluate(FRAME)
    expect(page.locator(".alert-message").first).to_have_text(f"{mark} came later")
    news = page.locator("[data-alerts-news]")
    expect(news).to_have_text(re.compile(rf"^New alert\. Critical: .+, {mark} came later$"))
    assert selected(page) == [first]
    expect(row(page, second)).to_be_focused()

    page.wait_for_timeout(SEEN_MS)  # before that a press may be meant for what was there before
    row(page, second).locator("[data-alert-menu=more] summary").click()
    row(page, second).get_by_label("Comment").fill("I am still writing")
    page.evaluate(POST, [{"alert_type": "FAULT", "alert_level": "CRITICAL", "message": f"{mark} came last"}])
    with page.expect_response(re.compile("/alerts/list/")):
        page.evaluate(REFETCH)
        expect(row(page, second).get_by_label("Comment")).to_have_value("I am still writing")
        page.keyboard.press("Escape")
    expect(page.locator(".alert-message").first).to_have_text(f"{mark} came last")
    expect(row(page, second).locator("summary[id$=more]")).to_be_focused()


def test_what_moves_under_the_pointer_is_not_what_is_pressed(page: Page) -> None:
    log_in(page, name="demo-operator")
    mark, (meant,) = post(page, "ERROR")
    page.goto(f"/alerts/?search={mark}")
    button = row(page, meant).get_by_role("button", name="Acknowledge")
    button.hover()
    (came,) = page.evaluate(POST, [{"alert_type": "FAULT", "alert_level": "CRITICAL", "message": f"{mark} x"}])
    expect(page.locator(".alert-message").first).to_have_text(f"{mark} x")
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("status").filter(has_text="The list has just changed.")).to_be_visible()
    for pk in (meant, came):
        expect(row(page, pk).get_by_role("button", name="Acknowledge")).to_have_count(1)
    page.wait_for_timeout(SEEN_MS)
    row(page, meant).get_by_role("button", name="Acknowledge").click()
    expect(row(page, meant)).to_contain_text("demo-operator")
    expect(row(page, came).get_by_role("button", name="Acknowledge")).to_have_count(1)


def test_a_key_is_not_meant_for_the_neighbour_of_what_is_gone(page: Page) -> None:
    log_in(page, name="demo-manager")
    mark, (first, second) = post(page, "ERROR", "WARNING")
    page.goto(f"/alerts/?search={mark}")
    row(page, first).focus()
    page.evaluate(RESOLVE, first)
    expect(row(page, first)).to_have_count(0)
    page.keyboard.press("a")
    expect(page.get_by_role("status").filter(has_text="Go to an alert with j and k")).to_be_visible()
    expect(row(page, second).get_by_role("button", name="Acknowledge")).to_have_count(1)
    page.keyboard.press("j")
    expect(row(page, second)).to_be_focused()


def test_of_two_operators_one_sees_what_the_other_has_done(page: Page) -> None:
    log_in(page, name="demo-operator")
    mark, (pk,) = post(page, "ERROR")
    page.goto(f"/alerts/?search={mark}")
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(base_url=page.url.split("/alerts/")[0]) as context:
        other = context.new_page()
        log_in(other, name="demo-manager")
        other.goto(f"/alerts/?search={mark}")
        row(other, pk).get_by_role("button", name="Acknowledge").click()
        expect(row(other, pk)).to_contain_text("demo-manager")
    page.locator("#alerts-all").check()
    page.evaluate(FRAME)
    expect(row(page, pk)).to_contain_text("demo-manager")
    page.locator("#alerts-acknowledge").click()
    expect(page.get_by_role("status").filter(has_text="1 was already.")).to_be_visible()


def test_without_scripts_alerts_are_taken_care_of_on_their_pages(page: Page) -> None:
    log_in(page, name="demo-operator")
    mark, (pk,) = post(page, "ERROR")
    browser = page.context.browser
    assert browser is not None
    state = json.loads(json.dumps(page.context.storage_state()))
    with browser.new_context(base_url=page.url, java_script_enabled=False, storage_state=state) as context:
        plain = context.new_page()
        plain.goto(f"/alerts/?search={mark}")
        row(plain, pk).get_by_role("button", name="Acknowledge").click()
        expect(plain.get_by_role("status").filter(has_text="1 acknowledged.")).to_be_visible()
        plain.get_by_role("link", name=f"{mark} ERROR").click()
        plain.get_by_label("Comment").fill("By hand")
        plain.get_by_role("button", name="Comment").click()
        expect(plain.get_by_text("By hand")).to_be_visible()


@pytest.mark.parametrize("page", EVERYWHERE, indirect=True, ids="-".join)
def test_the_pages_of_alerts_fit_and_are_in_order(page: Page) -> None:
    log_in(page, name="demo-manager")
    mark, (first, second, third) = post(page, "INFO", "ERROR", "CRITICAL")
    page.goto(f"/alerts/?search={mark}")
    row(page, first).get_by_role("button", name="Acknowledge").click()
    expect(row(page, first).get_by_role("button", name="Acknowledge")).to_have_count(0)
    wrong = []
    for address in (
        f"/alerts/?search={mark}",
        "/alerts/?state=all",
        "/alerts/?search=nothing+like+it",
        f"/alerts/{third}/",
    ):
        page.goto(address)
        if "mark" in address:
            row(page, second).locator("[data-alert-tick]").check()
        wrong += [f"{address}: {one}" for one in violations(page)]
        if not fits(page):
            wrong.append(f"{address}: is wider than the screen")
    page.locator("summary", has_text="Resolve").click()
    wrong += violations(page)
    assert wrong == []
