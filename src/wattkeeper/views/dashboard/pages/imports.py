"""Where files are dropped, and the list of those that came."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller, tenant_for_write
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.sources.csv_upload.queries import ORDERINGS, UploadStatus, uploads_of
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.import_rows import BADGES, Arrived, ImportRow, arrived_of, import_rows
from wattkeeper.views.dashboard.scope import scope_of

ROWS = 25
SHOWN_UNFINISHED = 20
LONGEST_SEARCH = 255
NEWEST_FIRST = "-created_at"


@dataclass(frozen=True, slots=True)
class Door:
    """Where files for a stream are sent, by the addresses of the API."""

    stream: Stream
    kind: Kind
    preview: str
    chunk: str
    finalize: str
    uploads: str


@page()
def imports(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The place to drop a file, for those who may; what is unfinished of one's own; and the list."""
    scope, search, status, sort = scope_of(request, caller), _search(request), _status(request), _sort(request)
    found = uploads_of(None, tenant_id=scope.tenant_id, status=status, search=search, ordering=sort)
    shown = Paginator(found.select_related("tenant"), ROWS).get_page(request.GET.get("page"))
    may_import = caller.may(Action.INGEST)
    rows = import_rows(shown.object_list)
    target = _target(caller, scope.tenant_slug) if may_import else None
    context = {
        "may_import": may_import,
        "target": target,
        "doors": _doors(target, named=caller.above_tenants) if target else [],
        "chosen_stream": request.GET.get("stream", ""),
        "chosen_asset": request.GET.get("asset", ""),
        "unfinished": _unfinished(caller, target) if target else [],
        "search": search,
        "status": status,
        "statuses": [(status, badge.word) for status, badge in BADGES.items()],
        "sort": sort,
        "page": shown,
        "rows": rows,
        "is_loading": any(row.status is UploadStatus.RUNNING for row in rows),
        "names_tenant": caller.above_tenants,
        "show_tenant": scope.tenant_id is None,
        "show_kind": len(registry.kinds()) > 1,
        "sample_kind": registry.kinds()[0].name,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "wattkeeper/imports.html", context)


def _target(caller: Caller, slug: str) -> Tenant | None:
    """In which tenant a dropped file would be stored; None where that has to be chosen first."""
    try:
        return tenant_for_write(caller, slug)
    except BadRequestError:
        return None


def _doors(target: Tenant, *, named: bool) -> list[Door]:
    """`named`: whoever sends must say the tenant."""
    query = f"?{urlencode({'tenant': target.slug})}" if named else ""
    return [
        Door(
            stream,
            kind,
            *(reverse(f"{stream.name}-{step}") + query for step in ("preview", "chunk", "finalize", "uploads")),
        )
        for kind in registry.kinds()
        for stream in kind.streams
        if stream.takes_files
    ]


def _unfinished(caller: Caller, target: Tenant) -> list[tuple[ImportRow, Arrived]]:
    """The caller's own files that are here in part, or could not be loaded."""
    rows: list[ImportRow] = []
    for status in (UploadStatus.FAILED, UploadStatus.RECEIVING):
        mine = uploads_of(None, tenant_id=target.pk, owner=caller.identity, status=status)
        rows += import_rows(mine.select_related("tenant")[:SHOWN_UNFINISHED])
    return [(row, arrived_of(row.upload)) for row in rows]


def _search(request: HttpRequest) -> str:
    return request.GET.get("search", "").replace("\0", "").strip()[:LONGEST_SEARCH]


def _status(request: HttpRequest) -> UploadStatus | None:
    text = request.GET.get("status", "")
    if text and text not in set(UploadStatus):
        raise BadRequestError(f"{text[:40]!r} is not a state of an import.", field="status")
    return UploadStatus(text) if text else None


def _sort(request: HttpRequest) -> str:
    text = request.GET.get("sort", "") or NEWEST_FIRST
    if text not in ORDERINGS:
        raise BadRequestError(f"{text[:40]!r} is not a column that imports are sorted by.", field="sort")
    return text
