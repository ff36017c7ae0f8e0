"""What a channel has heard of an alert already: whichever of its routes told it, it hears of one thing once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from wattkeeper.flow.notify.models import NewsItem, Notification, NotificationState
from wattkeeper.flow.notify.routing import ENDINGS, RAISED

_ANNOUNCED = "announced"
_MAY_ARRIVE = (NotificationState.WAITING, NotificationState.SENDING)


@dataclass(slots=True)
class Heard:
    """What a channel has heard of one alert. `open_at`: when it last heard that it is open; None: it has not.

    `routes`: those by which it heard that. `transitions`: what has been told to it.
    """

    open_at: datetime | None = None
    of_its_end: bool = False
    routes: set[int] = field(default_factory=set)
    transitions: set[int] = field(default_factory=set)

    def add(self, item: NewsItem) -> None:
        """This has been told."""
        if item.told_as in ENDINGS:
            self.of_its_end = True
            return
        at = item.notification.finished_at
        self.open_at = max(filter(None, (self.open_at, at)), default=None)
        self.routes.add(item.route_id)
        if item.transition_id is not None:
            self.transitions.add(item.transition_id)

    def knows(self, item: NewsItem) -> bool:
        """Whether it has heard what was new when the item came in."""
        if self.open_at is None or item.transition is None:
            return self.open_at is not None
        if item.transition.kind == _ANNOUNCED:
            return item.transition_id in self.transitions
        if item.transition.kind == RAISED:
            # A message says how bad it is when it is sent.
            return item.route_id in self.routes or self.open_at >= item.transition.at
        return True


def heard_before(notification: Notification, alert_ids: Collection[int]) -> Mapping[int, Heard]:
    """What the notification's channel has heard of these alerts in other messages."""
    heard: dict[int, Heard] = defaultdict(Heard)
    told = NewsItem.objects.filter(notification__channel=notification.channel_id, alert_id__in=alert_ids)
    for item in told.exclude(told_as="").exclude(notification=notification).select_related("notification"):
        heard[item.alert_id].add(item)
    return heard


def has_heard() -> Exists:
    """Of an item, whether the channel that its route leads to has heard that its alert is open."""
    same = NewsItem.objects.filter(notification__channel=OuterRef("route__channel"), alert=OuterRef("alert"))
    return Exists(same.exclude(told_as__in=["", *ENDINGS]))


def told_or_tried(alert_ids: Collection[int]) -> QuerySet[NewsItem]:
    """What people have heard of these alerts, or may have: an attempt whose answer never came."""
    told = ~Q(told_as="") | Q(notification__attempts__gt=0, notification__state__in=_MAY_ARRIVE)
    return NewsItem.objects.filter(told, alert_id__in=alert_ids)
