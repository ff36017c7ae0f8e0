"""Channels, routes and news for tests of what is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.support.endpoints import Endpoint
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.flow.notify.channels.declared import AlertNews, Attempt, Message
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.deliver import claims_take, notification_send
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import Notification, NotificationState, NotifyChannel, Route
from wattkeeper.flow.notify.repeat import news_repeat

SECRET = "s3cret-s3cret-s3cret"
EVENT = UUID("0191f0c4-0000-7000-8000-000000000001")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def news(**values: Any) -> AlertNews:
    given = {
        "alert_id": 5,
        "what": "opened",
        "level": "CRITICAL",
        "alert_type": "OVER_TEMPERATURE",
        "kind": "battery",
        "asset_key": "BAT-1",
        "asset_name": "",
        "site": "North hall",
        "message": "Temperature 61.2 °C, above 50 °C",
        "value": "61.2 °C",
        "limit": "above 50 °C",
        "since": NOON,
        "address": "https://w.example/alerts/5/",
    }
    return AlertNews(**{**given, **values})


def message(*said: AlertNews, **values: Any) -> Message:
    """With the one of `news` unless others are given."""
    given = {"event_id": EVENT, "tenant_name": "North", "at": NOON, "title": "CRITICAL: Over temperature of BAT-1"}
    return Message(**{**given, "news": said or (news(),), **values})


def send(type_name: str, settings: dict[str, Any], what: Message | None = None) -> Attempt:
    """As the worker does: the settings are those that were checked."""
    kind = channel_types()[type_name]
    return kind.send(kind.check(settings), what or message())


def channel_make(tenant: Tenant, url: str = "http://127.0.0.1:9/", name: str = "Hook", **values: Any) -> NotifyChannel:
    """A webhook to that URL."""
    settings = {"url": url, "secret": SECRET}
    return NotifyChannel.objects.create(tenant=tenant, name=name, **{"type": "webhook", "settings": settings, **values})


def route_make(channel: NotifyChannel, **values: Any) -> Route:
    return Route.objects.create(tenant=channel.tenant, channel=channel, **values)


def work() -> list[str]:
    """What the worker does at one time, in one thread; gives the states of all notifications that there are."""
    transitions_gather()
    news_repeat()
    while claims := claims_take({}, most=10):
        for claim in claims:
            notification_send(claim)
    return states()


def states() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("state", flat=True))


def heard(endpoint: Endpoint) -> list[list[str]]:
    """What each message to it said of its alerts."""
    return [[one["what"] for one in asked.json["news"]] for asked in endpoint.asked]


def waiting() -> Sequence[Notification]:
    return list(
        Notification.objects.filter(state__in=[NotificationState.GATHERING, NotificationState.WAITING]).order_by("pk")
    )
