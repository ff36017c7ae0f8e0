"""The words in which news is told, whichever way it goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from wattkeeper.flow.notify.channels.declared import AlertNews

_WHAT: Mapping[str, str] = {
    "opened": "New",
    "announced": "Still open",
    "repeated": "Still open",
    "cleared": "Cleared",
    "resolved": "Resolved",
}
_OVER = frozenset({"cleared", "resolved"})
# Of each level; of what is over. As people know them from traffic.
_COLOURS: Mapping[str, str] = {"INFO": "#1f6feb", "WARNING": "#b7791f", "ERROR": "#c2410c", "CRITICAL": "#b91c1c"}
_COLOUR_OVER = "#15803d"


def what_of(news: AlertNews) -> str:
    """`New`, `Still open`, `Cleared`, `Resolved`."""
    return _WHAT[news.what]


def is_over(news: AlertNews) -> bool:
    return news.what in _OVER


def colour_of(news: AlertNews) -> str:
    """`#b91c1c`: beside a word, never instead of one."""
    return _COLOUR_OVER if is_over(news) else _COLOURS[news.level]


def thing_of(news: AlertNews) -> str:
    """`BAT-1`, `Pump 3 (BAT-1)`."""
    return f"{news.asset_name} ({news.asset_key})" if news.asset_name else news.asset_key


def place_of(news: AlertNews) -> str:
    """`BAT-1, North`: the thing, and its site where it has one."""
    return f"{thing_of(news)}, {news.site}" if news.site else thing_of(news)


def type_of(news: AlertNews) -> str:
    """`Over temperature`."""
    return news.alert_type.replace("_", " ").capitalize()


def line_of(news: AlertNews) -> str:
    """`New: CRITICAL over temperature of BAT-1, North. Temperature 61.2 °C, above 50 °C`."""
    return f"{what_of(news)}: {news.level} {type_of(news).lower()} of {place_of(news)}. {news.message}"


def moment_of(at: datetime, zone: str) -> str:
    """`2026-05-01 14:00 Europe/Berlin`."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


def shortened(text: str, longest: int) -> str:
    """The same, or its beginning with an ellipsis."""
    return text if len(text) <= longest else f"{text[: max(0, longest - 3)].rstrip()}..."[:longest]
