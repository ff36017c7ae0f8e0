"""Rules as people write them, and one number a tenant that says whether they have changed. Written by `actions.py`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from wattkeeper.base.catalog.alerting import Condition, Level
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.flow.rules.expressions import LONGEST

LONGEST_NAME = 200
LONGEST_TEXT = 1_000


class Rule(models.Model):
    """One rule of a tenant. Its limits stand as a person wrote them; `fields.spec_of` understands them.

    `default_name` is that of the kind's default which the rule came from; blank of a rule that people made.
    Removed rules stay: alerts lead to them.
    """

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    type = models.CharField(max_length=100, blank=True, help_text="Things of this type only; empty: of every type.")
    asset = models.ForeignKey(
        "assets.Asset", models.PROTECT, null=True, blank=True, related_name="+", help_text="This thing only."
    )
    name = models.CharField(max_length=LONGEST_NAME)
    default_name = models.CharField(max_length=100, blank=True, default="", editable=False)
    channel = models.CharField(max_length=100, blank=True, help_text="None for a silence.")
    condition = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Condition])
    limit = models.CharField(
        max_length=LONGEST, blank=True, help_text="A number, such as 50, or 0.8 * voltage_nominal; or a text."
    )
    low = models.CharField(max_length=LONGEST, blank=True, help_text="Of outside: the lower limit.")
    high = models.CharField(max_length=LONGEST, blank=True, help_text="Of outside: the upper limit.")
    while_channel = models.CharField(max_length=100, blank=True, help_text="Only while this channel ...")
    while_condition = models.CharField(
        max_length=10,
        blank=True,
        choices=[(one.value, one.value) for one in (Condition.ABOVE, Condition.BELOW, Condition.EQUALS)],
        help_text="... is above, below or equals ...",
    )
    while_limit = models.CharField(max_length=LONGEST, blank=True, help_text="... this.")
    deadband = models.FloatField(default=0.0, help_text="How far inside its limit a value must be to be clear of it.")
    on_delay_seconds = models.PositiveIntegerField(default=0)
    off_delay_seconds = models.PositiveIntegerField(default=0)
    level = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Level])
    alert_type = models.CharField(max_length=40, help_text="One of those that the kind declares.")
    text = models.CharField(max_length=LONGEST_TEXT, blank=True, help_text="What to do about it.")
    makes_work = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=100, editable=False, help_text="The user or key; of a default, nobody.")
    changed_at = models.DateTimeField(editable=False)
    changed_by = models.CharField(max_length=100, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "default_name"], condition=~Q(default_name=""), name="rule_default_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "kind"], condition=Q(removed_at=None), name="rule_in_use")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_default(self) -> bool:
        return self.default_name != ""


class Revision(models.Model):
    """Plans compiled from a tenant's rules hold while its `number` is the same.

    It is drawn anew at each change, not counted: a number that a rolled-back transaction has shown to someone never
    comes again for other rules.
    """

    tenant = models.OneToOneField("accounts.Tenant", models.PROTECT, primary_key=True, related_name="+")
    number = models.BigIntegerField(default=batch_id_new)

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.number}"


class JudgedMark(models.Model):
    """Up to which number in its order of arrival a stream's single readings have been judged."""

    stream = models.CharField(max_length=100, primary_key=True)
    arrival = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.stream}: {self.arrival}"
