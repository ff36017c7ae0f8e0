"""Alerts as JSON shows and takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.flow.alerts.actions import LONGEST_SHELF
from wattkeeper.flow.alerts.models import LONGEST_MESSAGE, LONGEST_REASON, LONGEST_TEXT, Alert, Happening, Transition
from wattkeeper.views.api.fields import Choice, KnownFieldsOnly, Text, Truth

# Older clients know batteries alone, so an alert names its battery apart from its asset.
BATTERY = "battery"

# Fields of an alert that have another name outside.
OUTSIDE: Mapping[str, str] = {"level": "alert_level"}

SEEN = "Controls, overrides of direction and other signs that nobody can see are refused."
ID_MOST = 2**63 - 1
IDS_MOST = 1_000
SHELF_MINUTES_MOST = int(LONGEST_SHELF.total_seconds()) // 60


class _Named(serializers.ListSerializer[Any]):
    """Looks up the names of all who did something in one question."""

    def to_representation(self, data: Any) -> list[Any]:
        rows = list(data)
        child = self.child
        assert isinstance(child, _WithNames)
        child.names = names_of(identity for row in rows for identity in child.identities(row))
        return [child.to_representation(row) for row in rows]


class _WithNames(serializers.Serializer[Any]):
    """Tells of people and keys by their names. `identities` are those that a row speaks of."""

    names: Mapping[str, str] | None = None

    class Meta:
        list_serializer_class = _Named

    def identities(self, row: Any) -> list[str]:
        raise NotImplementedError

    def name_of(self, row: Any, identity: str) -> str | None:
        names = names_of(self.identities(row)) if self.names is None else self.names
        return names[identity] if identity else None


def _id(help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=ID_MOST, help_text=help_text
    )


def _moment(help_text: str) -> serializers.DateTimeField:
    return serializers.DateTimeField(read_only=True, allow_null=True, help_text=help_text)


class AlertSerializer(KnownFieldsOnly, _WithNames):
    """Something is wrong with a thing, or was."""

    id = serializers.IntegerField(read_only=True)
    battery = _id("The asset, where it is a battery; null where it is none. A new alert names this or `asset`.")
    asset = _id("Whose alert it is; it stays.")
    battery_serial = serializers.CharField(read_only=True, allow_null=True)
    asset_key = serializers.CharField(read_only=True, help_text="Serial number, vehicle id, meter id, machine id.")
    kind = serializers.CharField(read_only=True, help_text="Of the asset: battery, vehicle, ...")
    alert_type = Choice(choices=[one.value for one in AlertType])
    alert_level = Choice(choices=[one.value for one in Level])
    message = Text(max_length=LONGEST_MESSAGE, help_text=SEEN)
    is_resolved = Truth(
        required=False, help_text="True once it is over: cleared, or resolved by a person. It does not become false."
    )
    created_at = serializers.DateTimeField(read_only=True, help_text="By the clock.")
    resolved_at = _moment("When it was over, by the clock.")
    opened_at = serializers.DateTimeField(read_only=True, help_text="By the time of the reading that opened it.")
    cleared_at = _moment("By the time of the reading that was clear; null where a person has resolved it.")
    value = serializers.CharField(
        read_only=True, allow_null=True, help_text="The newest that was judged; null of one that was posted."
    )
    limit = serializers.CharField(read_only=True, allow_null=True, help_text="What it was judged by.")
    rule = serializers.IntegerField(read_only=True, allow_null=True, help_text="Null of one that was posted.")
    acknowledged_at = _moment("When somebody said that they know of it.")
    acknowledged_by = serializers.CharField(read_only=True, allow_null=True, help_text="A person's or a key's name.")
    assigned_to = serializers.IntegerField(read_only=True, allow_null=True, help_text="The person who has it.")
    assigned_to_name = serializers.CharField(read_only=True, allow_null=True)
    shelved_until = _moment("Until then nobody is told of it.")
    shelve_reason = serializers.CharField(read_only=True, allow_null=True)

    def identities(self, row: Alert) -> list[str]:
        return [row.acknowledged_by] if row.acknowledged_by else []

    def to_representation(self, instance: Alert) -> dict[str, Any]:
        is_battery = instance.kind == BATTERY
        return {
            "id": instance.pk,
            "battery": instance.asset_id if is_battery else None,
            "asset": instance.asset_id,
            "battery_serial": instance.asset.key if is_battery else None,
            "asset_key": instance.asset.key,
            "kind": instance.kind,
            "alert_type": instance.alert_type,
            "alert_level": instance.level,
            "message": instance.message,
            "is_resolved": instance.is_resolved,
            "created_at": instance.created_at,
            "resolved_at": instance.resolved_at,
            "opened_at": instance.opened_at,
            "cleared_at": instance.cleared_at,
            "value": instance.value or None,
            "limit": instance.limit or None,
            "rule": instance.rule_id,
            "acknowledged_at": instance.acknowledged_at,
            "acknowledged_by": self.name_of(instance, instance.acknowledged_by),
            "assigned_to": instance.assigned_to_id,
            "assigned_to_name": instance.assigned_to.get_username() if instance.assigned_to else None,
            "shelved_until": instance.shelved_until,
            "shelve_reason": instance.shelve_reason or None,
        }


def alerts_shown(alerts: Sequence[Alert]) -> list[Mapping[str, Any]]:
    """As the API shows them, in their order."""
    return list(AlertSerializer(alerts, many=True).data)


class TransitionSerializer(_WithNames):
    """One thing that happened to an alert."""

    id = serializers.IntegerField(read_only=True)
    kind = serializers.ChoiceField(choices=Happening.choices, read_only=True)
    at = serializers.DateTimeField(read_only=True, help_text="By the clock.")
    event_at = serializers.DateTimeField(read_only=True, help_text="By the reading that made it so.")
    by = serializers.CharField(read_only=True, help_text="A person's or a key's name; else `rule` or `clock`.")
    why = serializers.CharField(read_only=True, help_text="Of a comment what was said.")
    detail = serializers.DictField(child=serializers.JSONField(), read_only=True)

    def identities(self, row: Transition) -> list[str]:
        return [row.by]

    def to_representation(self, instance: Transition) -> dict[str, Any]:
        return {
            "id": instance.pk,
            "kind": instance.kind,
            "at": instance.at,
            "event_at": instance.event_at,
            "by": self.name_of(instance, instance.by),
            "why": instance.why,
            "detail": instance.detail,
        }


class ResolveSerializer(serializers.Serializer[Any]):
    why = Text(required=False, allow_blank=True, max_length=LONGEST_TEXT, trim_whitespace=False, help_text=SEEN)


class AssignSerializer(KnownFieldsOnly):
    user = serializers.IntegerField(
        allow_null=True,
        min_value=1,
        max_value=ID_MOST,
        help_text="A person of the alert's tenant who may take care of alerts; null: nobody.",
    )


class CommentSerializer(KnownFieldsOnly):
    text = Text(max_length=LONGEST_TEXT, help_text=SEEN)


class ShelveSerializer(KnownFieldsOnly):
    """`until` or `minutes`."""

    reason = Text(max_length=LONGEST_REASON, help_text=f"{SEEN} In one line.")
    until = serializers.DateTimeField(
        required=False, allow_null=True, help_text=f"At most {SHELF_MINUTES_MOST // 60} hours from now."
    )
    minutes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=SHELF_MINUTES_MOST)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("until") is None) == (attrs.get("minutes") is None):
            raise serializers.ValidationError({"until": ["Say either until when, or for how many minutes."]})
        return attrs


class SeveralSerializer(KnownFieldsOnly):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=ID_MOST), max_length=IDS_MOST, help_text="Of alerts."
    )


class SeveralAssignSerializer(SeveralSerializer, AssignSerializer):
    """Whose they become."""


class SeveralShelveSerializer(SeveralSerializer, ShelveSerializer):
    """Why, and until when or for how long."""


class AcknowledgedSerializer(serializers.Serializer[Any]):
    """What became of each alert, by id."""

    acknowledged = serializers.ListField(child=serializers.IntegerField(), help_text="Those that were not before.")
    already = serializers.ListField(child=serializers.IntegerField(), help_text="Those that were before.")
    unknown = serializers.ListField(child=serializers.IntegerField(), help_text="There is no such alert.")


class AssignedSerializer(serializers.Serializer[Any]):
    """What became of each alert, by id."""

    assigned = serializers.ListField(child=serializers.IntegerField(), help_text="Those that were not before.")
    already = serializers.ListField(child=serializers.IntegerField(), help_text="Those that were before.")
    unknown = serializers.ListField(child=serializers.IntegerField(), help_text="There is no such alert.")


class ShelvedSerializer(serializers.Serializer[Any]):
    """What became of each alert, by id."""

    shelved = serializers.ListField(child=serializers.IntegerField(), help_text="Those that were not so before.")
    already = serializers.ListField(child=serializers.IntegerField(), help_text="For that reason, until then.")
    unknown = serializers.ListField(child=serializers.IntegerField(), help_text="There is no such alert.")
    over = serializers.ListField(child=serializers.IntegerField(), help_text="There is nothing to shelve any more.")
