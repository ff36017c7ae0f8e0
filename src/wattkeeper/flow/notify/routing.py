"""Who wants to be told of what, and when: pure, of one route and one thing that has happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from wattkeeper.base.catalog.alerting import Level

OPENINGS = frozenset({"opened", "announced"})
ENDINGS = frozenset({"cleared", "resolved"})
RAISED = "changed"  # of all that people change, the level: who did not want to hear of it may want to now
CRITICAL_GROUP_SECONDS = 30  # at most, that what is critical waits for more of it

_SEVERITY = {level: number for number, level in enumerate(Level)}
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """A route as it is judged by. Empty `kind` and `site`: all. Quiet hours are by the clock on the wall of `zone`."""

    tenant_id: int
    kind: str
    site: str
    least_level: Level
    tells_cleared: bool
    group_seconds: int
    quiet_from: time | None
    quiet_until: time | None
    quiet_level: Level
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What has happened to an alert, and how the alert is now. `what` is a transition's kind."""

    what: str
    tenant_id: int
    kind: str
    site: str
    level: Level
    is_shelved: bool
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When something is to be told. `is_deferred`: it waits for the end of quiet hours."""

    at: datetime
    is_deferred: bool


def wants(route: RouteSpec, happened: Happened, *, opening_told: bool) -> bool:
    """Whether the route tells this. What is over is told only to who has heard of its opening."""
    if happened.tenant_id != route.tenant_id:
        return False
    if happened.what in ENDINGS:
        return route.tells_cleared and opening_told
    if happened.what == RAISED and opening_told:
        return False
    if happened.what not in OPENINGS | {RAISED} or happened.is_shelved or happened.is_over:
        return False
    return (
        route.kind in ("", happened.kind)
        and route.site in ("", happened.site)
        and is_at_least(happened.level, route.least_level)
    )


def is_at_least(level: Level, least: Level) -> bool:
    return _SEVERITY[level] >= _SEVERITY[least]


def due_of(
    route: RouteSpec, level: Level, *, now: datetime, last_critical: datetime | None, is_ending: bool = False
) -> Due:
    """When news of that level is told; `last_critical`: when the route last told something critical.

    What comes within `group_seconds` is one message. The critical does not wait for others, unless the route has just
    told something critical: in a storm, too, there is one message in `group_seconds`, at most CRITICAL_GROUP_SECONDS.
    That something is over is never urgent.
    """
    is_loud = not is_ending and is_at_least(level, route.quiet_level)
    if not is_loud and (end := quiet_end(route, now)) is not None:
        return Due(at=end, is_deferred=True)
    grouped = now + timedelta(seconds=route.group_seconds)
    if is_ending or level is not Level.CRITICAL:
        return Due(at=grouped, is_deferred=False)
    if last_critical is None:
        return Due(at=now, is_deferred=False)
    pause = timedelta(seconds=min(route.group_seconds, CRITICAL_GROUP_SECONDS))
    return Due(at=min(now + pause, max(now, last_critical + pause)), is_deferred=False)


def quiet_end(route: RouteSpec, now: datetime) -> datetime | None:
    """The end of the quiet hours that it is in, to the minute; None outside of them."""
    if not _is_quiet(route, now):
        return None
    # Minute by minute: so an hour that comes twice, or not at all, needs no words of its own.
    moment = now.replace(second=0, microsecond=0)
    while _is_quiet(route, moment):
        moment += _MINUTE
    return moment


def _is_quiet(route: RouteSpec, moment: datetime) -> bool:
    start, end = route.quiet_from, route.quiet_until
    if start is None or end is None or start == end:
        return False
    start, end = _minute(start), _minute(end)
    wall = moment.astimezone(route.zone).time()
    return start <= wall < end if start < end else wall >= start or wall < end


def _minute(wall: time) -> time:
    return wall.replace(second=0, microsecond=0)
