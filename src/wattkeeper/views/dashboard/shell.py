"""What the shell around every page needs. Templates have it as `shell`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from wattkeeper.base.accounts.callers import Caller, caller_of_user
from wattkeeper.base.accounts.models import User
from wattkeeper.base.accounts.queries import zone_of
from wattkeeper.base.assets.memory import remembered
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.alerts.queries import unresolved_count
from wattkeeper.views.dashboard.navigation import Item, items_for
from wattkeeper.views.dashboard.scope import Scope, scope_of
from wattkeeper.views.dashboard.windows import PARAMETERS as WINDOW_PARAMETERS

THEME_COOKIE = "theme"  # written by theme.js, read here so that no page flashes


class Theme(StrEnum):
    """AUTO follows the system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Shell:
    """One request's. Everything is found when it is first asked for."""

    request: HttpRequest

    @cached_property
    def caller(self) -> Caller | None:
        user = getattr(self.request, "user", None)
        return caller_of_user(user) if isinstance(user, User) else None

    @cached_property
    def items(self) -> list[Item]:
        return items_for(self.caller) if self.caller else []

    @property
    def section(self) -> str:
        """The first word of the path: which item of the bar is the current one."""
        return self.request.path.strip("/").partition("/")[0]

    @cached_property
    def scope(self) -> Scope | None:
        """None where nobody is logged in, or where the address names a scope that is none."""
        if self.caller is None:
            return None
        try:
            return scope_of(self.request, self.caller)
        except BadRequestError:
            return None

    @cached_property
    def open_alerts(self) -> int:
        """How many alerts of the tenant that is looked at are not over; of very many, as it was some seconds ago."""
        if self.scope is None:
            return 0
        tenant_id = self.scope.tenant_id
        return remembered(("open alerts", tenant_id), partial(unresolved_count, tenant_id), size=int)

    @property
    def carried(self) -> dict[str, str]:
        """The parameters that go along from page to page: the scope and the time."""
        window = {name: self.request.GET[name] for name in WINDOW_PARAMETERS if self.request.GET.get(name)}
        return {**(self.scope.parameters if self.scope else {}), **window}

    @property
    def theme(self) -> Theme:
        cookie = self.request.COOKIES.get(THEME_COOKIE, "")
        return Theme(cookie) if cookie in set(Theme) else Theme.AUTO

    @cached_property
    def zone(self) -> ZoneInfo:
        """In which times are shown."""
        return zone_of(self.caller) if self.caller else ZoneInfo("UTC")


def context(request: HttpRequest) -> dict[str, Any]:
    """The context processor."""
    return {"shell": Shell(request)}
