"""A route as one reads it aloud: `WARNING and above, of batteries at Hall 2 → Night shift, together within 30 s`."""

from __future__ import annotations

from datetime import time

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.flow.alerts.wording import duration_text
from wattkeeper.flow.notify.models import Route

ARROW, DASH = "\N{RIGHTWARDS ARROW}", "\N{EN DASH}"
_MINUTES_MOST = 120  # longer ones are read in hours


def which_of(route: Route) -> str:
    """Which alerts it tells of: `WARNING and above, of batteries at Hall 2`."""
    kinds = {kind.name: kind.label_plural.lower() for kind in registry.kinds()}
    of = kinds.get(route.kind, route.kind) if route.kind else "everything"
    return f"{levels_text(route.least_level)}, of {of}{f' at {route.site}' if route.site else ''}"


def how_of(route: Route) -> str:
    """How it tells of them: `together within 30 s, again every 60 min until acknowledged`."""
    together = f"together within {duration_text(route.group_seconds)}" if route.group_seconds else "at once"
    again = f"again every {_minutes(route.repeat_minutes)} until acknowledged" if route.repeat_minutes else "once"
    over = "" if route.tells_cleared else ", not when it is over"
    return f"{together}, {again}{over}{_quiet(route)}"


def sentence_of(route: Route) -> str:
    """All of it in one line."""
    return f"{which_of(route)} {ARROW} {route.channel}, {how_of(route)}"


def levels_text(level: str) -> str:
    """`WARNING and above`."""
    return "CRITICAL alone" if level == Level.CRITICAL else f"{level} and above"


def _quiet(route: Route) -> str:
    if route.quiet_from is None or route.quiet_until is None:
        return ""
    hours = f"{_time(route.quiet_from)}{DASH}{_time(route.quiet_until)}"
    above = "" if route.quiet_level == Level.CRITICAL else " and above"
    return f", quiet {hours} except {route.quiet_level}{above}"


def _time(at: time) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def _minutes(minutes: int) -> str:
    return f"{minutes} min" if minutes <= _MINUTES_MOST else duration_text(60 * minutes)
