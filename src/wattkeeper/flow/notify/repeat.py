"""Tells again what nobody has taken care of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.heard import has_heard
from wattkeeper.flow.notify.joining import Item, happened_of, items_join, spec_of
from wattkeeper.flow.notify.models import NewsItem, NotificationState, Route
from wattkeeper.flow.notify.routing import ENDINGS, due_of, wants

_AT_ONCE = 1_000
_TRIED = (NotificationState.SENT, NotificationState.FAILED)


def news_repeat() -> int:
    """Have told again what is due for it and still open, neither acknowledged nor shelved; gives how many items."""
    if not _due().exists():
        return 0
    with transaction.atomic():
        return _repeat()


def _due() -> QuerySet[NewsItem]:
    """Who is switched off for a while hears of it when they are on again."""
    is_on = Q(route__enabled=True, route__channel__enabled=True)
    is_gone = Q(route__removed_at__isnull=False) | Q(route__channel__removed_at__isnull=False)
    return NewsItem.objects.filter(is_on | is_gone, repeat_at__lte=clock.now())


def _repeat() -> int:
    going: list[tuple[NewsItem, Item]] = []
    due = list(
        _due()
        .select_related("alert__asset", "notification", "route__channel", "route__tenant")
        .defer("notification__kept")
        .annotate(has_heard=has_heard())
        .order_by("repeat_at", "pk")[:_AT_ONCE]
    )
    for item in due:
        route, alert = item.route, item.alert
        # What was dropped before it was told for certain is owed, also by a route that does not repeat.
        is_told = item.told_as and item.notification.state != NotificationState.DROPPED
        is_owed = not is_told and not (item.repeat and item.has_heard)
        goes_on = needs_care(alert) and _wants(route, alert) and (route.repeat_minutes > 0 or is_owed)
        claimed = NewsItem.objects.filter(pk=item.pk, repeat_at=item.repeat_at).update(repeat_at=None)
        if claimed and goes_on and item.transition_id is not None:
            again = Item(
                alert_id=alert.pk,
                transition_id=item.transition_id,
                level=Level(alert.level),
                repeat=item.repeat + 1,
            )
            going.append((item, again))
    wanted: dict[Route, list[Item]] = defaultdict(list)
    for route, again in _once_a_channel(going):
        wanted[route].append(again)
    items_join(wanted)
    return sum(len(items) for items in wanted.values())


def _once_a_channel(going: Iterable[tuple[NewsItem, Item]]) -> list[tuple[Route, Item]]:
    """Of several routes into one channel the one that tells it first; the others wait for another pause of theirs."""
    now = clock.now()
    dues = [
        (due_of(spec_of(item.route), again.level, now=now, last_critical=None).at, item.pk, item, again)
        for item, again in going
    ]
    chosen: list[tuple[Route, Item]] = []
    first: dict[tuple[int, int], datetime] = {}
    for due, _, item, again in sorted(dues, key=lambda one: one[:2]):
        route, heard_by = item.route, (item.route.channel_id, item.alert_id)
        if heard_by in first and route.repeat_minutes:
            NewsItem.objects.filter(pk=item.pk).update(repeat_at=first[heard_by] + _pause(route))
            continue
        first.setdefault(heard_by, due)
        chosen.append((route, again))
    return chosen


def repeats_begin(route: Route, heard: Mapping[int, datetime]) -> None:
    """Have the route tell again what its channel last heard at these times, by the item. For a transaction."""
    if not route.repeat_minutes:
        return
    now = clock.now()
    newest = dict(NewsItem.objects.filter(pk__in=heard).order_by("pk").values_list("alert_id", "pk"))
    # Each alert has one time at which its route tells it again, whichever message told it last.
    NewsItem.objects.filter(route=route, alert_id__in=newest, repeat_at__isnull=False).update(repeat_at=None)
    by_time: dict[datetime, list[int]] = defaultdict(list)
    for pk in newest.values():
        at = heard[pk] + _pause(route)
        by_time[at if at > now else now + _pause(route)].append(pk)
    for at, pks in by_time.items():
        NewsItem.objects.filter(pk__in=pks).update(repeat_at=at)


def repeats_put_off(route: Route, told: Collection[int], *, at: datetime) -> None:
    """The route has told these items: what else leads to its channel tells them again a pause of its own later."""
    others = NewsItem.objects.filter(
        route__channel=route.channel_id,
        alert__in=NewsItem.objects.filter(pk__in=told).values("alert"),
        repeat_at__isnull=False,
    ).exclude(route=route)
    for other in Route.objects.filter(pk__in=others.values("route"), repeat_minutes__gt=0):
        others.filter(route=other).update(repeat_at=at + _pause(other))


def _pause(route: Route) -> timedelta:
    return timedelta(minutes=route.repeat_minutes)


def _wants(route: Route, alert: Alert) -> bool:
    """Whether the route as it is now would tell it, had it just opened."""
    return _exists(route) and wants(spec_of(route), happened_of("opened", alert), opening_told=False)


def repeats_move(route: Route) -> None:
    """Have the route tell again by the pause that it has now, counted from when it told last. For a transaction."""
    items = NewsItem.objects.filter(route=route, alert__resolved_at=None).annotate(has_heard=has_heard())
    items = items.select_related("notification").defer("notification__kept").order_by("pk")
    last = {item.alert_id: item for item in items}
    moved = [item for item in last.values() if item.told_as not in ENDINGS and _is_through(item, knows=item.has_heard)]
    alert_ids = [item.alert_id for item in moved]
    NewsItem.objects.filter(route=route, alert__in=alert_ids, repeat_at__isnull=False).update(repeat_at=None)
    for item in moved:
        at = item.notification.told_at or item.notification.finished_at
        item.repeat_at = at + _pause(route) if at is not None and route.repeat_minutes else None
    NewsItem.objects.bulk_update(moved, ["repeat_at"], batch_size=_AT_ONCE)


def _is_through(item: NewsItem, *, knows: bool) -> bool:
    """Whether its message has been tried, or had nothing left to say to a channel that knows."""
    state = item.notification.state
    if state == NotificationState.DROPPED:
        return knows
    return state in _TRIED or item.notification.told_at is not None


def needs_care(alert: Alert) -> bool:
    """Whether it is open and nobody has said that they know."""
    return not alert.is_resolved and alert.acknowledged_at is None and alert.shelved_until is None


def _exists(route: Route) -> bool:
    return route.removed_at is None and route.channel.removed_at is None
