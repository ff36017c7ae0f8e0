"""Channels, routes and messages as JSON shows and takes them. What they may hold is checked by `flow/notify`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.flow.notify.channel_settings import IS_SET, settings_shown, type_of
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.models import LONGEST_NAME, Notification, NotificationState, NotifyChannel
from wattkeeper.flow.notify.queries import ChannelHealth, whereto_of
from wattkeeper.flow.notify.route_fields import GROUP_SECONDS_MOST, LONGEST_SITE, REPEAT_MINUTES_MOST
from wattkeeper.views.api.fields import Choice, KnownFieldsOnly, Text, Truth

# Fields of a route that have another name outside.
OUTSIDE: Mapping[str, str] = {"channel_id": "channel"}
ID_MOST = 2**63 - 1

_text = {"type": "string"}
_SETTINGS = {
    "type": "object",
    "additionalProperties": {
        "oneOf": [
            _text,
            {"type": "array", "items": _text},
            {
                "type": "object",
                "description": "Of a secret, which is never told: whether it is set. Sent back, it stays as it is.",
                "properties": {IS_SET: {"type": "boolean"}},
                "required": [IS_SET],
                "additionalProperties": False,
            },
        ],
        "nullable": True,
    },
}


@extend_schema_field(_SETTINGS)
class SettingsField(serializers.DictField):
    """By name what the channel has to know, as its type declares it; each value is checked there."""

    child = serializers.JSONField(allow_null=True)


_WALL = ["%H:%M", "%H:%M:%S"]  # of the clock on a wall: an offset would be ignored


class SettingFieldSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField(allow_blank=True)
    is_secret = serializers.BooleanField(help_text="Written, and never told again.")
    is_list = serializers.BooleanField(help_text="A list of texts.")
    required = serializers.BooleanField()  # type: ignore[assignment]
    choices = serializers.ListField(child=serializers.CharField(), help_text="The only texts there are, if any.")


class ChannelTypeSerializer(serializers.Serializer[Any]):
    """A way to reach people, and what has to be known of it."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    fields = SettingFieldSerializer(many=True)  # type: ignore[assignment]


class ChannelTypesSerializer(serializers.Serializer[Any]):
    types = ChannelTypeSerializer(many=True)


class NotifyChannelSerializer(KnownFieldsOnly):
    """A way to reach people: these addresses, that webhook."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=LONGEST_NAME)
    type = Choice(choices=[*channel_types()], help_text="It stays.")
    settings = SettingsField(
        required=False, help_text="What its type asks for. A setting that is not sent stays, one that is null goes."
    )
    enabled = Truth(required=False)
    whereto = serializers.CharField(read_only=True, help_text="The place that it leads to, without secrets.")
    last_delivered_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="In the last 30 days.")
    failing_since = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="The first attempt since then that did not arrive; null: it works."
    )
    failure = serializers.CharField(read_only=True, help_text="Why the newest attempt did not arrive.")
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: NotifyChannel) -> dict[str, Any]:
        health: ChannelHealth = self.context["healths"].get(instance.pk, ChannelHealth())
        return {
            "id": instance.pk,
            "name": instance.name,
            "type": instance.type,
            "settings": settings_shown(type_of(instance.type), instance.settings),
            "enabled": instance.enabled,
            "whereto": whereto_of(instance),
            "last_delivered_at": health.delivered_at,
            "failing_since": health.failing_since,
            "failure": health.failure,
            "created_at": instance.created_at,
            "updated_at": instance.updated_at,
        }


class RouteSerializer(KnownFieldsOnly):
    """Which alerts are told through a channel, and how."""

    id = serializers.IntegerField(read_only=True)
    channel = serializers.IntegerField(source="channel_id", min_value=1, max_value=ID_MOST)
    name = Text(required=False, allow_blank=True, max_length=LONGEST_NAME)
    kind = Choice(
        choices=["", *(kind.name for kind in registry.kinds())], required=False, help_text="Empty: of every kind."
    )
    site = Text(
        required=False, allow_blank=True, max_length=LONGEST_SITE, help_text="Empty: of every site, and of none."
    )
    least_level = Choice(choices=[*Level], required=False, help_text="And above.")
    tells_cleared = Truth(required=False, help_text="Say, too, when it is over.")
    group_seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=GROUP_SECONDS_MOST, help_text="What comes within is one message."
    )
    repeat_minutes = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=REPEAT_MINUTES_MOST,
        help_text="Tell again so often until somebody acknowledges it; 0: never.",
    )
    quiet_from = serializers.TimeField(
        required=False,
        allow_null=True,
        input_formats=_WALL,
        help_text="In `time_zone`; null: no quiet hours. They may go over midnight.",
    )
    quiet_until = serializers.TimeField(required=False, allow_null=True, input_formats=_WALL)
    quiet_level = Choice(
        choices=[*Level], required=False, help_text="From it on told in quiet hours, too; the rest waits for their end."
    )
    enabled = Truth(required=False)
    time_zone = serializers.CharField(read_only=True, source="tenant.time_zone", help_text="The tenant's.")
    created_at = serializers.DateTimeField(read_only=True)


class AttemptSerializer(serializers.Serializer[Any]):
    """One attempt to deliver a message."""

    at = serializers.DateTimeField(read_only=True)
    outcome = serializers.ChoiceField(choices=[*Outcome], read_only=True)
    status = serializers.IntegerField(read_only=True, allow_null=True, help_text="HTTP's or SMTP's.")
    took_ms = serializers.IntegerField(read_only=True)
    detail = serializers.CharField(read_only=True)


class MessageSerializer(serializers.Serializer[Any]):
    """One message through one channel, and what became of it."""

    id = serializers.IntegerField(read_only=True)
    event_id = serializers.UUIDField(read_only=True, help_text="The same in every attempt; receivers may know it by.")
    channel = serializers.IntegerField(source="channel_id", read_only=True)
    channel_name = serializers.CharField(source="channel.name", read_only=True)
    route = serializers.IntegerField(source="route_id", read_only=True, allow_null=True, help_text="Null of a test.")
    state = serializers.ChoiceField(choices=NotificationState.choices, read_only=True)
    is_test = serializers.BooleanField(read_only=True)
    requested_by = serializers.SerializerMethodField(help_text="Who asked for a test; a person's or a key's name.")
    title = serializers.CharField(read_only=True, help_text="As it was sent.")
    why = serializers.CharField(read_only=True, help_text="Of what was dropped, or has failed.")
    alert_count = serializers.SerializerMethodField(help_text="Of how many alerts it tells.")
    created_at = serializers.DateTimeField(read_only=True)
    due_at = serializers.DateTimeField(read_only=True, help_text="It is not sent before.")
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)
    attempts = AttemptSerializer(source="deliveries", many=True, read_only=True)

    def get_requested_by(self, message: Notification) -> str:
        names: Mapping[str, str] = self.context["names"]
        return names.get(message.requested_by, message.requested_by)

    def get_alert_count(self, message: Notification) -> int:
        counts: Mapping[int, int] = self.context["alert_counts"]
        return counts.get(message.pk, 0)


class OneMessageSerializer(MessageSerializer):
    """With the alerts that it tells of."""

    alerts = serializers.SerializerMethodField(help_text="Their ids.")

    def get_alerts(self, message: Notification) -> list[int]:
        ids: list[int] = self.context["alert_ids"]
        return ids
