"""Files in chunks, for any stream: the chunk, the finalize, what became of it, and the refused rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import StreamingHttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from wattkeeper.base.accounts.callers import Caller, caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.core.download import Download
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.base.core.formulas import harmless
from wattkeeper.base.jobs.models import Run
from wattkeeper.base.jobs.queries import run_by_id, run_report
from wattkeeper.flow.readings.reasons import NULL_WORDS
from wattkeeper.flow.sources.csv_upload.actions import UploadName, chunk_store, upload_finalize
from wattkeeper.flow.sources.csv_upload.models import Upload, UploadState
from wattkeeper.flow.sources.csv_upload.queries import upload_by_id
from wattkeeper.flow.store.load import refused_rows
from wattkeeper.flow.store.store import store
from wattkeeper.views.api.readings import StreamFileView, StreamView

FILE_NAME_MAX = 255


class UploadView(StreamView):
    """What the two steps of an upload have in common: whose it is."""

    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.INGEST}

    def upload_name(self, request: Request, caller: Caller) -> UploadName:
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        file_name = _text(request, "file_name", longest=FILE_NAME_MAX)
        if not file_name:
            raise BadRequestError("This field is required.", field="file_name")
        asset_field = self.stream.asset_field
        asset_key = _text(request, asset_field, longest=self.stream.asset_key_max_length)
        if asset_key.lower() in NULL_WORDS:
            asset_key = ""
        return UploadName(tenant.pk, caller.identity, self.stream, asset_key, file_name)


class UploadChunk(UploadView):
    """POST one chunk of a file."""

    def post(self, request: Request) -> Response:
        name = self.upload_name(request, caller_of(request))
        chunk = request.FILES.get("chunk")
        if not isinstance(chunk, UploadedFile):
            raise BadRequestError("Send the chunk as a file of a multipart form.", field="chunk")
        index, total = _number(request, "chunk_index"), _number(request, "total_chunks")
        chunk_store(name, index=index, total=total, pieces=chunk.chunks(), size=chunk.size or 0)
        return Response({"status": "chunk received", "chunk_index": index, "total_chunks": total})


class UploadFinalize(UploadView):
    """POST: all chunks are sent; load the file."""

    def post(self, request: Request) -> Response:
        name = self.upload_name(request, caller_of(request))
        respond_async = "respond-async" in request.headers.get("Prefer", "").lower()
        upload, run = upload_finalize(name, total=_number(request, "total_chunks"), respond_async=respond_async)
        place = status_url(request, upload)
        if upload.state == UploadState.DONE:
            return Response(report_of(upload, place), headers={"Location": place})
        if run is not None and run.state == Run.State.FAILED:
            return Response({"detail": run.error}, status=status.HTTP_503_SERVICE_UNAVAILABLE)
        return Response(status_of(upload, run, place), status=status.HTTP_202_ACCEPTED, headers={"Location": place})


class UploadStatus(StreamView):
    """GET what has become of an upload."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.FOLLOW}

    def get(self, request: Request, upload_id: UUID) -> Response:
        upload = _own_upload(self, request, upload_id)
        run = run_by_id(upload.run_id) if upload.run_id else None
        return Response(status_of(upload, run, request.path))


class UploadRefused(StreamFileView):
    """GET the refused rows of an upload as a CSV file."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.FOLLOW}

    def get(self, request: Request, upload_id: UUID) -> StreamingHttpResponse:
        upload = _own_upload(self, request, upload_id)
        pieces = Download(_refused_csv(upload.batch_id))
        response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="refused_{upload.pk}.csv"'
        response["X-Accel-Buffering"] = "no"
        return response


def status_of(upload: Upload, run: Run | None, place: str) -> dict[str, Any]:
    """`status` is running, done or failed; then progress, and at the end the report."""
    told: dict[str, Any] = {"id": str(upload.pk), "file_name": upload.file_name, "status": "running"}
    if run is not None:
        told["progress"] = run_report(run)["progress"]
    if upload.state == UploadState.DONE:
        return {**told, "status": "done", "report": report_of(upload, place)}
    if upload.state == UploadState.FAILED or (run is not None and run.state == Run.State.FAILED):
        detail = run.error if run is not None and run.error else "The load failed."
        return {**told, "status": "failed", "detail": f"{detail} The chunks are kept: finalize can be sent again."}
    if upload.state == UploadState.RECEIVING:
        told["status"] = "receiving"
    return told


def report_of(upload: Upload, place: str) -> dict[str, Any]:
    return {
        "status": "done",
        "id": str(upload.pk),
        **(upload.report or {}),
        "refused_csv": f"{place}refused/",
    }


def status_url(request: Request, upload: Upload) -> str:
    """The status lies beside the step that was called, under whichever of its addresses."""
    base = request.path.rstrip("/").rpartition("/")[0]
    return f"{base}/uploads/{upload.pk}/"


def _own_upload(view: StreamView, request: Request, upload_id: UUID) -> Upload:
    caller = caller_of(request)
    tenant_id = None if caller.above_tenants else caller.tenant_id
    upload = upload_by_id(upload_id, tenant_id=tenant_id, stream=view.stream.name)
    if upload is None or not (caller.may(Action.READ) or upload.owner == caller.identity):
        raise NotFoundError("There is no such upload.")
    return upload


def _text(request: Request, name: str, *, longest: int) -> str:
    value = request.data.get(name) if hasattr(request.data, "get") else None
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequestError("Send a text.", field=name)
    if "\0" in value:
        raise BadRequestError("Contains a NUL byte.", field=name)
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate out of a JSON escape
        raise BadRequestError("Is not UTF-8 text.", field=name) from None
    text = value.strip()
    if len(text) > longest:
        raise BadRequestError(f"Longer than {longest} characters.", field=name)
    return text


def _number(request: Request, name: str) -> int:
    value = request.data.get(name) if hasattr(request.data, "get") else None
    if value is None or value == "":
        raise BadRequestError("This field is required.", field=name)
    text = str(value).strip()
    digits = text.removeprefix("-")
    if isinstance(value, bool) or not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise BadRequestError(f"{text[:40]!r} is not a whole number.", field=name)
    return int(text)


def _refused_csv(batch_id: int) -> Iterator[bytes]:
    yield b"row,column,value,reason,line\r\n"
    for rows in refused_rows(store().engine, batch_id=batch_id):
        out = io.StringIO()
        csv.writer(out).writerows([[harmless(cell) for cell in row] for row in rows])
        yield out.getvalue().encode()
