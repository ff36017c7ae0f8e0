"""Who is told of alerts, by which ways, and whether it arrived. Addresses are private: whoever says who is told reads
them, and an admin alone changes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.flow.notify import actions, queries
from wattkeeper.flow.notify.channel_settings import PREFIX
from wattkeeper.flow.notify.channels.declared import ChannelType
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.models import Notification, NotificationState, NotifyChannel, Route
from wattkeeper.flow.notify.route_fields import RouteFields, fields_of
from wattkeeper.views.api.errors import outside_names
from wattkeeper.views.api.lists import SIZE, list_response
from wattkeeper.views.api.notification_serializers import (
    OUTSIDE,
    MessageSerializer,
    NotifyChannelSerializer,
    OneMessageSerializer,
    RouteSerializer,
)
from wattkeeper.views.api.parameters import (
    one_of,
    page_answer,
    page_of,
    require_page,
    sort_of,
    tenant_filter,
    text,
    truth,
    whole,
)
from wattkeeper.views.api.parsers import BoundedJSONParser

ID_MOST = 10**12 - 1
NEWEST_FIRST = "-created_at"
_EDIT, _CHANNEL_EDIT = Action.NOTIFY_EDIT, Action.CHANNEL_EDIT
_JSON_ALONE: list[type[BaseParser]] = [BoundedJSONParser]  # a form has no names within a name


class ChannelTypes(APIView):
    """GET which types of channels there are, and what each has to know."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": _EDIT}

    def get(self, request: Request) -> Response:
        return Response({"types": [_words(one) for one in channel_types().values()]})


class ChannelList(APIView):
    """GET a page of channels; POST one."""

    is_list = True
    parser_classes = _JSON_ALONE
    actions: ClassVar[Mapping[str, Action]] = {"GET": _EDIT, "POST": _CHANNEL_EDIT}

    def get(self, request: Request) -> Response:
        channels = queries.channels_of(
            tenant_filter(request, caller_of(request)),
            search=text(request, "search"),
            ordering=sort_of(request, queries.CHANNEL_ORDERINGS, default="name"),
        )
        if kind := one_of(text(request, "type"), [*channel_types()], "type"):
            channels = channels.filter(type=kind)
        if (enabled := truth(text(request, "enabled"), "enabled")) is not None:
            channels = channels.filter(enabled=enabled)
        page, count = page_of(request, size=SIZE), channels.count()
        require_page(page, count)
        shown = list(channels[page.offset : page.offset + page.size])
        return Response(page_answer(request, page, count, _shown(shown)))

    def post(self, request: Request) -> Response:
        caller, given = caller_of(request), _given(NotifyChannelSerializer, request)
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        with _settings_apart():
            channel = actions.channel_add(
                tenant=tenant,
                type=given["type"],
                name=given["name"],
                settings=given.get("settings", {}),
                enabled=given.get("enabled", True),
                actor=caller.identity,
            )
        return Response(_shown([channel])[0], status=status.HTTP_201_CREATED)


class ChannelDetail(APIView):
    """One channel. PUT and PATCH change what is sent, DELETE takes it away with its routes."""

    parser_classes = _JSON_ALONE
    actions: ClassVar[Mapping[str, Action]] = {
        "GET": _EDIT,
        "PUT": _CHANNEL_EDIT,
        "PATCH": _CHANNEL_EDIT,
        "DELETE": _CHANNEL_EDIT,
    }

    def get(self, request: Request, channel_id: int) -> Response:
        return Response(_shown([_channel(request, channel_id)])[0])

    def put(self, request: Request, channel_id: int) -> Response:
        return self.patch(request, channel_id)

    def patch(self, request: Request, channel_id: int) -> Response:
        channel = _channel(request, channel_id)
        given = _given(NotifyChannelSerializer, request, partial=True)
        if given.pop("type", channel.type) != channel.type:
            raise BadRequestError("A channel stays of its type; add another one.", field="type")
        with _settings_apart():
            actions.channel_change(channel, actor=caller_of(request).identity, **given)
        return Response(_shown([channel])[0])

    def delete(self, request: Request, channel_id: int) -> Response:
        actions.channel_remove(_channel(request, channel_id), actor=caller_of(request).identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChannelTest(APIView):
    """POST to have a test message sent; the answer is the message, which `messages/{id}/` follows."""

    actions: ClassVar[Mapping[str, Action]] = {"POST": _EDIT}

    def post(self, request: Request, channel_id: int) -> Response:
        message = actions.channel_test(_channel(request, channel_id), by=caller_of(request).identity)
        return Response(_told(message), status=status.HTTP_202_ACCEPTED)


class RouteList(APIView):
    """GET a page of routes; POST one."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": _EDIT, "POST": _EDIT}

    def get(self, request: Request) -> Response:
        routes = queries.routes_of(
            tenant_filter(request, caller_of(request)),
            channel_id=_id(request, "channel"),
            search=text(request, "search"),
            ordering=sort_of(request, queries.ROUTE_ORDERINGS, default="channel_name"),
        )
        if (enabled := truth(text(request, "enabled"), "enabled")) is not None:
            routes = routes.filter(enabled=enabled)
        return list_response(request, routes, RouteSerializer)

    def post(self, request: Request) -> Response:
        caller, given = caller_of(request), _given(RouteSerializer, request)
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        with outside_names(OUTSIDE):
            route = actions.route_add(tenant=tenant, fields=RouteFields(**given), actor=caller.identity)
        return Response(RouteSerializer(route).data, status=status.HTTP_201_CREATED)


class RouteDetail(APIView):
    """One route. PUT and PATCH change what is sent, DELETE takes it away."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": _EDIT, "PUT": _EDIT, "PATCH": _EDIT, "DELETE": _EDIT}

    def get(self, request: Request, route_id: int) -> Response:
        return Response(RouteSerializer(_route(request, route_id)).data)

    def put(self, request: Request, route_id: int) -> Response:
        return self.patch(request, route_id)

    def patch(self, request: Request, route_id: int) -> Response:
        route, given = _route(request, route_id), _given(RouteSerializer, request, partial=True)
        with outside_names(OUTSIDE):
            actions.route_change(route, fields=replace(fields_of(route), **given), actor=caller_of(request).identity)
        return Response(RouteSerializer(route).data)

    def delete(self, request: Request, route_id: int) -> Response:
        actions.route_remove(_route(request, route_id), actor=caller_of(request).identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MessageList(APIView):
    """GET a page of messages, each with its attempts."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": _EDIT}

    def get(self, request: Request) -> Response:
        messages = queries.notifications_of(
            tenant_filter(request, caller_of(request)),
            channel_id=_id(request, "channel"),
            state=one_of(text(request, "state"), [*NotificationState], "state"),
            alert_id=_id(request, "alert"),
            search=text(request, "search"),
            ordering=sort_of(request, queries.MESSAGE_ORDERINGS, default=NEWEST_FIRST),
        )
        page, count = page_of(request, size=SIZE), messages.count()
        require_page(page, count)
        shown = list(messages[page.offset : page.offset + page.size])
        told = {
            "names": names_of(one.requested_by for one in shown if one.requested_by),
            "alert_counts": queries.alert_counts_of([one.pk for one in shown]),
        }
        return Response(page_answer(request, page, count, MessageSerializer(shown, many=True, context=told).data))


class MessageDetail(APIView):
    """GET one message with the alerts that it tells of."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": _EDIT}

    def get(self, request: Request, message_id: int) -> Response:
        message = queries.notification_by_id(message_id, tenant_id=caller_of(request).tenant_id)
        if message is None:
            raise NotFoundError("There is no such message.")
        return Response(_told(message))


def _words(kind: ChannelType) -> dict[str, Any]:
    fields = [{**asdict(field), "choices": [value for value, _ in field.choices]} for field in kind.fields]
    return {"name": kind.name, "label": kind.label, "fields": fields}


def _channel(request: Request, channel_id: int) -> NotifyChannel:
    """The channel, if the caller may know of it. Who stands above tenants has no tenant's id, and sees all."""
    channel = queries.channel_by_id(channel_id, tenant_id=caller_of(request).tenant_id)
    if channel is None:
        raise NotFoundError("There is no such channel.")
    return channel


def _route(request: Request, route_id: int) -> Route:
    route = queries.route_by_id(route_id, tenant_id=caller_of(request).tenant_id)
    if route is None:
        raise NotFoundError("There is no such route.")
    return route


def _shown(channels: Sequence[NotifyChannel]) -> list[Any]:
    healths = queries.healths_of([channel.pk for channel in channels])
    return list(NotifyChannelSerializer(channels, many=True, context={"healths": healths}).data)


def _told(message: Notification) -> Any:
    alert_ids = queries.alert_ids_of(message)
    names = names_of([message.requested_by] if message.requested_by else [])
    context = {"names": names, "alert_ids": alert_ids, "alert_counts": {message.pk: len(alert_ids)}}
    return OneMessageSerializer(message, context=context).data


def _given(serializer: type[Serializer[Any]], request: Request, *, partial: bool = False) -> dict[str, Any]:
    asked = serializer(data=request.data, partial=partial)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _id(request: Request, name: str) -> int | None:
    return whole(request, name, default=0, least=1, most=ID_MOST) or None


@contextmanager
def _settings_apart() -> Iterator[None]:
    """What is wrong with the settings is told by their names, below `settings`."""
    try:
        yield
    except DjangoValidationError as error:
        told: dict[str, Any] = {}
        for name, sentences in error.message_dict.items():
            if name.startswith(PREFIX):
                told.setdefault("settings", {})[name.removeprefix(PREFIX)] = sentences
            else:
                told.setdefault(name, sentences)
        raise ValidationError(told) from None
