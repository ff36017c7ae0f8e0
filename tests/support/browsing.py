"""A person at a browser."""

from __future__ import annotations

from functools import cache

from playwright.sync_api import Page

from tests.support.machine import repository
from wattkeeper.config.demo.people import PASSWORD

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}
# What a person does is done on a desk by day and on a phone by night; how each page looks is seen to in all four.
BY_TURNS = [("desk", "light"), ("phone", "dark")]
EVERYWHERE = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]

# No screen and no card to draw on, and nothing asked of anyone on a network.
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def log_in(page: Page, password: str = PASSWORD, *, name: str = "demo-manager") -> None:
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():  # until the next page's scripts have run
        page.get_by_role("button", name="Log in").click()


def fits(page: Page) -> bool:
    """Whether what is wide scrolls in its own box, never the page."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands: the rule, and where."""
    page.evaluate(_axe())
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@cache
def _axe() -> str:
    return (repository() / "node_modules/axe-core/axe.min.js").read_text()
