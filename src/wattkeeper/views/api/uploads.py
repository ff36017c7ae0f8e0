"""Files in chunks, for any stream: a look at one, the chunk, the finalize, what became of it, and the refused rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
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
from wattkeeper.base.core.errors import BadRequestError, ConflictError, NotFoundError, TooLargeError
from wattkeeper.base.core.formulas import harmless
from wattkeeper.base.jobs.models import Run
from wattkeeper.flow.readings.reasons import NULL_WORDS
from wattkeeper.flow.sources.csv_upload.actions import UploadName, chunk_store, upload_discard, upload_finalize
from wattkeeper.flow.sources.csv_upload.mend import mend_file
from wattkeeper.flow.sources.csv_upload.models import Upload, UploadState
from wattkeeper.flow.sources.csv_upload.preview import PREVIEW_BYTES, preview_of
from wattkeeper.flow.sources.csv_upload.queries import ORDERINGS, UploadStatus, upload_by_id, uploads_of
from wattkeeper.flow.store.load import refused_rows
from wattkeeper.flow.store.store import store
from wattkeeper.views.api.parameters import one_of, page_answer, page_of, require_page, tenant_filter, text, truth
from wattkeeper.views.api.readings import StreamFileView, StreamView
from wattkeeper.views.api.upload_answers import preview_answer, report_answer, upload_answer, upload_answers

FILE_NAME_MAX = 255
FINGERPRINT_MAX = 100
REPORT = "report"
LAYOUTS = (REPORT, "mend")


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


class UploadPreview(UploadView):
    """POST the first bytes of a file, and hear how it would be understood. Nothing is kept."""

    def post(self, request: Request) -> Response:
        name = self.upload_name(request, caller_of(request))
        head = _file(request, "head", "Send the file's first bytes as a file of a multipart form.")
        size = head.size or 0
        if size > PREVIEW_BYTES:
            raise TooLargeError(f"A preview needs the file's first {PREVIEW_BYTES >> 10} KiB and takes no more.")
        complete = truth(_text(request, "complete", longest=10), "complete")
        preview = preview_of(
            head.read(),
            self.stream,
            tenant_id=name.tenant_id,
            asset_key=name.asset_key,
            complete=size < PREVIEW_BYTES if complete is None else complete,
        )
        return Response(preview_answer(preview))


class UploadChunk(UploadView):
    """POST one chunk of a file."""

    def post(self, request: Request) -> Response:
        name = self.upload_name(request, caller_of(request))
        chunk = _file(request, "chunk", "Send the chunk as a file of a multipart form.")
        index, total = _number(request, "chunk_index"), _number(request, "total_chunks")
        upload = chunk_store(
            name,
            index=index,
            total=total,
            pieces=chunk.chunks(),
            size=chunk.size or 0,
            fingerprint=_fingerprint(request),
        )
        return Response({"status": "chunk received", "id": str(upload.pk), "chunk_index": index, "total_chunks": total})


class UploadFinalize(UploadView):
    """POST: all chunks are sent; load the file."""

    def post(self, request: Request) -> Response:
        name = self.upload_name(request, caller_of(request))
        upload, run = upload_finalize(
            name,
            total=_number(request, "total_chunks"),
            respond_async="respond-async" in request.headers.get("Prefer", "").lower(),
            fingerprint=_fingerprint(request),
        )
        place = status_url(request, upload)
        if upload.state == UploadState.DONE:
            return Response(report_answer(upload, place), headers={"Location": place})
        if run is not None and run.state == Run.State.FAILED:
            return Response({"detail": run.error}, status=status.HTTP_503_SERVICE_UNAVAILABLE)
        told = upload_answer(upload, self.stream, place)
        return Response(told, status=status.HTTP_202_ACCEPTED, headers={"Location": place})


class UploadList(StreamView):
    """GET the uploads, newest first: the tenant's, or, for who only sends, the caller's own."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.FOLLOW}

    def get(self, request: Request) -> Response:
        page, caller = page_of(request), caller_of(request)
        uploads = uploads_of(
            self.stream.name,
            tenant_id=tenant_filter(request, caller),
            **self._whose(request, caller),
            status=_status(text(request, "status")),
            file_name=text(request, "file_name") or None,
            search=text(request, "search"),
            ordering=one_of(text(request, "ordering"), ORDERINGS, "ordering") or "-created_at",
        )
        count = uploads.count()
        require_page(page, count)
        shown = list(uploads[page.offset : page.offset + page.size])
        return Response(page_answer(request, page, count, upload_answers(shown, self.stream, request.path)))

    def _whose(self, request: Request, caller: Caller) -> dict[str, str | None]:
        mine = truth(text(request, "mine"), "mine")
        only_own = mine or not caller.may(Action.READ)
        return {
            "owner": caller.identity if only_own else None,
            "not_owner": caller.identity if mine is False else None,
        }


class UploadDetail(StreamView):
    """GET what has become of an upload; DELETE one that is not loaded."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.FOLLOW, "DELETE": Action.INGEST}

    def get(self, request: Request, upload_id: UUID) -> Response:
        upload = _own_upload(self, request, upload_id)
        return Response(upload_answer(upload, self.stream, request.path))

    def delete(self, request: Request, upload_id: UUID) -> Response:
        upload = _own_upload(self, request, upload_id)
        upload_discard(upload, actor=caller_of(request).identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UploadRefused(StreamFileView):
    """GET the refused rows of an upload as a CSV file."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.FOLLOW}

    def get(self, request: Request, upload_id: UUID) -> StreamingHttpResponse:
        upload = _own_upload(self, request, upload_id)
        layout = one_of(text(request, "layout"), LAYOUTS, "layout") or REPORT
        blocks = refused_rows(store().engine, batch_id=upload.batch_id)
        if layout == REPORT:
            pieces, name = _refused_csv(blocks), "refused"
        elif upload.header:
            pieces, name = mend_file(upload.header, upload.delimiter, blocks), "mend"
        else:
            raise ConflictError("This file is not loaded, or its header was not kept then.")
        response = StreamingHttpResponse(Download(pieces), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}_{upload.pk}.csv"'
        response["X-Accel-Buffering"] = "no"
        return response


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


def _file(request: Request, name: str, else_: str) -> UploadedFile[Any]:
    found = request.FILES.get(name)
    if not isinstance(found, UploadedFile):
        raise BadRequestError(else_, field=name)
    return found


def _fingerprint(request: Request) -> str:
    return _text(request, "fingerprint", longest=FINGERPRINT_MAX)


def _status(said: str) -> UploadStatus | None:
    return UploadStatus(said) if one_of(said, [one.value for one in UploadStatus], "status") else None


def _number(request: Request, name: str) -> int:
    value = request.data.get(name) if hasattr(request.data, "get") else None
    if value is None or value == "":
        raise BadRequestError("This field is required.", field=name)
    text = str(value).strip()
    digits = text.removeprefix("-")
    if isinstance(value, bool) or not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise BadRequestError(f"{text[:40]!r} is not a whole number.", field=name)
    return int(text)


def _refused_csv(blocks: Iterator[Sequence[Sequence[Any]]]) -> Iterator[bytes]:
    yield b"row,column,value,reason,line\r\n"
    for rows in blocks:
        out = io.StringIO()
        csv.writer(out).writerows([[harmless(cell) for cell in row] for row in rows])
        yield out.getvalue().encode()
