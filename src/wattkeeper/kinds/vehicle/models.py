"""The vehicle's current state."""

from __future__ import annotations

from django.db import models

from wattkeeper.base.assets.models import Asset


class VehicleState(models.Model):
    """What is known last, by event time. Written only by `actions.state_apply`."""

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, primary_key=True, related_name="vehicle_state")
    at = models.DateTimeField()
    speed = models.FloatField(null=True, help_text="km/h")
    odometer = models.FloatField(null=True, help_text="km")
    soc = models.IntegerField(null=True, help_text="%")
    elevation = models.FloatField(null=True, help_text="m")
    shift_state = models.CharField(max_length=1, null=True)

    def __str__(self) -> str:
        return f"{self.asset} at {self.at:%Y-%m-%d %H:%M:%S}"
