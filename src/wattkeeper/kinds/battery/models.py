"""A battery's nameplate and current state, and the devices that hold batteries."""

from __future__ import annotations

from django.db import models

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset


class Status(models.TextChoices):
    """What a battery does."""

    CHARGING = "CHARGING"
    DISCHARGING = "DISCHARGING"
    IDLE = "IDLE"
    FAULT = "FAULT"


class DeviceType(models.TextChoices):
    """What kind of device holds batteries."""

    MOBILE = "MOBILE"
    LAPTOP = "LAPTOP"
    DRONE = "DRONE"
    VEHICLE = "VEHICLE"
    INDUSTRIAL = "INDUSTRIAL"
    OTHER = "OTHER"


class Battery(models.Model):
    """What stands on the nameplate; null where nobody has said it. Serial number and type are the asset's."""

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, primary_key=True, related_name="battery")
    capacity = models.FloatField(null=True, blank=True, help_text="mAh")
    voltage_nominal = models.FloatField(null=True, blank=True, help_text="V")
    max_discharge_current = models.FloatField(null=True, blank=True, help_text="A")
    max_charge_current = models.FloatField(null=True, blank=True, help_text="A")

    class Meta:
        verbose_name_plural = "batteries"

    def __str__(self) -> str:
        return str(self.asset)

    @property
    def tenant(self) -> Tenant:
        return self.asset.tenant


class BatteryState(models.Model):
    """What is known last; made with the battery. Readings move it forward by `at`, people write over it.

    `at` is the event time of the newest reading, or when a person wrote over what a reading says; null until then.
    """

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, primary_key=True, related_name="battery_state")
    at = models.DateTimeField(null=True, blank=True)
    current_charge = models.FloatField(null=True, blank=True, help_text="%")
    current_voltage = models.FloatField(null=True, blank=True, help_text="V")
    current_temperature = models.FloatField(null=True, blank=True, help_text="°C")
    current_status = models.CharField(max_length=20, choices=Status.choices, null=True, default=Status.IDLE)
    current = models.FloatField(null=True, blank=True, help_text="A, positive while charging")
    # The database knows the defaults too: a reading's statement names only what a reading brings.
    health_percentage = models.FloatField(default=100, db_default=100, help_text="%")
    cycle_count = models.PositiveIntegerField(default=0, db_default=0)
    updated_at = models.DateTimeField(help_text="When, by the clock, this row was last written.")

    def __str__(self) -> str:
        return f"{self.asset}: {self.current_status}"


class Device(models.Model):
    """Something that runs on batteries."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    device_name = models.CharField(max_length=200)
    device_type = models.CharField(max_length=20, choices=DeviceType.choices)
    serial_number = models.CharField(max_length=100)
    location = models.CharField(max_length=200, blank=True)
    batteries = models.ManyToManyField(Battery, blank=True, related_name="devices")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_checked = models.DateTimeField(help_text="When somebody last said what the device is and holds.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "serial_number"], name="device_serial_unique")]

    def __str__(self) -> str:
        return self.device_name
