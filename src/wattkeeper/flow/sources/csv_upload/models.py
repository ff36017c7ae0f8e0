"""An upload: who sends which file for which asset, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from wattkeeper.base.core.ids import batch_id_new


class UploadState(models.TextChoices):
    RECEIVING = "receiving"
    LOADING = "loading"
    FAILED = "failed"  # the chunks are kept: finalize can be sent again
    DONE = "done"


class Upload(models.Model):
    """It belongs to who sends it, to the asset and to the file's name; one of them is under way at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    owner = models.CharField(max_length=100, help_text="The user or key that sends it.")
    stream = models.CharField(max_length=100)
    asset_key = models.CharField(max_length=200, blank=True, help_text="Empty: the file names its assets itself.")
    file_name = models.CharField(max_length=255, help_text="As the sender calls it; never a path.")
    total_chunks = models.PositiveIntegerField()
    fingerprint = models.CharField(
        max_length=100, blank=True, default="", help_text="By which the sender tells files of one name apart."
    )
    state = models.CharField(max_length=10, choices=UploadState, default=UploadState.RECEIVING)
    # Decided before the first attempt to load, so that every attempt stores the same rows.
    batch_id = models.BigIntegerField(default=batch_id_new, unique=True)
    run_id = models.UUIDField(null=True, blank=True)
    report = models.JSONField(null=True, blank=True)
    # Kept of a loaded file, whose chunks are gone: what its refused rows are written under.
    header = models.TextField(blank=True, default="")
    delimiter = models.CharField(max_length=1, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner", "stream", "asset_key", "file_name"],
                condition=~Q(state="done"),
                name="upload_one_under_way",
            )
        ]
        indexes = [models.Index(fields=["stream", "tenant", "-created_at"], name="upload_newest")]

    def __str__(self) -> str:
        return self.file_name
