"""What is asked about uploads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from wattkeeper.base.jobs.models import Run
from wattkeeper.flow.sources.csv_upload.actions import folder_of
from wattkeeper.flow.sources.csv_upload.models import Upload, UploadState

ORDERINGS = ("created_at", "-created_at", "file_name", "-file_name")


class UploadStatus(StrEnum):
    """What an upload is to the outside."""

    RECEIVING = "receiving"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the chunks are kept: finalize can be sent again


@dataclass(frozen=True, slots=True)
class Received:
    """What is here of a file: the chunks' indexes as ranges with both ends, and how many bytes they have."""

    ranges: list[list[int]]
    size: int


def upload_by_id(upload_id: UUID, *, tenant_id: int | None, stream: str | None = None) -> Upload | None:
    """An upload of the tenant (None: of any) to that stream (None: to any)."""
    uploads = Upload.objects.filter(pk=upload_id)
    if stream is not None:
        uploads = uploads.filter(stream=stream)
    return (uploads if tenant_id is None else uploads.filter(tenant_id=tenant_id)).select_related("tenant").first()


def uploads_of(
    stream: str | None,
    *,
    tenant_id: int | None,
    owner: str | None = None,
    not_owner: str | None = None,
    status: UploadStatus | None = None,
    file_name: str | None = None,
    search: str = "",
    ordering: str = "-created_at",
) -> QuerySet[Upload]:
    """The uploads to a stream (None: to all), without what they keep of their files' headers.

    `tenant_id` None: of all tenants. `owner`: those of that identity (`user:3`), `not_owner`: all others.
    `search` stands in the file's name or the asset's key, in any case. `ordering` is one of ORDERINGS.
    """
    uploads = Upload.objects.defer("header")
    if stream is not None:
        uploads = uploads.filter(stream=stream)
    if tenant_id is not None:
        uploads = uploads.filter(tenant_id=tenant_id)
    if owner is not None:
        uploads = uploads.filter(owner=owner)
    if not_owner is not None:
        uploads = uploads.exclude(owner=not_owner)
    if status is not None:
        uploads = uploads.filter(_condition(status))
    if file_name is not None:
        uploads = uploads.filter(file_name=file_name)
    if search:
        uploads = uploads.filter(Q(file_name__icontains=search) | Q(asset_key__icontains=search))
    return uploads.order_by(ordering, "-created_at", "pk")


def status_of(upload: Upload, run: Run | None) -> UploadStatus:
    """`run` is the upload's, None where it has none. `_condition` says the same to the database."""
    if upload.state == UploadState.LOADING:
        failed = run is not None and run.state == Run.State.FAILED
        return UploadStatus.FAILED if failed else UploadStatus.RUNNING
    return UploadStatus(upload.state)


def received_of(upload: Upload) -> Received:
    """What has come of a file that is not loaded."""
    present = folder_of(upload.pk).present()
    return Received(_ranges(sorted(present)), sum(present.values()))


def _condition(status: UploadStatus) -> Q:
    failed = Run.objects.filter(pk=OuterRef("run_id"), state=Run.State.FAILED)
    given_up = Q(Exists(failed), state=UploadState.LOADING)
    if status is UploadStatus.FAILED:
        return Q(state=UploadState.FAILED) | given_up
    if status is UploadStatus.RUNNING:
        return Q(state=UploadState.LOADING) & ~given_up
    return Q(state=status.value)


def _ranges(indexes: list[int]) -> list[list[int]]:
    """[0, 1, 2, 5] -> [[0, 2], [5, 5]]"""
    if not indexes:
        return []
    breaks = [(before, after) for before, after in pairwise(indexes) if after != before + 1]
    firsts = [indexes[0], *(after for _, after in breaks)]
    lasts = [*(before for before, _ in breaks), indexes[-1]]
    return [[first, last] for first, last in zip(firsts, lasts, strict=True)]
