"""A route as people write it, and what can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError

from wattkeeper.base.assets.queries import sites_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core.texts import text_trouble
from wattkeeper.flow.notify.models import LONGEST_NAME, NotifyChannel, Route

GROUP_SECONDS_MOST = 3_600
REPEAT_MINUTES_MOST = 7 * 24 * 60
LONGEST_SITE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFields:
    """What people may write of a route. Quiet hours are in the tenant's zone and may go over midnight."""

    channel_id: int
    name: str = ""
    kind: str = ""
    site: str = ""
    least_level: str = Level.WARNING.value
    tells_cleared: bool = True
    group_seconds: int = 30
    repeat_minutes: int = 60
    quiet_from: time | None = None
    quiet_until: time | None = None
    quiet_level: str = Level.CRITICAL.value
    enabled: bool = True


NAMES = tuple(field.name for field in fields(RouteFields))


def fields_of(route: Route) -> RouteFields:
    """What stands in a route."""
    return RouteFields(**{name: getattr(route, name) for name in NAMES})


def route_check(written: RouteFields, *, tenant_id: int, before: RouteFields | None = None) -> None:
    """ValidationError by field where a route of that tenant cannot be so; `before` is what it was."""
    errors: dict[str, Any] = {}
    channels = NotifyChannel.objects.filter(tenant_id=tenant_id, removed_at=None)
    if not channels.filter(pk=written.channel_id).exists():
        errors["channel_id"] = "There is no such channel."
    if written.kind and written.kind not in {kind.name for kind in registry.kinds()}:
        errors["kind"] = f"Say one of {', '.join(kind.name for kind in registry.kinds())}, or nothing."
    # Of a misspelt place nobody would ever be told, and nobody would see why.
    is_new_site = before is None or before.site != written.site
    if written.site and is_new_site and written.site not in sites_of(tenant_id):
        errors["site"] = "Nothing is at a site of that name."
    errors |= _wrong_numbers(written) | _wrong_quiet_hours(written)
    if len(written.name) > LONGEST_NAME:
        errors["name"] = f"At most {LONGEST_NAME} characters."
    for name in ("name", "site"):
        if "\0" in getattr(written, name):
            errors[name] = "Null characters are not allowed."
    if "name" not in errors and written.name and (trouble := text_trouble(written.name)):
        errors["name"] = trouble
    if errors:
        raise ValidationError(errors)


def _wrong_numbers(written: RouteFields) -> dict[str, str]:
    errors = {}
    for name in ("least_level", "quiet_level"):
        if getattr(written, name) not in set(Level):
            errors[name] = f"Say one of {', '.join(Level)}."
    for name, most in (("group_seconds", GROUP_SECONDS_MOST), ("repeat_minutes", REPEAT_MINUTES_MOST)):
        if not 0 <= getattr(written, name) <= most:
            errors[name] = f"From 0 to {most:,}."
    return errors


def _wrong_quiet_hours(written: RouteFields) -> dict[str, str]:
    since, until = written.quiet_from, written.quiet_until
    if odd := {
        name: "Give an hour and a minute, by the tenant's clock: 22:00."
        for name, wall in (("quiet_from", since), ("quiet_until", until))
        if wall is not None and (wall.second or wall.microsecond or wall.tzinfo is not None)
    }:
        return odd
    if (since is None) != (until is None):
        return {"quiet_until" if until is None else "quiet_from": "Quiet hours have a beginning and an end."}
    if since is not None and since == until:
        return {"quiet_until": "Quiet hours end at another time than they begin."}
    return {}
