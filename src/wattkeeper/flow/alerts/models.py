"""Alerts, what is watched because it is not clear, and all that happened. Written by the actions of this package."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Q, Value, When

from wattkeeper.base.accounts.append_only import AppendOnly
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.flow.alerts.machine import Phase

LONGEST_LIMIT = 500
LONGEST_MESSAGE = 2_000
LONGEST_REASON = 500
LONGEST_TEXT = 2_000  # of a comment
LONGEST_VALUE = 200
LONGEST_IDENTITY = 100

_VISIBLE = Q(hidden_at=None)
_UNRESOLVED = Q(resolved_at=None)


class Group(models.IntegerChoices):
    """In which order alerts ask for somebody, the most urgent first; one that asks for nobody is in none."""

    NEW = 0  # open, and nobody has said that they know of it
    KNOWN = 1  # open, acknowledged
    OVER = 2  # it has cleared by itself, and nobody has said that they know that it was
    SHELVED = 3


_GROUP = {
    Group.SHELVED: _UNRESOLVED & Q(shelved_until__isnull=False),
    Group.NEW: _UNRESOLVED & Q(acknowledged_at=None),
    Group.KNOWN: _UNRESOLVED,
    Group.OVER: Q(cleared_at__isnull=False, acknowledged_at=None),
}
LEVELS_A_GROUP = 10
_LEVELS = list(reversed(Level))  # within a group the worst first


def _urgency() -> Case:
    """The number of the group and, in its last digit, of the level."""
    asked = (
        When(_VISIBLE & which & Q(level=level.value), then=Value(group * LEVELS_A_GROUP + place))
        for group, which in _GROUP.items()
        for place, level in enumerate(_LEVELS)
    )
    return Case(*asked, default=None)


def group_and_level(urgency: int) -> tuple[Group, Level]:
    """What an alert's `urgency` says."""
    return Group(urgency // LEVELS_A_GROUP), _LEVELS[urgency % LEVELS_A_GROUP]


class Alert(models.Model):
    """Something is wrong with a thing, or was. Never deleted: people hide it.

    `created_at`, `updated_at` and `resolved_at` are by the clock; `opened_at` and `cleared_at` are event times of the
    readings that said so. `resolved_at` is set when it is over, for whichever reason: it was clear (`cleared_at` too),
    or a person has resolved it.
    """

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    asset = models.ForeignKey("assets.Asset", on_delete=models.PROTECT, related_name="+", db_index=False)
    rule = models.ForeignKey(
        "rules.Rule", models.PROTECT, null=True, blank=True, related_name="+", help_text="None: people posted it."
    )
    # The asset's, which never changes: a fleet's alerts are counted without their assets.
    kind = models.CharField(max_length=40, editable=False)
    alert_type = models.CharField(max_length=40, choices=[(one.value, one.value) for one in AlertType])
    level = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Level])
    message = models.CharField(max_length=LONGEST_MESSAGE)
    value = models.CharField(max_length=LONGEST_VALUE, blank=True, help_text="The newest that was judged.")
    limit = models.CharField(max_length=LONGEST_LIMIT, blank=True, help_text="What it was judged by.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=LONGEST_IDENTITY, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=LONGEST_IDENTITY, blank=True)
    assigned_to = models.ForeignKey("accounts.User", models.SET_NULL, null=True, blank=True, related_name="+")
    shelved_until = models.DateTimeField(null=True, blank=True)
    shelve_reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    shelved_by = models.CharField(max_length=LONGEST_IDENTITY, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    # Kept by the database, so that a list of what people must look at is read in an index's own order.
    urgency = models.GeneratedField(
        expression=_urgency(), output_field=models.SmallIntegerField(null=True), db_persist=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "rule"], condition=_UNRESOLVED, name="alert_one_open"),
        ]
        indexes = [
            models.Index(fields=["asset", "opened_at"], name="alert_of_asset"),
            # A flush opens many at one moment: with their ids a page is read in the index's own order.
            models.Index(fields=["tenant", "-created_at", "-id"], condition=_VISIBLE, name="alert_newest"),
            models.Index(
                fields=["tenant", "-created_at", "-id"],
                condition=_VISIBLE & _UNRESOLVED,
                name="alert_unresolved_newest",
            ),
            # The counts of a dashboard are read from these two alone.
            models.Index(fields=["tenant", "kind", "alert_type", "level"], condition=_VISIBLE, name="alert_counted"),
            models.Index(
                fields=["tenant", "kind", "level"], condition=_VISIBLE & _UNRESOLVED, name="alert_unresolved_counted"
            ),
            models.Index(
                fields=["tenant", "urgency", "-created_at", "-id"],
                condition=Q(urgency__isnull=False),
                name="alert_urgent",
            ),
            models.Index(fields=["shelved_until"], condition=Q(shelved_until__isnull=False), name="alert_shelved"),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.alert_type}: {self.message}"

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at is not None

    @property
    def group(self) -> Group | None:
        """As it was when it was read."""
        return None if self.urgency is None else group_and_level(self.urgency)[0]


class RuleState(models.Model):
    """Where a rule stands with an asset; there only while that is not clear. `machine.Watch` is what is in it."""

    rule = models.ForeignKey("rules.Rule", on_delete=models.PROTECT, related_name="+")
    asset = models.ForeignKey("assets.Asset", on_delete=models.PROTECT, related_name="+", db_index=False)
    phase = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Phase])
    since = models.DateTimeField(help_text="Since when it is in this phase, in event time.")
    at = models.DateTimeField(help_text="The event time of the newest verdict.")
    chattering = models.BooleanField(default=False, help_text="It opened too often to be believed when it clears.")
    alert = models.ForeignKey(Alert, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "rule"], name="rule_state_once")]

    def __str__(self) -> str:
        return f"{self.rule_id} on {self.asset_id}: {self.phase}"


class Happening(models.TextChoices):
    """What can happen to an alert."""

    OPENED = "opened"
    CLEARED = "cleared"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    CHANGED = "changed"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    ANNOUNCED = "announced"  # its shelf has ended, and it is still open: as if it had just opened
    HIDDEN = "hidden"


class Transition(AppendOnly):
    """One thing that happened to an alert: its history, and what whoever tells people works off. Ids rise."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="transitions")
    kind = models.CharField(max_length=15, choices=Happening)
    at = models.DateTimeField(help_text="By the clock.")
    event_at = models.DateTimeField(help_text="By the reading that made it so; else as `at`.")
    by = models.CharField(max_length=LONGEST_IDENTITY, help_text="The user or key; else rule or clock.")
    why = models.CharField(max_length=LONGEST_MESSAGE, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.kind} by {self.by}"
