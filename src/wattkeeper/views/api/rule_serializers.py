"""Rules as JSON shows and takes them. What a field may hold is checked by `flow/rules`, the same as on every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from wattkeeper.base.catalog.alerting import AlertType, Condition, Level
from wattkeeper.base.catalog.channels import ChannelType
from wattkeeper.flow.rules import expressions, fields, models
from wattkeeper.flow.rules.vocabulary import GUARD_CONDITIONS
from wattkeeper.views.api.fields import KnownFieldsOnly, Number, Text, Truth
from wattkeeper.views.api.serializers import PageSerializer

# Fields of a rule that have another name outside.
OUTSIDE: Mapping[str, str] = {"type": "asset_type", "asset_id": "asset"}

_ID_MOST = 2**63 - 1
_EXPRESSION = "A number, or FACTOR * FIELD of the nameplate: 0.8 * voltage_nominal."


def _limit(help_text: str) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=expressions.LONGEST, help_text=help_text)


class RuleSerializer(KnownFieldsOnly):
    """A rule. Its limits are texts, as people write them."""

    id = serializers.IntegerField(read_only=True)
    kind = Text(max_length=40, help_text="The kind of thing; it stays.")
    asset_type = Text(
        source="type",
        required=False,
        allow_blank=True,
        max_length=fields.LONGEST_TYPE,
        help_text="Things of this type only; empty: of every type.",
    )
    asset = serializers.IntegerField(
        source="asset_id",
        required=False,
        allow_null=True,
        min_value=1,
        max_value=_ID_MOST,
        help_text="This thing only; null: every one.",
    )
    name = Text(max_length=models.LONGEST_NAME)
    channel = Text(
        required=False, allow_blank=True, max_length=100, help_text="One of the kind's; empty for a silence."
    )
    condition = serializers.ChoiceField(choices=[one.value for one in Condition])
    limit = _limit(f"Of above, below, equals, changes (a minute) and silent (seconds). {_EXPRESSION} Or a text.")
    low = _limit(f"Of outside: the lower limit. {_EXPRESSION}")
    high = _limit(f"Of outside: the upper limit. {_EXPRESSION}")
    while_channel = Text(
        required=False, allow_blank=True, max_length=100, help_text="The rule speaks only while this channel ..."
    )
    while_condition = serializers.ChoiceField(
        choices=[one.value for one in GUARD_CONDITIONS],
        required=False,
        allow_blank=True,
        help_text="... is above, below or equals ...",
    )
    while_limit = _limit("... this.")
    deadband = Number(
        required=False, min_value=0, help_text="How far inside its limit a value must be to be clear; its unit."
    )
    on_delay_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=fields.LONGEST_DELAY_SECONDS,
        help_text="How long it must be so before an alert opens.",
    )
    off_delay_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=fields.LONGEST_DELAY_SECONDS,
        help_text="How long it must be clear before the alert closes.",
    )
    level = serializers.ChoiceField(choices=[one.value for one in Level])
    alert_type = serializers.ChoiceField(choices=[one.value for one in AlertType])
    text = Text(required=False, allow_blank=True, max_length=models.LONGEST_TEXT, help_text="What to do about it.")
    makes_work = Truth(required=False)
    enabled = Truth(required=False)
    is_default = serializers.BooleanField(read_only=True, help_text="Every tenant has it; it can only be disabled.")
    created_at = serializers.DateTimeField(read_only=True)
    changed_at = serializers.DateTimeField(read_only=True)


class RulePageSerializer(PageSerializer):
    results = RuleSerializer(many=True)


class _NamedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField(allow_blank=True)


class VocabularyChannelSerializer(_NamedSerializer):
    type = serializers.ChoiceField(choices=[one.value for one in ChannelType])
    choices = serializers.ListField(child=serializers.CharField(), help_text="The only texts there are, if any.")
    conditions = serializers.ListField(
        child=serializers.ChoiceField(choices=[one.value for one in Condition]), help_text="What may be asked of it."
    )


class VocabularyFieldSerializer(_NamedSerializer):
    """What a limit may be so many times of."""


class VocabularyKindSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    channels = VocabularyChannelSerializer(many=True)
    nameplate = VocabularyFieldSerializer(many=True)
    conditions = serializers.ListField(child=serializers.ChoiceField(choices=[one.value for one in Condition]))
    alert_types = serializers.ListField(child=serializers.ChoiceField(choices=[one.value for one in AlertType]))
    levels = serializers.ListField(
        child=serializers.ChoiceField(choices=[one.value for one in Level]), help_text="From the least."
    )
    silence_relative_to = serializers.ListField(
        child=serializers.CharField(), help_text="What the limit of a silence may be so many times of."
    )


class VocabularySerializer(serializers.Serializer[Any]):
    """What a rule may be made of, by kind."""

    kinds = VocabularyKindSerializer(many=True)
