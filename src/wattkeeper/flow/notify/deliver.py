"""Takes what is due, sends it, and notes what became of each attempt.

A notification is sent at least once: whoever takes it has it for a lease, and when nobody has noted what became of it
by its end, somebody else sends it again, under the same event id. Through one channel one at a time is sent.

One event id never names two texts that may both have arrived. So what is said is written down before it is sent; when
it is known that nobody has it, it is said anew at the next attempt; else all of them say the same, its news counts as
told from then on, and what has changed since is another message's.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Exists, F, Q, QuerySet
from prometheus_client import Counter as Metric

from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channels.declared import Attempt, ChannelType, Message, Outcome
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.dropping import endings_owe, news_owe
from wattkeeper.flow.notify.joining import news_critical
from wattkeeper.flow.notify.kept import kept_of, message_of
from wattkeeper.flow.notify.models import (
    LONGEST_DETAIL,
    LONGEST_TITLE,
    Delivery,
    Notification,
    NotificationState,
    NotifyChannel,
)
from wattkeeper.flow.notify.render import Rendered, rendered
from wattkeeper.flow.notify.repeat import repeats_begin, repeats_put_off
from wattkeeper.flow.notify.routing import ENDINGS

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)  # renewed while it is at work
# Between two attempts; after the last it has failed. Together almost two hours.
BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600, 1_800, 3_600))
LONGEST_RETRY_AFTER = timedelta(hours=1)  # that anyone can make us wait
# Channels of one tenant that are sent through at once, that the other tenants' have their turn. What is critical goes
# beside them: it waits for no endpoint that hangs.
MOST_OF_TENANT = 8

_LOOKED_AT = 200
_INTERRUPTED = "Whoever was sending it was not heard of any more; it may have arrived."
_NOT_BEGUN = "Whoever was to send it was not heard of any more before it was sent."
_SHORTEST_SECRET = 6
_SHORTEST_PART = 12  # of a URL that may be a token; shorter ones are words, which our own sentences have, too

ATTEMPTS = Metric(
    "wattkeeper_notification_attempts", "Attempts to deliver, by what became of them.", ["type", "outcome"]
)
NOTIFICATIONS = Metric("wattkeeper_notifications", "Notifications that came to an end, by which.", ["state"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A notification that is ours to send, for the `attempt`-th time, until its lease ends."""

    notification_id: int
    channel_id: int
    tenant_id: int
    attempt: int


def claims_take(busy: Mapping[int, int], *, most: int) -> list[Claim]:
    """Take up to so many that are due, one a channel, what is critical first. `busy`: the channels that are being sent
    through, with their tenants; nothing is taken for them."""
    now = clock.now()
    _leases_end(busy, now)
    of_tenant = Counter(busy.values())
    taken: dict[int, Claim] = {}
    full = [tenant_id for tenant_id, count in of_tenant.items() if count >= MOST_OF_TENANT]
    due = (
        Notification.objects.filter(_is_due(now))
        .exclude(channel_id__in=list(busy))
        .annotate(is_critical=Exists(news_critical()))
        .filter(Q(is_critical=True) | ~Q(tenant_id__in=full))
    )
    rested = Q(channel__not_before=None) | Q(channel__not_before__lte=now)
    rows = due.filter(rested).order_by("-is_critical", "due_at", "pk")
    for pk, channel_id, tenant_id, is_critical in rows.values_list("pk", "channel_id", "tenant_id", "is_critical")[
        :_LOOKED_AT
    ]:
        if len(taken) >= most:
            break
        if channel_id in taken or (of_tenant[tenant_id] >= MOST_OF_TENANT and not is_critical):
            continue
        if (claim := _claimed(pk, channel_id, tenant_id, now)) is not None:
            taken[channel_id] = claim
            of_tenant[tenant_id] += 1
    return list(taken.values())


def leases_renew(claims: Iterable[Claim]) -> None:
    """They are still at work."""
    for claim in claims:
        _ours(claim).update(claimed_until=clock.now() + LEASE)


def notification_send(claim: Claim) -> None:
    """Send it, for as long as that takes, and note what became of it. What is not ours any more is not sent."""
    notification = Notification.objects.select_related("channel", "route__tenant", "tenant").get(
        pk=claim.notification_id
    )
    said = rendered(notification)
    if said.message is None:
        _note_dropped(notification, claim, said)
        return
    if not _kept(notification, claim, said.message, said.known):
        return
    channel = notification.channel
    began = time.monotonic()
    attempt = _attempted(channel, said.message)
    took_ms = round(1000 * (time.monotonic() - began))
    ATTEMPTS.labels(channel.type, attempt.outcome.value).inc()
    with transaction.atomic():
        Delivery.objects.create(
            notification=notification,
            outcome=attempt.outcome.value,
            status=attempt.status,
            took_ms=took_ms,
            detail=attempt.detail[:LONGEST_DETAIL],
        )
        _note(notification, claim, said.message, attempt)


def _is_due(now: datetime) -> Q:
    return Q(state__in=[NotificationState.GATHERING, NotificationState.WAITING], due_at__lte=now)


def _leases_end(busy: Mapping[int, int], now: datetime) -> None:
    """What nobody is at work on any more waits again. What this process is still sending, it only renews late."""
    over = Notification.objects.filter(state=NotificationState.SENDING, claimed_until__lte=now)
    for pk in over.exclude(channel_id__in=list(busy)).values_list("pk", flat=True):
        _lease_end(pk, now)


@transaction.atomic
def _lease_end(pk: int, now: datetime) -> None:
    """An attempt without an outcome: it stands in the log, and what it said may have been heard."""
    over = Notification.objects.filter(pk=pk, state=NotificationState.SENDING, claimed_until__lte=now)
    if not over.update(state=NotificationState.WAITING, claimed_until=None):
        return
    # Looked at only now: until a moment ago its sender could still have begun.
    notification = Notification.objects.select_related("channel", "route").get(pk=pk)
    detail = _NOT_BEGUN if notification.kept is None else _INTERRUPTED
    ATTEMPTS.labels(notification.channel.type, Outcome.LATER.value).inc()
    Delivery.objects.create(notification=notification, outcome=Outcome.LATER.value, detail=detail)
    if notification.kept is not None and notification.told_at is None:
        message = message_of(notification, notification.kept)
        Notification.objects.filter(pk=pk).update(told_at=message.at)
        _note_told(notification, message)


@transaction.atomic
def _claimed(pk: int, channel_id: int, tenant_id: int, now: datetime) -> Claim | None:
    # Of several servers one at a time looks whether the channel is free.
    NotifyChannel.objects.select_for_update().get(pk=channel_id)
    if Notification.objects.filter(channel_id=channel_id, state=NotificationState.SENDING).exists():
        return None
    claimed = Notification.objects.filter(_is_due(now), pk=pk).update(
        state=NotificationState.SENDING, attempts=F("attempts") + 1, claimed_until=now + LEASE
    )
    if not claimed:
        return None
    attempt = Notification.objects.values_list("attempts", flat=True).get(pk=pk)
    return Claim(notification_id=pk, channel_id=channel_id, tenant_id=tenant_id, attempt=attempt)


def _ours(claim: Claim) -> QuerySet[Notification]:
    return Notification.objects.filter(
        pk=claim.notification_id, state=NotificationState.SENDING, attempts=claim.attempt
    )


@transaction.atomic
def _kept(notification: Notification, claim: Claim, message: Message, known: Mapping[int, datetime]) -> bool:
    """Whether it is still ours; then what is about to be said is written down, before anybody can have it."""
    if not _ours(claim).update(kept=kept_of(message), title=message.title[:LONGEST_TITLE]):
        return False
    if notification.route is not None:
        repeats_begin(notification.route, known)
    return True


def _attempted(channel: NotifyChannel, message: Message) -> Attempt:
    kind = channel_types().get(channel.type)
    if kind is None:
        return Attempt(outcome=Outcome.REFUSED, detail=f"This server knows no channels of the type {channel.type}.")
    try:
        attempt = kind.send(channel.settings, message)
    except Exception as error:
        # Its words, and the way here, may hold what is secret.
        log.error("A channel of the type %s failed: %s", kind.name, type(error).__name__)
        detail = f"The channel failed: {type(error).__name__}"
        attempt = Attempt(outcome=Outcome.LATER, detail=detail, may_have_arrived=True)
    return replace(attempt, detail=_without_secrets(kind, channel.settings, attempt.detail))


def _without_secrets(kind: ChannelType, settings: Mapping[str, Any], detail: str) -> str:
    """No channel tells what is secret; what the other side says might."""
    for secret in _secrets(kind, settings):
        detail = detail.replace(secret, "***")
    return detail


def _secrets(kind: ChannelType, settings: Mapping[str, Any]) -> Iterator[str]:
    """Each secret, and of a URL all that stands behind its host."""
    for field in kind.fields:
        value = settings.get(field.name)
        if not (field.is_secret and isinstance(value, str)):
            continue
        parts = urlsplit(value)
        behind = [parts.path, parts.query, *parts.path.split("/"), *parts.query.split("&")] if parts.scheme else []
        if len(value) >= _SHORTEST_SECRET:
            yield value
        yield from (text for text in behind if len(text) >= _SHORTEST_PART)


def _note(notification: Notification, claim: Claim, message: Message, attempt: Attempt) -> None:
    """What the attempt makes of the notification, if it is still ours."""
    now = clock.now()
    is_news = notification.told_at is None  # nobody could have it before
    reached = [*notification.reached, *(one for one in attempt.reached if one not in notification.reached)]
    written: dict[str, Any] = {"reached": reached}
    if is_news:
        written |= {"told_at": message.at} if attempt.is_heard else {"kept": None}
    if attempt.outcome is Outcome.DELIVERED:
        state = NotificationState.SENT
        written |= _over(now)
    elif (pause := _pause(notification, claim, attempt)) is not None:
        state = NotificationState.WAITING
        written |= {"due_at": now + pause, "claimed_until": None}
    else:
        state = NotificationState.FAILED
        written |= {"why": attempt.detail[:LONGEST_DETAIL], **_over(now)}
    if attempt.outcome is Outcome.LATER and attempt.retry_after_seconds:
        # They ask it of all that we have for them.
        until = now + _retry_after(attempt)
        NotifyChannel.objects.filter(pk=claim.channel_id).update(not_before=until)
    if not _ours(claim).update(state=state, **written):
        return
    if is_news and attempt.is_heard:
        _note_told(notification, message)
    elif is_news and state is NotificationState.FAILED and notification.route is not None:
        # Where nobody could be told, it is told again when it would have been.
        repeats_begin(notification.route, dict.fromkeys(_still_open(notification, message), now))
    if state is not NotificationState.WAITING:
        NOTIFICATIONS.labels(state.value).inc()


@transaction.atomic
def _note_dropped(notification: Notification, claim: Claim, said: Rendered) -> None:
    if not _ours(claim).update(state=NotificationState.DROPPED, why=said.why, **_over()):
        return
    NOTIFICATIONS.labels(NotificationState.DROPPED.value).inc()
    route = notification.route
    if said.is_void or said.is_overtaken:
        news_owe([claim.notification_id])
    if route is None or said.is_void:
        return
    repeats_begin(route, said.known)
    if said.is_overtaken:
        endings_owe(notification, route)


def _pause(notification: Notification, claim: Claim, attempt: Attempt) -> timedelta | None:
    """How long until the next attempt; None: there is none. Of a test there is one: somebody is waiting for it."""
    if attempt.outcome is Outcome.REFUSED or notification.is_test or claim.attempt > len(BACKOFF):
        return None
    return max(BACKOFF[claim.attempt - 1], _retry_after(attempt))


def _retry_after(attempt: Attempt) -> timedelta:
    return timedelta(seconds=min(attempt.retry_after_seconds or 0.0, LONGEST_RETRY_AFTER.total_seconds()))


def _note_told(notification: Notification, message: Message) -> None:
    """That somebody has heard it, or may have: what was told as what, and when what is open is told again."""
    by_word: dict[str, list[int]] = defaultdict(list)
    for one in message.news:
        by_word[one.what].append(one.alert_id)
    for what, alert_ids in by_word.items():
        notification.items.filter(alert_id__in=alert_ids).update(told_as=what)
    if notification.route is not None:
        still_open = _still_open(notification, message)
        repeats_begin(notification.route, dict.fromkeys(still_open, message.at))
        repeats_put_off(notification.route, still_open, at=message.at)


def _still_open(notification: Notification, message: Message) -> list[int]:
    """The items of what it says is open."""
    alert_ids = [one.alert_id for one in message.news if one.what not in ENDINGS]
    return list(notification.items.filter(alert_id__in=alert_ids).values_list("pk", flat=True))


def _over(now: datetime | None = None) -> dict[str, Any]:
    return {"finished_at": now or clock.now(), "claimed_until": None, "kept": None}
