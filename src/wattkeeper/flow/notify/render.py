"""What a notification says: of each alert one thing, as it is true when it is sent, not when it was gathered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.notify.channels.declared import AlertNews, Message
from wattkeeper.flow.notify.channels.outside import outside
from wattkeeper.flow.notify.channels.wording import is_over, thing_of, type_of
from wattkeeper.flow.notify.heard import Heard, heard_before
from wattkeeper.flow.notify.kept import message_of
from wattkeeper.flow.notify.models import LONGEST_TITLE, NewsItem, Notification, Route
from wattkeeper.flow.notify.routing import ENDINGS, RAISED

REPEATED = "repeated"
NEWS = frozenset({"opened", RAISED})
TEST_TITLE = "Test: messages of Wattkeeper arrive here"

_SEVERITY = {level.value: number for number, level in enumerate(Level)}
_KNOWN = "The channel has heard it by another message already."
_NOTHING_LEFT = "What it would have said was over, or taken care of, before it was sent."
_OVER = "It may not have reached everyone, and what it says is over."
_OVERTAKEN = "It may not have reached everyone, and another message has told since that something of it is over."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """`message` None: there is nothing to say, for the reason `why`.

    `known`: the items of open alerts that the channel has heard of already, and when it last did.
    `is_void`: its way is gone, whatever it has to say. `is_overtaken`: part of it is over, and has been told to be, so
    that what is left of it is to be told by another.
    """

    message: Message | None
    known: Mapping[int, datetime] = field(default_factory=dict)
    why: str = ""
    is_void: bool = False
    is_overtaken: bool = False


def rendered(notification: Notification) -> Rendered:
    """With its channel, route and tenant at hand. What somebody may have already says the same again."""
    if why := _void(notification):
        return Rendered(message=None, why=why, is_void=True)
    if notification.told_at is not None and notification.kept is not None:
        return _again(notification, message_of(notification, notification.kept))
    if notification.route is None:
        return Rendered(message=_message(notification, TEST_TITLE, []))
    known, news = _news(notification, notification.route)
    if not news:
        return Rendered(message=None, known=known, why=_KNOWN if known else _NOTHING_LEFT)
    return Rendered(message=_message(notification, title_of(news), news), known=known)


def _again(notification: Notification, message: Message) -> Rendered:
    """The same, unless that would bring up what has been told as over since."""
    opened = {one.alert_id for one in message.news if not is_over(one)}
    heard = heard_before(notification, opened)
    if any(heard[alert_id].of_its_end for alert_id in opened):
        return Rendered(message=None, why=_OVERTAKEN, is_overtaken=True)
    is_told_of_ends = notification.route is None or notification.route.tells_cleared
    if opened and not is_told_of_ends and not Alert.objects.filter(pk__in=opened, resolved_at=None).exists():
        return Rendered(message=None, why=_OVER)
    return Rendered(message=message)


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


def _news(notification: Notification, route: Route) -> tuple[dict[int, datetime], Sequence[AlertNews]]:
    items: dict[int, list[NewsItem]] = defaultdict(list)
    for item in notification.items.select_related("alert__asset", "transition").order_by("pk"):
        items[item.alert_id].append(item)
    heard = heard_before(notification, items)
    known: dict[int, datetime] = {}
    said: list[tuple[Alert, str]] = []
    for alert_id, of_alert in items.items():
        alert, before = of_alert[0].alert, heard[alert_id]
        if what := _what(alert, of_alert, before, route):
            said.append((alert, what))
        elif before.open_at is not None and not alert.is_resolved:
            known[of_alert[-1].pk] = before.open_at
    return known, _ordered(said)


def _what(alert: Alert, items: Sequence[NewsItem], heard: Heard, route: Route) -> str:
    """What is to be said of the alert; nothing where nobody has heard of it and nobody needs to."""
    if alert.is_resolved:
        if not (route.tells_cleared and heard.may_know) or heard.of_its_end:
            return ""
        return "resolved" if alert.cleared_at is None else "cleared"
    if alert.shelved_until is not None or alert.acknowledged_at is not None:
        return ""  # nobody needs to be told of what somebody has
    openings = [item for item in items if item.transition is None or item.transition.kind not in ENDINGS]
    what = next((word for item in reversed(openings) if (word := _word(item, heard, route))), "")
    return "opened" if what in NEWS else what


def _word(item: NewsItem, heard: Heard, route: Route) -> str:
    """What the item has to say to a channel that has heard so much; what is told again to who has not heard of it is
    new to them. Nothing where it knows, or is not due to hear it again: another message was quicker."""
    if item.transition is not None and not heard.knows(item):
        return item.transition.kind
    pause = timedelta(minutes=route.repeat_minutes)
    is_due = heard.open_at is None or (pause and heard.open_at + pause <= clock.now())
    return REPEATED if item.repeat and is_due else ""


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
