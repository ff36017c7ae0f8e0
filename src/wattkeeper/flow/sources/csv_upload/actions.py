"""The one door for changes to uploads."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.catalog.registry import stream as stream_of
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import BadRequestError, BusyError, ConflictError, TooLargeError
from wattkeeper.base.jobs.actions import run_start
from wattkeeper.base.jobs.models import Run
from wattkeeper.base.jobs.queries import run_by_id
from wattkeeper.base.jobs.registry import RunHandle, job, periodic
from wattkeeper.flow.readings.files import DelimitedFile
from wattkeeper.flow.readings.reading import LoadReceipt
from wattkeeper.flow.sources.csv_upload.assemble import assemble
from wattkeeper.flow.sources.csv_upload.chunks import ChunkFolder
from wattkeeper.flow.sources.csv_upload.header import HEAD_BYTES, Header, header_of
from wattkeeper.flow.sources.csv_upload.models import Upload, UploadState

MAX_CHUNKS = 100_000
LOAD_JOB = "upload.load"
_NAMED_MISSING = 100
_OPEN = (UploadState.RECEIVING, UploadState.FAILED)


class IngestFile(Protocol):
    """What `config` hands this source: the pipeline's way for a whole file."""

    def __call__(
        self, stream: Stream, file: DelimitedFile, *, tenant_id: int, batch_id: int, by: str
    ) -> LoadReceipt: ...


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Where chunks lie and how much of them there may be."""

    folder: Path
    max_bytes: int
    inline_bytes: int  # up to here finalize answers with the report itself
    reserve_bytes: int
    expire_after: timedelta


@dataclass(frozen=True, slots=True)
class _Connected:
    ingest: IngestFile
    limits: UploadLimits


_connected: _Connected | None = None


def connect(ingest: IngestFile, limits: UploadLimits) -> None:
    """Called once by `config` at start."""
    global _connected
    _connected = _Connected(ingest, limits)


@dataclass(frozen=True, slots=True)
class UploadName:
    """What an upload is known by: its sender, its asset and its file's name."""

    tenant_id: int
    owner: str
    stream: Stream
    asset_key: str
    file_name: str

    def columns(self) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant_id,
            "owner": self.owner,
            "stream": self.stream.name,
            "asset_key": self.asset_key,
            "file_name": self.file_name,
        }


def chunk_store(
    name: UploadName, *, index: int, total: int, pieces: Iterable[bytes], size: int, fingerprint: str = ""
) -> Upload:
    """Keep one chunk, durably. Chunks come in any order; one sent again replaces itself.

    A chunk of another total, or with another `fingerprint`, is of another file: what had come of the first one goes.
    """
    _require_total(total)
    if not 0 <= index < total:
        raise BadRequestError(f"Give a number from 0 to {total - 1}.", field="chunk_index")
    upload = _under_way(name) or _begin(name, total, fingerprint)
    if not _is_of(upload, total, fingerprint):
        upload = _begin_again(upload, total, fingerprint)
    if upload.state == UploadState.LOADING:
        raise _being_loaded()
    folder = folder_of(upload.id)
    try:
        folder.write(index, pieces, size=size)
    except FileNotFoundError:  # the folder went while this was written
        if Upload.objects.filter(pk=upload.pk, state__in=_OPEN).exists():
            raise BusyError("Another file of this name came meanwhile: send this chunk again.") from None
        raise _gone_or_loading(upload) from None
    _after_chunk(upload, index, total, fingerprint)
    return _fresh(upload)


def upload_finalize(
    name: UploadName, *, total: int, respond_async: bool, fingerprint: str = ""
) -> tuple[Upload, Run | None]:
    """Load the file whose chunks are all here. Sent again, it says what became of the first time.

    BadRequestError where the chunks came with another `fingerprint`.

    Gives the upload and, unless it is done, the run that is at work on it.
    """
    _require_total(total)
    upload = _under_way(name)
    if upload is None:
        done = Upload.objects.filter(**name.columns(), state=UploadState.DONE).order_by("-created_at").first()
        if done is None:
            raise _missing(range(total))
        _require_fingerprint(done, fingerprint)
        return done, None
    _require_fingerprint(upload, fingerprint)
    if upload.state == UploadState.LOADING:
        if run := _at_work(upload):
            return upload, run
        # Nobody is at work on it. Without a run, the server may have died between the claim and the run; where it
        # lives and is just about to ask for one, `run_start` gives both the same.
        lost = Upload.objects.filter(pk=upload.pk, state=UploadState.LOADING, run_id=upload.run_id)
        lost.update(state=UploadState.FAILED)
    try:
        size = _require_complete(upload, total)
        _header(upload)  # what cannot be loaded at all is said now, whatever the size
    except (BadRequestError, FileNotFoundError):
        upload = _fresh(upload)
        if upload.state == UploadState.DONE:  # meanwhile, by another finalize: therefore its chunks are gone
            return upload, None
        raise
    same = Upload.objects.filter(pk=upload.pk, total_chunks=total, fingerprint=upload.fingerprint)
    claimed = same.filter(state__in=_OPEN)
    if claimed.update(state=UploadState.LOADING, run_id=None, touched_at=now()):
        inline = size <= _limits().inline_bytes and not respond_async
        run = run_start(
            LOAD_JOB,
            key=str(upload.pk),
            args={"upload_id": str(upload.pk)},
            tenant_id=upload.tenant_id,
            owner=upload.owner,
            now=inline,
        )
        Upload.objects.filter(pk=upload.pk).update(run_id=run.pk)
    elif not same.exists():
        raise ConflictError("Another file of this name came meanwhile, or this upload was discarded.")
    upload = _fresh(upload)
    return upload, None if upload.state == UploadState.DONE else _run_of(upload)


def upload_discard(upload: Upload, *, actor: str) -> None:
    """Forget an upload that is not loaded, and its chunks. ConflictError where it is, or is just being loaded."""
    if upload.state == UploadState.LOADING and (run := _run_of(upload)) and run.state == Run.State.FAILED:
        given_up = Upload.objects.filter(pk=upload.pk, state=UploadState.LOADING, run_id=run.pk)
        given_up.update(state=UploadState.FAILED)
    with transaction.atomic():
        if not Upload.objects.filter(pk=upload.pk, state__in=_OPEN).delete()[0]:
            raise ConflictError("This upload is loaded or being loaded, and cannot be discarded any more.")
        target = f"upload:{upload.pk} {upload.file_name}"
        audit_add(tenant=upload.tenant, actor=actor, action="upload_discard", target=target)
    folder_of(upload.pk).remove()


@job(LOAD_JOB)
def upload_load(run: RunHandle) -> dict[str, Any]:
    """Assemble and load an upload's file. It may run again after a crash: the batch's id stays the same."""
    upload = Upload.objects.get(pk=run.args["upload_id"])
    if upload.state == UploadState.DONE:
        return dict(upload.report or {})
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.LOADING, run_id=run.id, touched_at=now())
    try:
        report, header = _load(upload, run)
    except Exception:  # not RunStopped: then another worker is at work on it
        Upload.objects.filter(pk=upload.pk, state=UploadState.LOADING).update(state=UploadState.FAILED)
        raise
    kept = {"report": report, "header": header.text, "delimiter": header.delimiter}
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.DONE, touched_at=now(), **kept)
    folder_of(upload.pk).remove()  # only now: until here everything could be done again
    return report


@periodic(minutes=60)
def uploads_expire() -> None:
    """Forget uploads that nobody has finished, and chunks that belong to none."""
    old = now() - _limits().expire_after
    for upload in Upload.objects.filter(touched_at__lt=old).exclude(state=UploadState.DONE):
        if upload.state == UploadState.LOADING and _at_work(upload):
            continue  # it is being loaded, or will be when the server has time
        if Upload.objects.filter(pk=upload.pk, state=upload.state, touched_at__lt=old).delete()[0]:
            folder_of(upload.pk).remove()
    for folder in _limits().folder.glob("*-*-*-*-*"):
        if folder.stat().st_mtime < old.timestamp() and not Upload.objects.filter(pk=folder.name).exists():
            folder_of(UUID(folder.name)).remove()


def folder_of(upload_id: UUID) -> ChunkFolder:
    return ChunkFolder(_limits().folder, upload_id, _limits().reserve_bytes)


def _limits() -> UploadLimits:
    if _connected is None:
        raise RuntimeError("config has not connected the uploads")
    return _connected.limits


def _under_way(name: UploadName) -> Upload | None:
    return Upload.objects.filter(**name.columns()).exclude(state=UploadState.DONE).first()


def _begin(name: UploadName, total: int, fingerprint: str) -> Upload:
    try:
        return Upload.objects.create(**name.columns(), total_chunks=total, fingerprint=fingerprint)
    except IntegrityError:  # its first two chunks came at once
        upload = _under_way(name)
        if upload is None:
            raise
        return upload


def _is_of(upload: Upload, total: int, fingerprint: str) -> bool:
    """Whether a chunk is of the file that the upload is about; without a fingerprint, the total alone tells."""
    return upload.total_chunks == total and fingerprint in {"", upload.fingerprint}


def _begin_again(upload: Upload, total: int, fingerprint: str) -> Upload:
    """The upload as one of a chunk's file.

    What is there of another file goes before anyone can see that the upload is about this one: of several chunks
    of the new file that come at once, none removes what another has written.
    """
    with transaction.atomic():
        held = Upload.objects.select_for_update().filter(pk=upload.pk, state__in=_OPEN).first()
        if held is None:
            raise _gone_or_loading(upload)
        if not _is_of(held, total, fingerprint):
            if held.total_chunks != total or held.fingerprint:
                folder_of(held.pk).remove()
            held.total_chunks, held.fingerprint = total, fingerprint
            held.save(update_fields=["total_chunks", "fingerprint", "touched_at"])
    return held


def _after_chunk(upload: Upload, index: int, total: int, fingerprint: str) -> None:
    """Note that a chunk has come. ConflictError where its upload has gone on without it."""
    still_open = Upload.objects.filter(pk=upload.pk, state__in=_OPEN, total_chunks=total)
    if fingerprint:
        still_open = still_open.filter(fingerprint=fingerprint)
    if still_open.update(state=UploadState.RECEIVING, touched_at=now()):
        return
    if Upload.objects.filter(pk=upload.pk, state__in=_OPEN).exists():
        # It lies among the chunks of another file, perhaps in the place of one of them, which is missed then.
        folder_of(upload.pk).chunk(index).unlink(missing_ok=True)
        raise ConflictError("Another file of this name is being sent meanwhile.")
    raise _gone_or_loading(upload)


def _gone_or_loading(upload: Upload) -> ConflictError:
    """What to say of an upload that takes no more chunks.

    All of them were here without this one, and a finalize took them, and may even have ended; or it was discarded.
    """
    state = Upload.objects.filter(pk=upload.pk).values_list("state", flat=True).first()
    if state == UploadState.LOADING:
        return _being_loaded()
    folder_of(upload.pk).remove()
    return ConflictError("This file has been loaded meanwhile.") if state else _discarded()


def _fresh(upload: Upload) -> Upload:
    """The upload as it is now. ConflictError where it was discarded."""
    found = Upload.objects.filter(pk=upload.pk).first()
    if found is None:
        raise _discarded()
    return found


def _discarded() -> ConflictError:
    return ConflictError("This upload was discarded meanwhile.")


def _run_of(upload: Upload) -> Run | None:
    return run_by_id(upload.run_id) if upload.run_id else None


def _at_work(upload: Upload) -> Run | None:
    """The run that loads it, or will; None where that was given up or never began."""
    run = _run_of(upload)
    return None if run is None or run.state == Run.State.FAILED else run


def _being_loaded() -> ConflictError:
    return ConflictError("This file is being loaded; its chunks can be sent again when that has ended.")


def _require_total(total: int) -> None:
    if not 1 <= total <= MAX_CHUNKS:
        raise BadRequestError(f"Give a number from 1 to {MAX_CHUNKS:,}.", field="total_chunks")


def _require_complete(upload: Upload, total: int) -> int:
    """The file's size. BadRequestError names the chunks that are missing."""
    present = folder_of(upload.pk).present()
    if total != upload.total_chunks:
        message = f"The chunks were sent as parts of {upload.total_chunks}, not of {total}."
        raise BadRequestError(message, field="total_chunks")
    if missing := [index for index in range(total) if index not in present]:
        raise _missing(missing)
    size = sum(present.values())
    if size > _limits().max_bytes:
        raise TooLargeError(f"A file may have at most {_limits().max_bytes >> 20:,} MiB.")
    return size


def _require_fingerprint(upload: Upload, fingerprint: str) -> None:
    if fingerprint and upload.fingerprint and fingerprint != upload.fingerprint:
        message = "The chunks that came are of another file of this name: send the chunks of this one."
        raise BadRequestError(message, field="fingerprint")


def _missing(indexes: Sequence[int]) -> BadRequestError:
    named = ", ".join(map(str, indexes[:_NAMED_MISSING]))
    more = f" and {len(indexes) - _NAMED_MISSING} more" if len(indexes) > _NAMED_MISSING else ""
    return BadRequestError(f"Chunks are missing: {named}{more}.", missing_chunks=list(indexes[:_NAMED_MISSING]))


def _header(upload: Upload) -> Header:
    folder, head = folder_of(upload.pk), b""
    for index in range(upload.total_chunks):
        with folder.chunk(index).open("rb") as chunk:
            head += chunk.read(HEAD_BYTES - len(head))
        if len(head) >= HEAD_BYTES:
            break
    return header_of(head, stream_of(upload.stream), asset_named=bool(upload.asset_key))


def _load(upload: Upload, run: RunHandle) -> tuple[dict[str, Any], Header]:
    assert _connected is not None
    started, folder = time.monotonic(), folder_of(upload.pk)
    size = _require_complete(upload, upload.total_chunks)
    folder.require_space(size)
    header = _header(upload)
    try:
        file = assemble(
            (folder.chunk(index) for index in range(upload.total_chunks)),
            folder.whole,
            header,
            asset_key=upload.asset_key or None,
            progress=lambda read: run.progress(read, size, "Reading the file"),
        )
        run.progress(size, size, f"Loading {max(file.lines - file.header_line, 0):,} rows")
        receipt = _connected.ingest(
            stream_of(upload.stream),
            file,
            tenant_id=upload.tenant_id,
            batch_id=upload.batch_id,
            by=upload.owner,
        )
    finally:
        folder.whole.unlink(missing_ok=True)
    return _report(upload, file, receipt, seconds=round(time.monotonic() - started, 3)), header


def _report(upload: Upload, file: DelimitedFile, receipt: LoadReceipt, *, seconds: float) -> dict[str, Any]:
    return {
        "file_name": upload.file_name,
        "rows_read": receipt.rows_read,
        "inserted": receipt.stored,
        "duplicates": receipt.duplicate,
        "flagged": receipt.flagged,
        "flags": dict(receipt.flags),
        "refused": receipt.refused,
        "refused_rows": [_refused(asdict(refusal)) for refusal in receipt.first_refusals],
        "ignored_columns": list(file.ignored_columns),
        "seconds": seconds,
    }


def _refused(refusal: Mapping[str, Any]) -> dict[str, Any]:
    return {name: refusal[name] for name in ("row", "column", "value", "reason")}
