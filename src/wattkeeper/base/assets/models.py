"""The thing we watch."""

from __future__ import annotations

from django.db import models

from wattkeeper.base.accounts.models import validate_time_zone


class Asset(models.Model):
    """One battery, vehicle, meter or machine. Archived, never deleted: its id is part of its readings' keys."""

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    type = models.CharField(max_length=100, blank=True)
    key = models.CharField(max_length=200, help_text="Serial number, vehicle id, meter id, machine id.")
    name = models.CharField(max_length=200, blank=True)
    site = models.CharField(max_length=200, blank=True)
    registered_by = models.CharField(max_length=100, help_text="The user or key that made it appear.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(null=True, blank=True, help_text="The newest sign of life.")
    last_changed = models.DateTimeField(null=True, blank=True, help_text="When its state was last another than before.")
    usual_interval = models.FloatField(null=True, blank=True, help_text="Seconds between two signs of life.")
    readings_seen = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Signs of life, one by one.")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "key"], name="asset_key_unique"),
        ]
        indexes = [
            models.Index(fields=["kind", "key"], name="asset_kind_key"),
            # Counts a fleet by itself; and lists that filter or sort by the state read their rows in the tables' own
            # order, several times as fast as in the order of the keys.
            models.Index(fields=["kind", "tenant"], condition=models.Q(archived_at=None), name="asset_in_use"),
            # Every page asks which sites there are.
            models.Index(
                fields=["tenant", "site"], condition=models.Q(archived_at=None, site__gt=""), name="asset_site"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.key


class SiteZone(models.Model):
    """In which zone the clocks of a site's things go. The site without a name: of all that have none of their own."""

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.CASCADE, related_name="+")
    site = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "site"],
                name="site_zone_unique",
                violation_error_message="There is a zone for this site already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.site or 'all other sites'}: {self.time_zone}"
