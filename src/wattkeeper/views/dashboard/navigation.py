"""What stands in the bar at the side, and who sees it there. One more page is one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.catalog import registry


@dataclass(frozen=True, slots=True)
class Item:
    """`section` is the first word of the page's path: the item is the current one on all pages below it."""

    label: str
    url_name: str
    icon: str
    section: str
    action: Action
    group: str = ""


def items_for(caller: Caller) -> list[Item]:
    """The pages that `caller` may open, in the bar's order."""
    return [item for item in _items() if caller.may(item.action)]


def _items() -> Iterator[Item]:
    yield Item("Overview", "home", "home", "", Action.READ)
    yield Item("Alerts", "alerts", "bell-alert", "alerts", Action.READ)
    for kind in registry.kinds():
        label = kind.label_plural
        yield Item(label, f"assets-{kind.name}", kind.icon, label.lower(), Action.READ)
        if kind.dashboard_url:
            yield _own_page(f"{kind.label} dashboard", kind.dashboard_url, "chart-pie")
        for page in kind.pages:
            yield _own_page(page.label, page.url_name, page.icon)
    yield Item("Rules", "rules", "scale", "rules", Action.READ)
    yield Item("Imports", "imports", "arrow-up-tray", "imports", Action.READ)
    yield Item("Notifications", "notifications", "bell", "notifications", Action.NOTIFY_EDIT, "Admin")
    yield Item("People", "people", "users", "people", Action.OPERATOR_ADD, "Admin")
    yield Item("API keys", "keys", "key", "keys", Action.KEY_MANAGE, "Admin")
    yield Item("Settings", "tenant-settings", "cog-6-tooth", "settings", Action.ACCOUNT_MANAGE, "Admin")


def _own_page(label: str, url_name: str, icon: str) -> Item:
    return Item(label, url_name, icon, reverse(url_name).strip("/").partition("/")[0], Action.READ)
