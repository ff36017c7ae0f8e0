"""What is asked about channels, routes and messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Count, Exists, F, Max, Min, Model, OuterRef, Q, QuerySet

from wattkeeper.base.assets.queries import known_first
from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channel_settings import type_of
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.models import Delivery, NewsItem, Notification, NotifyChannel, Route

LATELY = timedelta(days=30)
# What each list may be ordered by, as the API calls it; `-` before it for descending.
CHANNEL_ORDERINGS = ("name", "type", "enabled", "created_at", "updated_at")
ROUTE_ORDERINGS = ("channel_name", "name", "kind", "site", "enabled", "created_at")
MESSAGE_ORDERINGS = ("created_at", "due_at", "finished_at", "state", "channel_name", "title")
_COLUMNS = {"channel_name": "channel__name"}
_MAY_BE_NULL = frozenset({"finished_at"})

_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """How a channel has been doing lately. `failing_since`: the first attempt since then that did not arrive.

    `failure` says why the newest one of those did not. All None: nothing was sent lately.
    """

    delivered_at: datetime | None = None
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""


def channels_of(tenant_id: int | None, *, search: str = "", ordering: str = "name") -> QuerySet[NotifyChannel]:
    """The channels of a tenant (None: of all) that are not removed.

    `search` stands in the name or the type; `ordering` is one of CHANNEL_ORDERINGS, with a `-` for descending.
    """
    channels = NotifyChannel.objects.filter(removed_at=None).select_related("tenant")
    channels = channels if tenant_id is None else channels.filter(tenant_id=tenant_id)
    return _ordered(_found(channels, search, "name", "type"), ordering)


def channel_by_id(pk: int, *, tenant_id: int | None) -> NotifyChannel | None:
    """The channel of that id, if it is not removed and the tenant (None: any) has it."""
    return channels_of(tenant_id).filter(pk=pk).first()


def routes_of(
    tenant_id: int | None, *, channel_id: int | None = None, search: str = "", ordering: str = "channel_name"
) -> QuerySet[Route]:
    """The routes of a tenant (None: of all) that are not removed, with their channels.

    `search` stands in the name, the channel's name, the kind or the site; `ordering` is one of ROUTE_ORDERINGS, with
    a `-` for descending.
    """
    routes = Route.objects.filter(removed_at=None).select_related("channel", "tenant")
    if tenant_id is not None:
        routes = routes.filter(tenant_id=tenant_id)
    if channel_id is not None:
        routes = routes.filter(channel_id=channel_id)
    return _ordered(_found(routes, search, "name", "channel__name", "kind", "site"), ordering)


def route_by_id(pk: int, *, tenant_id: int | None) -> Route | None:
    """The route of that id, if it is not removed and the tenant (None: any) has it."""
    return routes_of(tenant_id).filter(pk=pk).first()


def notifications_of(
    tenant_id: int | None,
    *,
    channel_id: int | None = None,
    state: str = "",
    alert_id: int | None = None,
    search: str = "",
    ordering: str = "-created_at",
) -> QuerySet[Notification]:
    """The messages of a tenant (None: of all) with their channels, routes and attempts.

    `state` is one of NotificationState; `alert_id`: those that tell of that alert. `search` stands in the title, the
    channel's name or the reason why it did not arrive; `ordering` is one of MESSAGE_ORDERINGS, with a `-` for
    descending; what is not finished comes last.
    """
    found = Notification.objects.select_related("channel", "route__channel", "tenant").defer("kept")
    found = found.prefetch_related("deliveries")
    if tenant_id is not None:
        found = found.filter(tenant_id=tenant_id)
    if channel_id is not None:
        found = found.filter(channel_id=channel_id)
    if state:
        found = found.filter(state=state)
    if alert_id is not None:
        found = found.filter(Exists(NewsItem.objects.filter(notification=OuterRef("pk"), alert_id=alert_id)))
    return _ordered(_found(found, search, "title", "channel__name", "why"), ordering)


def notification_by_id(pk: int, *, tenant_id: int | None) -> Notification | None:
    """The message of that id, if the tenant (None: any) has it."""
    return notifications_of(tenant_id).filter(pk=pk).first()


def alert_counts_of(message_ids: Sequence[int]) -> Mapping[int, int]:
    """Of how many alerts each of these messages tells."""
    items = NewsItem.objects.filter(notification__in=message_ids).order_by()
    counted = items.values("notification").annotate(alerts=Count("alert", distinct=True))
    return {row["notification"]: row["alerts"] for row in counted}


def alert_ids_of(message: Notification) -> list[int]:
    """The alerts that it tells of."""
    found = NewsItem.objects.filter(notification=message).order_by("alert").values_list("alert", flat=True)
    return list(found.distinct())


def whereto_of(channel: NotifyChannel) -> str:
    """The place that a channel leads to, without secrets; empty of one that is removed, or of no known type."""
    kind = type_of(channel.type)
    return kind.whereto(channel.settings) if kind is not None and channel.removed_at is None else ""


def healths_of(channel_ids: Sequence[int]) -> Mapping[int, ChannelHealth]:
    """How each of these channels has been doing lately: three questions, however many they are."""
    lately = Delivery.objects.filter(
        notification__channel__in=channel_ids, notification__created_at__gte=clock.now() - LATELY
    ).order_by()
    delivered: dict[int, datetime] = dict(
        lately.filter(outcome=Outcome.DELIVERED)
        .values("notification__channel")
        .annotate(newest=Max("at"))
        .values_list("notification__channel", "newest")
    )
    failures = _failures_since(lately, delivered, channel_ids)
    return {pk: ChannelHealth(delivered.get(pk), *failures.get(pk, (None, None, ""))) for pk in channel_ids}


def _found(rows: QuerySet[_Row], search: str, *columns: str) -> QuerySet[_Row]:
    """Those that have `search` in one of the columns."""
    return rows.filter(reduce(or_, (Q(**{f"{one}__icontains": search}) for one in columns))) if search else rows


def _ordered(rows: QuerySet[_Row], ordering: str) -> QuerySet[_Row]:
    name, minus = ordering.removeprefix("-"), "-" if ordering.startswith("-") else ""
    column = _COLUMNS.get(name, name)
    if name not in _MAY_BE_NULL:
        return rows.order_by(f"{minus}{column}", f"{minus}pk")
    return rows.order_by(known_first(F(column), descending=bool(minus)), f"{minus}pk")


def _failures_since(
    lately: QuerySet[Delivery], delivered: Mapping[int, datetime], channel_ids: Sequence[int]
) -> Mapping[int, tuple[datetime, datetime, str]]:
    """By channel the first and the newest attempt that failed since the last that arrived, and why the newest did."""
    if not channel_ids:
        return {}
    since = (
        Q(notification__channel=pk, **({"at__gt": delivered[pk]} if pk in delivered else {})) for pk in channel_ids
    )
    failed = lately.filter(reduce(or_, since)).exclude(outcome=Outcome.DELIVERED)
    found = failed.values("notification__channel").annotate(first=Min("at"), newest=Max("pk"))
    rows = {row["notification__channel"]: (row["first"], row["newest"]) for row in found}
    newest = Delivery.objects.in_bulk([pk for _, pk in rows.values()])
    return {channel: (first, newest[pk].at, newest[pk].detail) for channel, (first, pk) in rows.items()}
