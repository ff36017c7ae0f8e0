"""How news comes into a notification: into the one of its route that is still gathering, or into a new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.models import NewsItem, Notification, NotificationState, Route
from wattkeeper.flow.notify.routing import CRITICAL_GROUP_SECONDS, ENDINGS, Due, Happened, RouteSpec, due_of

MOST_NEWS = 2_000  # about: what comes when a message has so many is another message

_ROWS_A_STATEMENT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is to be told: a transition of an alert, for the `repeat`-th time again. `is_ending`: that it is over."""

    alert_id: int
    transition_id: int
    level: Level
    repeat: int = 0
    is_ending: bool = False


def spec_of(route: Route) -> RouteSpec:
    """The route, with its tenant at hand, as it is judged by."""
    return RouteSpec(
        tenant_id=route.tenant_id,
        kind=route.kind,
        site=route.site,
        least_level=Level(route.least_level),
        tells_cleared=route.tells_cleared,
        group_seconds=route.group_seconds,
        quiet_from=route.quiet_from,
        quiet_until=route.quiet_until,
        quiet_level=Level(route.quiet_level),
        zone=ZoneInfo(route.tenant.time_zone),
    )


def happened_of(what: str, alert: Alert) -> Happened:
    """What has happened to the alert, with its asset at hand, as a route judges it."""
    return Happened(
        what=what,
        tenant_id=alert.tenant_id,
        kind=alert.kind,
        site=alert.asset.site,
        level=Level(alert.level),
        is_shelved=alert.shelved_until is not None,
        is_over=alert.is_resolved,
    )


def items_join(wanted: Mapping[Route, Sequence[Item]]) -> None:
    """Have each route tell its items, those of one message in one notification. For the caller's transaction."""
    now = clock.now()
    rows: list[NewsItem] = []
    for route, items in wanted.items():
        for due, together in _by_due(route, items, now):
            notification = _joined(route, due) or _made(route, due, now)
            rows += [
                NewsItem(
                    notification=notification,
                    route=route,
                    alert_id=one.alert_id,
                    transition_id=one.transition_id,
                    repeat=one.repeat,
                )
                for one in together
            ]
    # What a route has told already it does not tell again, whatever became of the mark.
    NewsItem.objects.bulk_create(rows, batch_size=_ROWS_A_STATEMENT, ignore_conflicts=True)


def _by_due(route: Route, items: Sequence[Item], now: datetime) -> Iterable[tuple[Due, Sequence[Item]]]:
    """At most two messages: one soon, by the most urgent of its items, and one after the quiet hours."""
    spec, last = spec_of(route), _last_critical(route, now)
    parts: dict[bool, list[tuple[Due, Item]]] = defaultdict(list)
    dues: dict[tuple[Level, bool], Due] = {}
    for one in items:
        kind = (one.level, one.is_ending)
        if kind not in dues:
            dues[kind] = due_of(spec, one.level, now=now, last_critical=last, is_ending=one.is_ending)
        parts[dues[kind].is_deferred].append((dues[kind], one))
    for part in parts.values():
        yield min((due for due, _ in part), key=lambda due: due.at), [one for _, one in part]


def _last_critical(route: Route, now: datetime) -> datetime | None:
    """When the last message with something critical went that nothing can join any more, if that is not long ago."""
    waits = Q(state=NotificationState.WAITING, attempts__gt=0)
    gone = waits | Q(state__in=[NotificationState.SENDING, NotificationState.SENT, NotificationState.FAILED])
    lately = Q(due_at__gt=now - timedelta(seconds=CRITICAL_GROUP_SECONDS))
    told = Notification.objects.filter(gone, lately, Exists(news_critical()), route=route)
    return told.order_by("-pk").values_list("due_at", flat=True).first()


def news_critical() -> QuerySet[NewsItem]:
    """What a message says of critical alerts that are not over."""
    critical = NewsItem.objects.filter(notification=OuterRef("pk"), alert__level=Level.CRITICAL.value)
    return critical.exclude(transition__kind__in=ENDINGS)


def _joined(route: Route, due: Due) -> Notification | None:
    """The one that it can still join. It stays so until the commit: who would send it waits for that."""
    joinable = (
        Q(state=NotificationState.WAITING, attempts=0, due_at=due.at)
        if due.is_deferred
        else Q(state=NotificationState.GATHERING)
    )
    found = Notification.objects.filter(joinable, route=route).order_by("-pk").first()
    if found is None or found.items.count() >= MOST_NEWS:
        return None
    claimed = Notification.objects.filter(joinable, pk=found.pk).update(due_at=min(found.due_at, due.at))
    return found if claimed else None


def _made(route: Route, due: Due, now: datetime) -> Notification:
    return Notification.objects.create(
        tenant_id=route.tenant_id,
        channel_id=route.channel_id,
        route=route,
        state=NotificationState.WAITING if due.is_deferred else NotificationState.GATHERING,
        created_at=now,
        due_at=due.at,
    )
