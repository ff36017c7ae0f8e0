"""Where a page hears live of what it shows. The addresses are `views/live`'s, which no page imports."""

from __future__ import annotations

from urllib.parse import urlencode

DASHBOARD, EVERYTHING = "/ws/dashboard/", "/ws/live/"


def live_address(place: str = EVERYTHING, *, kind: str = "", tenant: str = "") -> str:
    """What stands in `data-live`: of one kind or of all; `tenant` is the slug by which one above tenants chose one."""
    asked = {name: text for name, text in (("kind", kind), ("tenant", tenant)) if text}
    return f"{place}?{urlencode(asked)}" if asked else place
