"""What a meter is known by, its current state, and what a tenant says of its meters and months."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.kinds.meter.codes import manufacturers


class Meter(models.Model):
    """Who it is, all four of which make the asset's key; written when it appears. And what is learnt of its use."""

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, primary_key=True, related_name="meter")
    manufacturer = models.PositiveIntegerField(help_text="Three letters in 3 x 5 bits: 5317 is EFE.")
    identnr = models.CharField(max_length=8, help_text="Eight digits.")
    version = models.PositiveSmallIntegerField()
    device_type = models.PositiveSmallIntegerField(help_text="The medium's number: 4 is heat.")
    replaces = models.OneToOneField(
        Asset,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        help_text="The meter that was taken down where this one hangs now.",
    )
    usual_least = models.FloatField(null=True, blank=True, help_text="Of its use in a day, as it has been lately.")
    usual_most = models.FloatField(null=True, blank=True, help_text="Of its use in a day, as it has been lately.")

    def __str__(self) -> str:
        return str(self.asset)

    @property
    def tenant(self) -> Tenant:
        return self.asset.tenant


class MeterState(models.Model):
    """What is known last, by the time by which messages count. `daily_use` is learnt; all else messages bring."""

    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, primary_key=True, related_name="meter_state")
    at = models.DateTimeField()
    energy = models.FloatField(null=True, help_text="kWh")
    volume = models.FloatField(null=True, help_text="m³")
    heat_cost = models.FloatField(null=True)
    power = models.FloatField(null=True, help_text="kW")
    volume_flow = models.FloatField(null=True, help_text="m³/h")
    flow_temperature = models.FloatField(null=True, help_text="°C")
    return_temperature = models.FloatField(null=True, help_text="°C")
    status = models.PositiveSmallIntegerField(null=True, help_text="As the meter sent it.")
    error = models.PositiveSmallIntegerField(null=True)
    alarm = models.PositiveSmallIntegerField(null=True)
    power_low = models.PositiveSmallIntegerField(null=True)
    clock_offset = models.FloatField(null=True, help_text="h")
    daily_use = models.FloatField(null=True, help_text="Of its last whole day, in the unit of its main measurement.")
    main_dimension = models.CharField(max_length=200, null=True, help_text="As it was sent.")
    main_value = models.CharField(max_length=400, null=True, help_text="As it was sent.")

    def __str__(self) -> str:
        return f"{self.asset} at {self.at:%Y-%m-%d %H:%M:%S}"


class DueStorage(models.Model):
    """Which storage of a maker's meters holds the values of the due date, where that is not number 1."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    manufacturer = models.PositiveIntegerField(validators=[MaxValueValidator(manufacturers.HIGHEST)])
    device_type = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(255)], help_text="Empty: of all types."
    )
    version = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(255)], help_text="Empty: of all versions."
    )
    storage = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(2**31 - 1)])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "tenant",
                "manufacturer",
                Coalesce("device_type", -1),  # SQLite takes each null for another
                Coalesce("version", -1),
                name="due_storage_unique",
                violation_error_message="There is a setting for these meters already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{manufacturers.words_of(self.manufacturer)}: storage {self.storage}"


class FrozenMonth(models.Model):
    """The report of a month that is closed, as it was then: what comes later does not change it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    month = models.DateField(help_text="Its first day.")
    frozen_at = models.DateTimeField()
    frozen_by = models.CharField(max_length=200)
    devices = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    content = models.BinaryField(help_text="The rows, a line of JSON each, compressed.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "month"], name="frozen_month_unique")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
