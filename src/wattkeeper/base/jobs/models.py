"""One row for each time that a job is asked for."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from wattkeeper.base.core import clock


class RunState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


UNFINISHED = (RunState.QUEUED, RunState.RUNNING)


class Run(models.Model):
    """Written by `actions.py` alone.

    `worker` names the one claim that may write to a running run. `heartbeat_at` is that worker's last sign of
    life; of a queued run it is when the run was last put on the queue. `started_at` is the first attempt's.
    """

    State = RunState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=200, help_text="What the run works on, for example an upload's id.")
    tenant_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    owner = models.CharField(max_length=200, help_text="Who asked for it, for example user:3.")
    state = models.CharField(max_length=10, choices=RunState, default=RunState.QUEUED)
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_total = models.PositiveBigIntegerField(null=True, blank=True)
    progress_text = models.CharField(max_length=200, blank=True, default="")
    args: models.JSONField[Any, Any] = models.JSONField(default=dict)
    outcome: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    error = models.TextField(blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("name", "key"), condition=Q(state__in=UNFINISHED), name="jobs_run_one_unfinished"
            ),
        )
        indexes = (
            models.Index(
                fields=("state", "heartbeat_at"),
                condition=Q(state__in=UNFINISHED),
                name="jobs_run_unfinished",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.key}"
