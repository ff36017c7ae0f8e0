"""What is asked about uploads."""

from __future__ import annotations

from uuid import UUID

from wattkeeper.flow.sources.csv_upload.models import Upload


def upload_by_id(upload_id: UUID, *, tenant_id: int | None, stream: str) -> Upload | None:
    """An upload of the tenant (None: of any) to that stream."""
    uploads = Upload.objects.filter(pk=upload_id, stream=stream)
    return (uploads if tenant_id is None else uploads.filter(tenant_id=tenant_id)).first()
