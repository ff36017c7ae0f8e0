"""A file that came, or is coming, as pages show it: its state in a word, who sent it, and what became of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.jobs.models import Run
from wattkeeper.base.jobs.queries import runs_by_id
from wattkeeper.flow.sources.csv_upload.models import Upload
from wattkeeper.flow.sources.csv_upload.queries import UploadStatus, received_of, status_of
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge

BADGES = {
    UploadStatus.RECEIVING: StateBadge("Unfinished", Level.INFO, "arrow-up-tray"),
    UploadStatus.RUNNING: StateBadge("Loading", Level.INFO, "arrow-path"),
    UploadStatus.FAILED: StateBadge("Failed", Level.CRITICAL, "x-circle"),
    UploadStatus.DONE: StateBadge("Loaded", Level.QUIET, "check-circle"),
}
SOME_REFUSED = StateBadge("Some refused", Level.WARNING, "exclamation-triangle")
ALL_REFUSED = StateBadge("All refused", Level.ERROR, "exclamation-circle")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """`stored`, `duplicates` and `refused` are None until the file is loaded."""

    upload: Upload
    run: Run | None
    status: UploadStatus
    badge: StateBadge
    by: str
    kind: Kind
    stream: Stream
    stored: int | None
    duplicates: int | None
    refused: int | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """How much of a file is here, in bytes; `total` is an estimate from what is, 0 where nothing is yet."""

    size: int
    total: int


def import_rows(uploads: Iterable[Upload]) -> list[ImportRow]:
    """The uploads, each with its run and its sender's name: two questions, however many they are."""
    found = list(uploads)
    runs = runs_by_id([upload.run_id for upload in found if upload.run_id])
    names = names_of(upload.owner for upload in found)
    return [_row(upload, runs.get(upload.run_id) if upload.run_id else None, names[upload.owner]) for upload in found]


def arrived_of(upload: Upload) -> Arrived:
    """How much of a file that is not loaded is here."""
    received = received_of(upload)
    chunks = sum(last - first + 1 for first, last in received.ranges)
    return Arrived(received.size, round(received.size / chunks * upload.total_chunks) if chunks else 0)


def _row(upload: Upload, run: Run | None, by: str) -> ImportRow:
    status, report, stream = status_of(upload, run), upload.report or {}, registry.stream(upload.stream)
    stored, duplicates, refused = (report.get(name) for name in ("inserted", "duplicates", "refused"))
    badge = BADGES[status]
    if refused:
        badge = SOME_REFUSED if stored or duplicates else ALL_REFUSED
    return ImportRow(
        upload=upload,
        run=run,
        status=status,
        badge=badge,
        by=by,
        kind=registry.kind(stream.kind),
        stream=stream,
        stored=stored,
        duplicates=duplicates,
        refused=refused,
    )
