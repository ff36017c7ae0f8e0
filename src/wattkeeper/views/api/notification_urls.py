"""Mounted at `/api/notifications/`."""

from __future__ import annotations

from functools import partial

from django.urls import path
from drf_spectacular.utils import OpenApiParameter

from wattkeeper.flow.notify.actions import TEST_EVERY
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.models import NotificationState
from wattkeeper.flow.notify.queries import CHANNEL_ORDERINGS, MESSAGE_ORDERINGS, ROUTE_ORDERINGS
from wattkeeper.views.api import notifications
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.notification_serializers import (
    ChannelTypesSerializer,
    MessageSerializer,
    NotifyChannelSerializer,
    OneMessageSerializer,
    RouteSerializer,
)
from wattkeeper.views.api.notifications import ID_MOST, NEWEST_FIRST
from wattkeeper.views.api.serializers import paged
from wattkeeper.views.api.stream_urls import (
    SEARCHED,
    TENANT_MEANT,
    TENANT_OF_NEW,
    described,
    operation,
    ordering,
    paging,
)

_ID = {"type": "integer", "minimum": 1, "maximum": ID_MOST}
_CHANGED = [400, 404, 409, 503, 507]

_operation = partial(operation, tags=["Notifications"])
_enabled = OpenApiParameter("enabled", bool)
_of_channel = OpenApiParameter("channel", _ID, description="Of this channel.")


def _searched(where: str) -> OpenApiParameter:
    return OpenApiParameter("search", SEARCHED, description=f"Stands in {where}.")


_change_channel = _operation(
    "Change what is sent of a channel: for admins. Of its settings, too, those that are not sent stay, the secret ones "
    "among them; one that is null goes. What still waits to be sent is dropped where it is switched off.",
    {200: NotifyChannelSerializer},
    fails=_CHANGED,
    request=NotifyChannelSerializer(partial=True),
)
_change_route = _operation(
    "Change what is sent of a route; it holds for what happens from now on. What still waits is dropped where it is "
    "switched off, or leads to another channel.",
    {200: RouteSerializer},
    fails=_CHANGED,
    request=RouteSerializer(partial=True),
)

urlpatterns = [
    path(
        "channel-types/",
        described(
            notifications.ChannelTypes,
            get=_operation(
                "The ways to reach people, and what has to be known of each.", {200: ChannelTypesSerializer}
            ),
        ),
        name="api-channel-types",
    ),
    path(
        "channels/",
        described(
            notifications.ChannelList,
            get=_operation(
                "The channels, filtered, ordered and in pages, each with how it has been doing lately.",
                {200: paged(NotifyChannelSerializer)},
                fails=[400, 404],
                parameters=[
                    OpenApiParameter("type", str, enum=[*channel_types()]),
                    _enabled,
                    _searched("the name or the type"),
                    ordering(CHANNEL_ORDERINGS, default="name"),
                    *paging(SIZE),
                    TENANT_MEANT,
                ],
            ),
            post=_operation(
                "Add a channel: for admins. Nobody is told through it before a route leads there.",
                {201: NotifyChannelSerializer},
                fails=[400, 409, 503, 507],
                request=NotifyChannelSerializer,
                parameters=[TENANT_OF_NEW],
            ),
        ),
        name="api-channels",
    ),
    path(
        "channels/<int:channel_id>/",
        described(
            notifications.ChannelDetail,
            get=_operation("One channel.", {200: NotifyChannelSerializer}, fails=[404]),
            put=_change_channel,
            patch=_change_channel,
            delete=_operation(
                "Take a channel away, with its routes: for admins. What waits is dropped; what was sent stays in "
                "the log.",
                {204: None},
                fails=[404, 409, 503, 507],
            ),
        ),
        name="api-channel",
    ),
    path(
        "channels/<int:channel_id>/test/",
        described(
            notifications.ChannelTest,
            post=_operation(
                "Have a test message sent, also where the channel is switched off. The answer is the message, which "
                f"`messages/ID/` follows. One at a time, and one every {TEST_EVERY.seconds} seconds: else 409.",
                {202: OneMessageSerializer},
                fails=[404, 409, 503, 507],
                request=None,
            ),
        ),
        name="api-channel-test",
    ),
    path(
        "routes/",
        described(
            notifications.RouteList,
            get=_operation(
                "The routes, filtered, ordered and in pages.",
                {200: paged(RouteSerializer)},
                fails=[400, 404],
                parameters=[
                    _of_channel,
                    _enabled,
                    _searched("the name, the channel's name, the kind or the site"),
                    ordering(ROUTE_ORDERINGS, default="channel_name"),
                    *paging(SIZE),
                    TENANT_MEANT,
                ],
            ),
            post=_operation(
                "Add a route. It holds for what happens from now on.",
                {201: RouteSerializer},
                fails=[400, 409, 503, 507],
                request=RouteSerializer,
                parameters=[TENANT_OF_NEW],
            ),
        ),
        name="api-routes",
    ),
    path(
        "routes/<int:route_id>/",
        described(
            notifications.RouteDetail,
            get=_operation("One route.", {200: RouteSerializer}, fails=[404]),
            put=_change_route,
            patch=_change_route,
            delete=_operation("Take a route away. What waits is dropped.", {204: None}, fails=[404, 409, 503, 507]),
        ),
        name="api-route",
    ),
    path(
        "messages/",
        described(
            notifications.MessageList,
            get=_operation(
                "The messages, tests among them, filtered, ordered and in pages, each with every attempt to deliver "
                "it.",
                {200: paged(MessageSerializer)},
                fails=[400, 404],
                parameters=[
                    _of_channel,
                    OpenApiParameter("state", str, enum=[*NotificationState]),
                    OpenApiParameter("alert", _ID, description="That tell of this alert."),
                    _searched("the title, the channel's name, or why it did not arrive"),
                    ordering(MESSAGE_ORDERINGS, default=NEWEST_FIRST),
                    *paging(SIZE),
                    TENANT_MEANT,
                ],
            ),
        ),
        name="api-messages",
    ),
    path(
        "messages/<int:message_id>/",
        described(
            notifications.MessageDetail,
            get=_operation("One message, with the alerts that it tells of.", {200: OneMessageSerializer}, fails=[404]),
        ),
        name="api-message",
    ),
]
