"""What a notification says: of each alert one thing, as it is true when it is sent, not when it was gathered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.notify.channels.declared import AlertNews, Message
from wattkeeper.flow.notify.channels.outside import outside
from wattkeeper.flow.notify.channels.wording import is_over, thing_of, type_of
from wattkeeper.flow.notify.models import LONGEST_TITLE, NewsItem, Notification, Route
from wattkeeper.flow.notify.routing import ENDINGS, RAISED

REPEATED = "repeated"
NEWS = frozenset({"opened", RAISED})
TEST_TITLE = "Test: messages of Wattkeeper arrive here"

_SEVERITY = {level.value: number for number, level in enumerate(Level)}
_NOTHING_LEFT = "What it would have said was over, or taken care of, before it was sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """`message` None: there is nothing to say, for the reason `why`. `told`: what each item is told as, by its id.

    `is_void`: its way is gone, whatever it has to say.
    """

    message: Message | None
    told: Mapping[int, str] = field(default_factory=dict)
    why: str = ""
    is_void: bool = False


def rendered(notification: Notification) -> Rendered:
    """With its channel, route and tenant at hand."""
    if why := _void(notification):
        return Rendered(message=None, why=why, is_void=True)
    if notification.route is None:
        return Rendered(message=_message(notification, TEST_TITLE, []))
    told, news = _news(notification, notification.route)
    if not news:
        return Rendered(message=None, why=_NOTHING_LEFT)
    return Rendered(message=_message(notification, title_of(news), news), told=told)


def title_of(news: Sequence[AlertNews]) -> str:
    """`CRITICAL: Over temperature of BAT-1`; of several `3 CRITICAL, 129 WARNING new; 1 cleared at Hall 2`."""
    first = news[0]
    if len(news) == 1:
        head = first.what.capitalize() if is_over(first) else first.level
        again = " is still open" if first.what in (REPEATED, "announced") else ""
        return f"{head}: {type_of(first)} of {thing_of(first)}{again}"[:LONGEST_TITLE]
    words = {"opened": "new", "announced": "still open", REPEATED: "still open"}
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in news:
        parts[words.get(one.what, one.what)][one.level] += 1
    said = "; ".join(f"{_counted(levels, is_over=word in ENDINGS)} {word}" for word, levels in parts.items())
    sites = {one.site for one in news}
    place = f" at {first.site}" if len(sites) == 1 and first.site else ""
    return f"{said}{place}"[:LONGEST_TITLE]


def _counted(levels: Counter[str], *, is_over: bool) -> str:
    """`3 CRITICAL, 129 WARNING`, the worst first; of what is over how many there are."""
    if is_over:
        return str(levels.total())
    worst_first = sorted(levels.items(), key=lambda one: -_SEVERITY[one[0]])
    return ", ".join(f"{count} {level}" for level, count in worst_first)


def _void(notification: Notification) -> str:
    channel, route = notification.channel, notification.route
    if channel.removed_at is not None:
        return "Its channel has been removed."
    if route is None:
        return "" if notification.is_test else "Nobody wants it."
    if route.removed_at is not None or not route.enabled:
        return "Its route has been removed or switched off."
    if route.channel_id != channel.pk:
        return "Its route leads to another channel now."
    return "" if channel.enabled else "Its channel is switched off."


def _news(notification: Notification, route: Route) -> tuple[dict[int, str], list[AlertNews]]:
    items: dict[int, list[NewsItem]] = defaultdict(list)
    for item in notification.items.select_related("alert__asset", "transition").order_by("pk"):
        items[item.alert_id].append(item)
    before = _told_before(notification, route, items)
    told: dict[int, str] = {}
    said: list[tuple[Alert, str]] = []
    for alert_id, of_alert in items.items():
        alert = of_alert[0].alert
        what = _what(alert, of_alert, before[alert_id], route, is_retry=notification.attempts > 1)
        if what:
            told.update({item.pk: what for item in of_alert})
            said.append((alert, what))
    return told, _ordered(said)


def _what(alert: Alert, items: Sequence[NewsItem], before: set[str], route: Route, *, is_retry: bool) -> str:
    """What is to be said of the alert; nothing where nobody has heard of it and nobody needs to."""
    has_heard = bool(before - ENDINGS)
    kinds = [_kind(item, has_heard=has_heard) for item in items]
    openings = [kind for kind in kinds if kind not in ENDINGS]
    if alert.is_resolved:
        # An attempt before this one may have arrived, though nobody said so.
        has_heard = has_heard or (is_retry and bool(openings))
        if not (route.tells_cleared and has_heard) or before & ENDINGS:
            return ""
        return "resolved" if alert.cleared_at is None else "cleared"
    if alert.shelved_until is not None or not openings:
        return ""
    what = openings[-1]
    if alert.acknowledged_at is not None and (what == REPEATED or not is_retry):
        return ""  # nobody needs to be told of what somebody has
    if what in NEWS and has_heard:
        return ""  # by another message, when its level had been raised
    return "opened" if what in NEWS else what


def _kind(item: NewsItem, *, has_heard: bool) -> str:
    """What the item has to say; what is told again to who has not heard of it is new to them."""
    if item.repeat and (has_heard or item.transition is None):
        return REPEATED
    return "" if item.transition is None else item.transition.kind


def _told_before(notification: Notification, route: Route, alert_ids: Iterable[int]) -> Mapping[int, set[str]]:
    """What the route has told of these alerts in other messages."""
    told: dict[int, set[str]] = defaultdict(set)
    others = NewsItem.objects.filter(route=route, alert_id__in=list(alert_ids)).exclude(told_as="")
    for alert_id, told_as in others.exclude(notification=notification).values_list("alert_id", "told_as"):
        told[alert_id].add(told_as)
    return told


def _ordered(said: Sequence[tuple[Alert, str]]) -> list[AlertNews]:
    """The worst that is open first, what is over last."""
    over = [alert.pk for alert, what in said if what in ENDINGS]
    endings = Transition.objects.filter(alert_id__in=over, kind__in=ENDINGS).order_by("pk")
    why = {alert_id: text for alert_id, text in endings.values_list("alert_id", "why") if text}
    news = [_one(alert, what, why.get(alert.pk, alert.message)) for alert, what in said]
    return sorted(news, key=lambda one: (is_over(one), -_SEVERITY[one.level], one.since, one.alert_id))


def _one(alert: Alert, what: str, message: str) -> AlertNews:
    return AlertNews(
        alert_id=alert.pk,
        what=what,
        level=alert.level,
        alert_type=alert.alert_type,
        kind=alert.kind,
        asset_key=alert.asset.key,
        asset_name=alert.asset.name,
        site=alert.asset.site,
        message=message,
        value=alert.value,
        limit=alert.limit,
        since=alert.opened_at,
        address=f"{outside().public_url}/alerts/{alert.pk}/",
    )


def _message(notification: Notification, title: str, news: Sequence[AlertNews]) -> Message:
    return Message(
        event_id=notification.event_id,
        tenant_name=notification.tenant.name,
        at=clock.now(),
        title=title,
        news=news,
        is_test=notification.is_test,
        zone=notification.tenant.time_zone,
        reached=frozenset(notification.reached),
    )
