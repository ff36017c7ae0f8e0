"""One file that came: its report when it is loaded, how far it is until then, what to do where it failed."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.assets.queries import ids_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.errors import NotFoundError, WattkeeperError
from wattkeeper.flow.sources.csv_upload.actions import UploadName, upload_discard, upload_finalize
from wattkeeper.flow.sources.csv_upload.models import Upload
from wattkeeper.flow.sources.csv_upload.queries import UploadStatus, upload_by_id
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.import_rows import ImportRow, arrived_of, import_rows

SHOWN_REFUSALS = 20
UNDER_WAY = {UploadStatus.RECEIVING, UploadStatus.FAILED}


@page()
def imported(request: HttpRequest, caller: Caller, upload_id: UUID) -> HttpResponse:
    """The page of one import. While it is loaded the page asks for itself again every second."""
    upload = _mine(caller, upload_id)
    [row] = import_rows([upload])
    report = upload.report or {}
    context = {
        "row": row,
        "upload": upload,
        "report": report,
        "refusals": report.get("refused_rows", [])[:SHOWN_REFUSALS],
        "refused": reverse(f"{row.stream.name}-refused", args=[upload.pk]),
        "can_be_mended": bool(upload.header),
        "list_url": f"assets-{row.kind.name}",
        "asset_url": f"asset-{row.kind.name}",
        "asset_id": _asset_id(row),
        "arrived": arrived_of(upload) if row.status in UNDER_WAY else None,
        "is_mine": upload.owner == caller.identity,
        "may_import": caller.may(Action.INGEST),
        "show_tenant": caller.above_tenants,
    }
    return render(request, "wattkeeper/import.html", context)


@page(read=Action.INGEST, write=Action.INGEST)
def import_retry(request: HttpRequest, caller: Caller, upload_id: UUID) -> HttpResponse:
    """POST: load once more what is here already."""
    upload = _mine(caller, upload_id)
    if request.method == "POST":
        name = UploadName(
            upload.tenant_id, upload.owner, registry.stream(upload.stream), upload.asset_key, upload.file_name
        )
        try:
            upload_finalize(name, total=upload.total_chunks, respond_async=True)
        except WattkeeperError as error:
            messages.error(request, str(error))
    return redirect("import", upload_id)


@page(read=Action.INGEST, write=Action.INGEST)
def import_discard(request: HttpRequest, caller: Caller, upload_id: UUID) -> HttpResponse:
    """POST: forget a file that is not loaded."""
    upload = _mine(caller, upload_id)
    if request.method != "POST":
        return redirect("import", upload_id)
    upload_discard(upload, actor=caller.identity)
    if "HX-Request" in request.headers:
        return HttpResponse()  # the page that asked takes it out of its list
    messages.success(request, f"{upload.file_name} was discarded.")
    return redirect("imports")


def _mine(caller: Caller, upload_id: UUID) -> Upload:
    found = upload_by_id(upload_id, tenant_id=caller.tenant_id)
    if found is None:
        raise NotFoundError("There is no such import, or it is not yours.")
    return found


def _asset_id(row: ImportRow) -> int | None:
    """The asset's whose rows the whole file is."""
    key = row.upload.asset_key
    return ids_of(tenant_id=row.upload.tenant_id, kind=row.kind.name, keys=[key]).get(key) if key else None
