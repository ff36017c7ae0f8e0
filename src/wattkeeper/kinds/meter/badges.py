"""How pages show what a meter's status byte says, and its medium."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.kinds.meter.codes import status
from wattkeeper.kinds.meter.wording import OK
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge

STATUS_BADGES: Mapping[str, StateBadge] = {
    OK: StateBadge("ok", Level.QUIET, "check-circle"),
    "busy": StateBadge("busy", Level.INFO, "clock"),
    "application error": StateBadge("application error", Level.ERROR, "exclamation-circle"),
    "alarm": StateBadge("alarm", Level.CRITICAL, "bell-alert"),
    "power low": StateBadge("battery low", Level.WARNING, "battery-50"),
    "permanent error": StateBadge("permanent error", Level.ERROR, "x-circle"),
    "temporary error": StateBadge("temporary error", Level.WARNING, "exclamation-triangle"),
    **{
        word: StateBadge(word, Level.INFO, "wrench-screwdriver")
        for own in range(0x20, 0x100, 0x20)
        for word in status.meanings_of(own)
    },
}
STATUS = "status_words"
BADGES = {STATUS: STATUS_BADGES}

_MEDIUM_ICONS = {
    "electricity": "bolt",
    "gas": "fire",
    "heat": "fire",
    "steam": "fire",
    "cool": "sun",
    "water": "beaker",
    "air": "signal",
    "smoke": "bell-alert",
    "room": "home",
    "radio": "wifi",
}


def medium_icon(words: str) -> str:
    """The icon of a medium, by its words."""
    return next((icon for part, icon in _MEDIUM_ICONS.items() if part in words.lower()), "calculator")
