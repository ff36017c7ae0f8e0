"""Uploads and previews as JSON shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.jobs.models import Run
from wattkeeper.base.jobs.queries import progress_report, run_by_id, runs_by_id
from wattkeeper.flow.sources.csv_upload.models import Upload
from wattkeeper.flow.sources.csv_upload.preview import Preview, PreviewRow
from wattkeeper.flow.sources.csv_upload.queries import UploadStatus, received_of, status_of


def upload_answer(upload: Upload, stream: Stream, place: str) -> dict[str, Any]:
    """One upload, whose address is `place`."""
    run = run_by_id(upload.run_id) if upload.run_id else None
    return _told(upload, stream, place, run=run, by=names_of([upload.owner])[upload.owner])


def upload_answers(uploads: Sequence[Upload], stream: Stream, places: str) -> list[dict[str, Any]]:
    """Several of them, in as many questions as one takes, and without their refused rows."""
    runs = runs_by_id([upload.run_id for upload in uploads if upload.run_id])
    names = names_of(upload.owner for upload in uploads)
    answers = []
    for upload in uploads:
        run = runs.get(upload.run_id) if upload.run_id else None
        told = _told(upload, stream, f"{places}{upload.pk}/", run=run, by=names[upload.owner])
        told.get("report", {}).pop("refused_rows", None)
        answers.append(told)
    return answers


def report_answer(upload: Upload, place: str) -> dict[str, Any]:
    return {
        "status": "done",
        "id": str(upload.pk),
        **(upload.report or {}),
        "refused_csv": f"{place}refused/",
    }


def preview_answer(preview: Preview) -> dict[str, Any]:
    return {
        "delimiter": preview.delimiter,
        "header_line": preview.header_line,
        "columns": [
            {
                "name": column.name,
                "channel": column.channel,
                "label": column.label,
                "unit": column.unit,
                "type": column.type,
                "required": column.required,
            }
            for column in preview.columns
        ],
        "missing_columns": list(preview.missing_columns),
        "ignored_columns": list(preview.ignored_columns),
        "loadable": preview.loadable,
        "problem": preview.problem,
        "rows": [_row(row) for row in preview.rows],
    }


def _told(upload: Upload, stream: Stream, place: str, *, run: Run | None, by: str) -> dict[str, Any]:
    """`status` is receiving, running, done or failed; then progress, and at the end the report."""
    status = status_of(upload, run)
    told: dict[str, Any] = {
        "id": str(upload.pk),
        "file_name": upload.file_name,
        stream.asset_field: upload.asset_key,
        "status": status.value,
        "by": by,
        "created_at": _text(upload.created_at),
        "total_chunks": upload.total_chunks,
        "fingerprint": upload.fingerprint,
    }
    if run is not None:
        told["progress"] = progress_report(run)
    if status is UploadStatus.DONE:
        told["report"] = report_answer(upload, place)
    if status in {UploadStatus.RECEIVING, UploadStatus.FAILED}:
        received = received_of(upload)
        told |= {"received": received.ranges, "bytes_received": received.size}
    if status is UploadStatus.FAILED:
        detail = run.error if run is not None and run.error else "The load failed."
        told["detail"] = f"{detail} The chunks are kept: finalize can be sent again."
    return told


def _row(row: PreviewRow) -> dict[str, Any]:
    refused = row.refused and {
        "column": row.refused.column,
        "value": row.refused.value,
        "reason": row.refused.reason,
    }
    values = {name: _text(value) if isinstance(value, datetime) else value for name, value in row.values.items()}
    return {
        "row": row.number,
        "cells": list(row.cells),
        "values": values,
        "flags": list(row.flags),
        "refused": refused,
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
