"""What is not sent after all, and what its route still owes to people."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from wattkeeper.base.core import clock
from wattkeeper.flow.notify.models import NewsItem, Notification, NotificationState
from wattkeeper.flow.notify.routing import ENDINGS

UNSENT = (NotificationState.GATHERING, NotificationState.WAITING)


def notifications_drop(which: Q, *, why: str) -> None:
    """What is not on its way yet is not sent any more; what it has of open alerts is owed. For a transaction."""
    ids = list(Notification.objects.filter(which, state__in=UNSENT).values_list("pk", flat=True))
    dropped = Notification.objects.filter(pk__in=ids, state__in=UNSENT)
    dropped.update(state=NotificationState.DROPPED, finished_at=clock.now(), why=why)
    news_owe(Notification.objects.filter(pk__in=ids, state=NotificationState.DROPPED).values_list("pk", flat=True))


def news_owe(notification_ids: Collection[int]) -> None:
    """What these dropped messages had of open alerts is due to be told again: as soon as its route is on, wherever it
    leads by then, and however often it repeats."""
    owed = NewsItem.objects.filter(notification__in=list(notification_ids), told_as="", alert__resolved_at=None)
    owed = owed.exclude(repeat=0, transition__kind__in=ENDINGS).order_by("pk")
    newest = {(route_id, alert_id): pk for pk, route_id, alert_id in owed.values_list("pk", "route_id", "alert_id")}
    for route_id in {route_id for route_id, _ in newest}:
        alert_ids = [alert_id for owing, alert_id in newest if owing == route_id]
        due = NewsItem.objects.filter(route=route_id, alert__in=alert_ids, repeat_at__isnull=False)
        due.update(repeat_at=None)
    NewsItem.objects.filter(pk__in=newest.values()).update(repeat_at=clock.now())
