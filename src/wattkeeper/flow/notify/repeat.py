"""Tells again what nobody has taken care of."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.joining import Item, happened_of, items_join, spec_of
from wattkeeper.flow.notify.models import NewsItem, NotificationState, Route
from wattkeeper.flow.notify.routing import ENDINGS, wants

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
    wanted: dict[Route, list[Item]] = defaultdict(list)
    due = list(
        _due()
        .select_related("alert__asset", "route__channel", "route__tenant")
        .annotate(has_heard=Exists(_told()))
        .order_by("repeat_at", "pk")[:_AT_ONCE]
    )
    for item in due:
        route, alert = item.route, item.alert
        # What was dropped before it was told is owed, also by a route that does not repeat.
        is_owed = not item.told_as and not (item.repeat and item.has_heard)
        goes_on = needs_care(alert) and _wants(route, alert) and (route.repeat_minutes > 0 or is_owed)
        claimed = NewsItem.objects.filter(pk=item.pk, repeat_at=item.repeat_at).update(repeat_at=None)
        if claimed and goes_on and item.transition_id is not None:
            again = Item(
                alert_id=alert.pk,
                transition_id=item.transition_id,
                level=Level(alert.level),
                repeat=item.repeat + 1,
            )
            wanted[route].append(again)
    items_join(wanted)
    return sum(len(items) for items in wanted.values())


def _wants(route: Route, alert: Alert) -> bool:
    """Whether the route as it is now would tell it, had it just opened."""
    return _exists(route) and wants(spec_of(route), happened_of("opened", alert), opening_told=False)


def _told() -> QuerySet[NewsItem]:
    """What an item's route has told of its alert while that was open."""
    same = NewsItem.objects.filter(route=OuterRef("route"), alert=OuterRef("alert"))
    return same.exclude(told_as__in=["", *ENDINGS])


def repeats_move(route: Route) -> None:
    """Have the route tell again by the pause that it has now, counted from when it told last. For a transaction."""
    items = NewsItem.objects.filter(route=route, alert__resolved_at=None)
    last = {item.alert_id: item for item in items.select_related("notification").order_by("pk")}
    pause = timedelta(minutes=route.repeat_minutes)
    moved = [item for item in last.values() if item.notification.state in _TRIED and item.told_as not in ENDINGS]
    alert_ids = [item.alert_id for item in moved]
    NewsItem.objects.filter(route=route, alert__in=alert_ids, repeat_at__isnull=False).update(repeat_at=None)
    for item in moved:
        at = item.notification.finished_at
        item.repeat_at = at + pause if at is not None and pause else None
    NewsItem.objects.bulk_update(moved, ["repeat_at"], batch_size=_AT_ONCE)


def needs_care(alert: Alert) -> bool:
    """Whether it is open and nobody has said that they know."""
    return not alert.is_resolved and alert.acknowledged_at is None and alert.shelved_until is None


def _exists(route: Route) -> bool:
    return route.removed_at is None and route.channel.removed_at is None
