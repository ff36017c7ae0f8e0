"""Who is told of what, what is on its way to them, and what became of it.

People's changes are made by `actions.py`; what is told is written by `gather.py` and `repeat.py`, what became of it by
`deliver.py`.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from wattkeeper.base.accounts.append_only import AppendOnly
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channels.declared import Outcome

LONGEST_NAME = 100
LONGEST_DETAIL = 500
LONGEST_TITLE = 300
LEVELS = [(one.value, one.value) for one in Level]


class NotifyChannel(models.Model):
    """A way to reach people: these addresses, that webhook. `type` names its folder in `channels/`."""

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME)
    type = models.CharField(max_length=20)
    settings = models.JSONField(default=dict, help_text="As its type keeps them; some are secret.")
    enabled = models.BooleanField(default=True)
    not_before = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then the other side has asked to be left alone."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=Q(removed_at=None), name="notify_channel_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Route(models.Model):
    """Which alerts are told through a channel, and how. Empty `kind` and `site`: of all."""

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(NotifyChannel, on_delete=models.PROTECT, related_name="routes")
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    site = models.CharField(max_length=200, blank=True)
    least_level = models.CharField(max_length=10, choices=LEVELS, default=Level.WARNING.value)
    tells_cleared = models.BooleanField(default=True, help_text="Say, too, when it is over.")
    group_seconds = models.PositiveIntegerField(default=30, help_text="What comes within so long is one message.")
    repeat_minutes = models.PositiveIntegerField(
        default=60, help_text="Tell again so often until somebody acknowledges it; 0: never."
    )
    quiet_from = models.TimeField(null=True, blank=True, help_text="In the tenant's time zone.")
    quiet_until = models.TimeField(null=True, blank=True)
    quiet_level = models.CharField(
        max_length=10,
        choices=LEVELS,
        default=Level.CRITICAL.value,
        help_text="From this level on it is told in quiet hours, too; the rest waits for their end.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name or f"{self.channel} from {self.least_level}"


class NotificationState(models.TextChoices):
    GATHERING = "gathering"  # news may still join it
    WAITING = "waiting"  # for its time, or for another attempt
    SENDING = "sending"  # claimed
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"  # what it would have said was over, or its channel gone


class Notification(models.Model):
    """One message through one channel. `event_id` is the same in each attempt; `route` is None of a test.

    `kept` is there while it is being sent, and from when somebody may have it until it comes to an end: an attempt
    more says the same. `told_at`: when it was written that somebody has, or may have.
    """

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(NotifyChannel, on_delete=models.PROTECT, related_name="notifications")
    route = models.ForeignKey(Route, models.PROTECT, null=True, blank=True, related_name="+")
    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=NotificationState, default=NotificationState.WAITING)
    is_test = models.BooleanField(default=False)
    requested_by = models.CharField(max_length=100, blank=True, help_text="Who asked for a test.")
    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(help_text="Not to be sent before.")
    attempts = models.PositiveIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    reached = models.JSONField(default=list, blank=True, help_text="Of several addresses those that have it already.")
    kept = models.JSONField(null=True, blank=True, editable=False, help_text="What it says, word for word.")
    told_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Empty: nobody can have it.")
    title = models.CharField(max_length=LONGEST_TITLE, blank=True, help_text="As it was sent.")
    why = models.CharField(max_length=LONGEST_DETAIL, blank=True, help_text="Of what was dropped or has failed.")

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["gathering", "waiting", "sending"]),
                name="notification_due",
            ),
            models.Index(fields=["tenant", "-created_at", "-id"], name="notification_newest"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.state} to {self.channel}"


class NewsItem(models.Model):
    """One thing that a notification tells. A route tells a transition once, whoever works it off and how often."""

    notification = models.ForeignKey(Notification, on_delete=models.PROTECT, related_name="items")
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="+")
    transition = models.ForeignKey("alerts.Transition", models.PROTECT, null=True, blank=True, related_name="+")
    alert = models.ForeignKey("alerts.Alert", on_delete=models.PROTECT, related_name="+")
    repeat = models.PositiveIntegerField(default=0, help_text="0: news; n: told for the n-th time again.")
    told_as = models.CharField(
        max_length=10, blank=True, help_text="What was true when it was sent (opened, cleared, ...); empty: not told."
    )
    repeat_at = models.DateTimeField(null=True, blank=True, help_text="When it is told again, if nobody cares.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["route", "transition", "repeat"], name="news_item_once"),
        ]
        indexes = [
            models.Index(fields=["repeat_at"], condition=Q(repeat_at__isnull=False), name="news_item_repeated"),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} in {self.notification_id}"


class GatherMark(models.Model):
    """How far what happens to alerts has been worked off. One row."""

    name = models.CharField(max_length=20, primary_key=True)
    newest = models.BigIntegerField(help_text="The highest id of a transition that has been looked at.")
    missing = models.JSONField(
        default=list,
        blank=True,
        help_text="Ids below it that may still be committed: first, last, and the transaction before which they began.",
    )

    def __str__(self) -> str:
        return f"{self.name}: {self.newest}"


class Delivery(AppendOnly):
    """One attempt to deliver a notification."""

    notification = models.ForeignKey(Notification, on_delete=models.PROTECT, related_name="deliveries")
    at = models.DateTimeField(default=clock.now)
    outcome = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Outcome])
    status = models.PositiveIntegerField(null=True, blank=True, help_text="HTTP's or SMTP's.")
    took_ms = models.PositiveIntegerField(default=0)
    detail = models.CharField(max_length=LONGEST_DETAIL, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.outcome}: {self.detail}"
