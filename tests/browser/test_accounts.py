"""An admin adds a person and makes a key; who is added logs in and changes the password."""

from __future__ import annotations

import secrets

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import log_in
from tests.support.servers import API, Server

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]

PASSWORD = "stable-battery-12"


def test_a_person_is_added_and_gives_themself_a_new_password(page: Page, complaints: list[str]) -> None:
    name = f"new-{secrets.token_hex(3)}"
    log_in(page, name="demo-admin")
    page.goto("/people/")
    page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    dialog.get_by_label("Username").fill(name)
    dialog.get_by_label("Password").fill("short")
    dialog.get_by_label("Role").select_option("operator")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_contain_text("too short")  # it is open again, with what is wrong
    complaints.clear()  # of the 422
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(f"{name} is added")
    page.context.clear_cookies()
    log_in(page, PASSWORD, name=name)
    page.goto("/profile/")
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password").fill(f"{PASSWORD}-and-more")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")


def test_a_key_is_made_used_and_revoked(page: Page, demo: Server) -> None:
    name = f"app {secrets.token_hex(3)}"
    log_in(page, name="demo-admin")
    page.goto("/keys/")
    page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog", name="Make a key")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Scope").select_option("read")
    dialog.get_by_role("button", name="Make it").click()
    headers = {"Authorization": f"Api-Key {page.locator('#secret').inner_text()}"}
    assert httpx.get(f"{demo.url}{API}", headers=headers).status_code == 200
    page.get_by_role("button", name=f"Revoke {name}").click()
    page.get_by_role("dialog", name="Revoke this key?").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("is revoked")
    assert httpx.get(f"{demo.url}{API}", headers=headers).status_code == 401
