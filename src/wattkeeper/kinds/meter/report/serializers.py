"""The months of reports, as the API tells them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from wattkeeper.kinds.meter.models import FrozenMonth
from wattkeeper.kinds.meter.report.queries import MonthState


class MonthSerializer(serializers.Serializer[Any]):
    """A month of which there are messages, or that is frozen."""

    month = serializers.CharField(help_text="`2026-10`")
    devices = serializers.IntegerField(help_text="How many meters are in its report.")
    frozen_at = serializers.DateTimeField(allow_null=True)
    frozen_by = serializers.CharField(allow_null=True, help_text="The person or the key.")
    late = serializers.IntegerField(help_text="Messages that came for it after it was frozen.")

    def to_representation(self, instance: MonthState) -> dict[str, Any]:
        return {
            "month": str(instance.month),
            "devices": instance.devices,
            "frozen_at": instance.frozen_at and instance.frozen_at.isoformat().replace("+00:00", "Z"),
            "frozen_by": self.context["names"].get(instance.frozen_by),
            "late": instance.late,
        }


class FrozenSerializer(serializers.Serializer[Any]):
    """A frozen month."""

    month = serializers.CharField(help_text="`2026-10`")
    devices = serializers.IntegerField(help_text="How many meters are in its report.")
    rows = serializers.IntegerField(help_text="With all pairs of each.")
    frozen_at = serializers.DateTimeField()
    frozen_by = serializers.CharField(help_text="The person or the key.")

    def to_representation(self, instance: FrozenMonth) -> dict[str, Any]:
        return {
            "month": f"{instance.month:%Y-%m}",
            "devices": instance.devices,
            "rows": instance.rows,
            "frozen_at": instance.frozen_at.isoformat().replace("+00:00", "Z"),
            "frozen_by": self.context["names"].get(instance.frozen_by),
        }
