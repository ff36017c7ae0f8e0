"""A person at a browser."""

from __future__ import annotations

from playwright.sync_api import Page

from wattkeeper.config.demo import PASSWORD

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}
EVERYWHERE = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]


def log_in(page: Page, password: str = PASSWORD, *, name: str = "demo-manager") -> None:
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def fits(page: Page) -> bool:
    """Whether what is wide scrolls in its own box, never the page."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
