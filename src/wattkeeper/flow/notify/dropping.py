"""What is not sent after all, and what its route still owes to people."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Max, Q

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Transition
from wattkeeper.flow.notify.joining import Item, items_join
from wattkeeper.flow.notify.models import NewsItem, Notification, NotificationState, Route
from wattkeeper.flow.notify.routing import ENDINGS

UNSENT = (NotificationState.GATHERING, NotificationState.WAITING)


def notifications_drop(which: Q, *, why: str) -> None:
    """What is not on its way yet is not sent any more; what it has of open alerts is owed. For a transaction."""
    ids = list(Notification.objects.filter(which, state__in=UNSENT).values_list("pk", flat=True))
    dropped = Notification.objects.filter(pk__in=ids, state__in=UNSENT)
    dropped.update(state=NotificationState.DROPPED, finished_at=clock.now(), kept=None, why=why)
    news_owe(Notification.objects.filter(pk__in=ids, state=NotificationState.DROPPED).values_list("pk", flat=True))


def endings_owe(notification: Notification, route: Route) -> None:
    """What this dropped message told to be over, though perhaps not to everyone, another tells again. For a
    transaction."""
    alert_ids = notification.items.filter(told_as__in=ENDINGS).values("alert")
    endings = Transition.objects.filter(alert__in=alert_ids, kind__in=ENDINGS).select_related("alert")
    last = {ending.alert_id: ending for ending in endings.order_by("pk")}
    told = NewsItem.objects.filter(route=route, transition__in=last.values())
    times = dict(told.values_list("transition").annotate(times=Max("repeat")))
    again = [
        Item(
            alert_id=ending.alert_id,
            transition_id=ending.pk,
            level=Level(ending.alert.level),
            repeat=times.get(ending.pk, 0) + 1,
            is_ending=True,
        )
        for ending in last.values()
    ]
    items_join({route: again})


def news_owe(notification_ids: Collection[int]) -> None:
    """What these dropped messages had of open alerts is due to be told again: as soon as its route is on, wherever it
    leads by then, and however often it repeats. Also what may have arrived: not everyone has it for certain."""
    owed = NewsItem.objects.filter(notification__in=list(notification_ids), alert__resolved_at=None)
    owed = owed.exclude(transition__kind__in=ENDINGS).order_by("pk")
    newest = {(route_id, alert_id): pk for pk, route_id, alert_id in owed.values_list("pk", "route_id", "alert_id")}
    for route_id in {route_id for route_id, _ in newest}:
        alert_ids = [alert_id for owing, alert_id in newest if owing == route_id]
        due = NewsItem.objects.filter(route=route_id, alert__in=alert_ids, repeat_at__isnull=False)
        due.update(repeat_at=None)
    NewsItem.objects.filter(pk__in=newest.values()).update(repeat_at=clock.now())
