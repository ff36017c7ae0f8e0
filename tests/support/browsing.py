"""A person at a browser."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from playwright.sync_api import Page

from tests.support.machine import repository
from wattkeeper.config.demo.people import PASSWORD

PATIENCE_MS = 60_000  # for hangs, not for slowness
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# What a person does is done on a desk by day and on a phone by night; how each page looks is seen to in all four.
BY_TURNS = [("desk", "light"), ("phone", "dark")]
EVERYWHERE = [(size, scheme) for size in SIZES for scheme in SCHEMES]

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
    return _violations(page, {})


def violations_by_day_and_night(page: Page) -> list[str]:
    """The same in both schemes of colours; what colours cannot change is asked for in the first only."""
    page.evaluate(_axe())
    first, *others = SCHEMES
    page.emulate_media(color_scheme=first)
    found = _violations(page, {})
    for scheme in others:
        page.emulate_media(color_scheme=scheme)
        found += [
            f"{scheme}: {one}" for one in _violations(page, {"runOnly": {"type": "tag", "values": ["cat.color"]}})
        ]
    return found


def _violations(page: Page, options: dict[str, Any]) -> list[str]:
    options = {"resultTypes": ["violations"], **options}  # it need not describe what is in order
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@cache
def _axe() -> str:
    return (repository() / "node_modules/axe-core/axe.min.js").read_text()
