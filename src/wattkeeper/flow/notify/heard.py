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


@dataclass(slots=True)
class Heard:
    """What a channel has heard of one alert. `open_at`: when it last heard that it is open; None: it has not.

    `perhaps`: it may have heard of it by a message that was given up. `routes`: those by which it heard that it is
    open. `transitions`: what has been told to it.
    """

    open_at: datetime | None = None
    perhaps: bool = False
    of_its_end: bool = False
    routes: set[int] = field(default_factory=set)
    transitions: set[int] = field(default_factory=set)

    def add(self, item: NewsItem) -> None:
        """This has been told."""
        if item.notification.state == NotificationState.DROPPED:
            self.perhaps = True
        elif item.told_as in ENDINGS:
            self.of_its_end = True
        else:
            self._add_open(item)

    def _add_open(self, item: NewsItem) -> None:
        self.open_at = max(filter(None, (self.open_at, item.notification.told_at)), default=None)
        self.routes.add(item.route_id)
        if item.transition_id is not None:
            self.transitions.add(item.transition_id)

    @property
    def may_know(self) -> bool:
        """Whether it has heard of the alert, or may have."""
        return self.open_at is not None or self.perhaps

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
    told = told.exclude(told_as="").exclude(notification=notification)
    for item in told.select_related("notification").defer("notification__kept"):
        heard[item.alert_id].add(item)
    return heard


def has_heard() -> Exists:
    """Of an item, whether the channel that its route leads to has heard that its alert is open."""
    same = NewsItem.objects.filter(notification__channel=OuterRef("route__channel"), alert=OuterRef("alert"))
    told = same.exclude(told_as__in=["", *ENDINGS])
    return Exists(told.exclude(notification__state=NotificationState.DROPPED))


def told_or_tried(alert_ids: Collection[int]) -> QuerySet[NewsItem]:
    """What people have heard of these alerts, or may have; or may have in a moment: it is being sent."""
    told = ~Q(told_as="") | Q(notification__state=NotificationState.SENDING)
    return NewsItem.objects.filter(told, alert_id__in=alert_ids)
