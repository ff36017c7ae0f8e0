"""Channels, routes and messages, as people set them and as a worker leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.actions import channel_add, route_add
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.models import (
    Delivery,
    NewsItem,
    Notification,
    NotificationState,
    NotifyChannel,
    Route,
)
from wattkeeper.flow.notify.route_fields import RouteFields

TOKEN, SECRET = "T0KEN-in-the-path", "a-secret-that-signs-it"
HOOK = {"url": f"https://192.0.43.8/hooks/{TOKEN}", "secret": SECRET}
MAIL = {"recipients": ["shift@example.org"]}

Tried = tuple[Outcome, str]


def hook(tenant: Tenant, name: str = "Tickets", **settings: Any) -> NotifyChannel:
    """A webhook, whose address and secret nobody may read again."""
    return channel_add(tenant=tenant, type="webhook", name=name, settings={**HOOK, **settings}, actor="test")


def mail(tenant: Tenant, name: str = "Night shift", **options: Any) -> NotifyChannel:
    return channel_add(tenant=tenant, type="email", name=name, settings=MAIL, actor="test", **options)


def route_make(channel: NotifyChannel, **fields: Any) -> Route:
    return route_add(tenant=channel.tenant, fields=RouteFields(channel_id=channel.pk, **fields), actor="test")


def message_make(
    channel: NotifyChannel,
    state: NotificationState = NotificationState.SENT,
    *tried: Tried,
    at: datetime | None = None,
    alerts: Sequence[Alert] = (),
    route: Route | None = None,
    **values: Any,
) -> Notification:
    """A message with its attempts, a second apart, the first at its own time; of a route where it tells of alerts."""
    at = at or clock.now()
    made = Notification.objects.create(
        tenant=channel.tenant, channel=channel, route=route, state=state, created_at=at, due_at=at, **values
    )
    for number, (outcome, detail) in enumerate(tried):
        Delivery.objects.create(
            notification=made, at=at + timedelta(seconds=number), outcome=outcome, detail=detail, took_ms=12
        )
    for alert in alerts:
        assert route is not None
        NewsItem.objects.create(notification=made, route=route, alert=alert)
    return made
