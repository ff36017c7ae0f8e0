"""What trying a rule takes and tells."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from wattkeeper.flow.alerts.trial import DAYS, DAYS_MOST, LISTED_MOST
from wattkeeper.views.api.rule_serializers import RuleSerializer


class TriedRuleSerializer(RuleSerializer):
    """A rule as it would be added, and on how many days it is tried."""

    days = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=DAYS_MOST,
        write_only=True,
        help_text=f"On the readings of the last so many days; {DAYS} where it is missing.",
    )


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}], "nullable": True})
class _ValueField(serializers.Field[Any, Any, Any, Any]):
    def to_representation(self, value: Any) -> Any:
        return value


class TrialDaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="UTC.")
    count = serializers.IntegerField()


class TrialAssetSerializer(serializers.Serializer[Any]):
    asset = serializers.IntegerField()
    key = serializers.CharField()
    count = serializers.IntegerField()


class TrialAlertSerializer(serializers.Serializer[Any]):
    """An alert that would have been."""

    asset = serializers.IntegerField()
    key = serializers.CharField()
    opened_at = serializers.DateTimeField()
    cleared_at = serializers.DateTimeField(allow_null=True, help_text="null: it would still be open.")
    worst = _ValueField(
        allow_null=True, help_text="The value farthest beyond the limit; of changes a minute, of a silence in seconds."
    )
    seconds = serializers.FloatField(help_text="For how long it was open, or has been.")


class TrialSerializer(serializers.Serializer[Any]):
    """What the rule would have raised. All counts are exact, however many alerts are listed."""

    days = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    untestable = serializers.CharField(
        allow_null=True, help_text="Why there is no history to try the rule on; null where there is."
    )
    assets = serializers.IntegerField(help_text="How many things the rule is about.")
    assets_unsure = serializers.IntegerField(help_text="Those of which nobody knows the limit.")
    assets_alerted = serializers.IntegerField()
    readings = serializers.IntegerField(help_text="How many were looked at.")
    total = serializers.IntegerField(help_text="How many alerts there would have been.")
    still_open = serializers.IntegerField()
    by_day = TrialDaySerializer(many=True, help_text="When they opened: every day of the time, the oldest first.")
    by_asset = TrialAssetSerializer(many=True, help_text=f"The {LISTED_MOST} things with the most alerts.")
    alerts = TrialAlertSerializer(many=True, help_text=f"The newest {LISTED_MOST}, the newest first.")
