"""What a run looks like to the outside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, TypedDict
from uuid import UUID

from wattkeeper.base.jobs.models import Run


class ProgressReport(TypedDict):
    done: int
    total: int | None
    text: str


class RunReport(TypedDict):
    id: str
    name: str
    status: str
    progress: ProgressReport
    created_at: str
    started_at: str | None
    finished_at: str | None
    outcome: dict[str, Any] | None
    error: str | None


def run_report(run: Run) -> RunReport:
    """The run as JSON shows it: `status` queued, running, done or failed; `total` null while unknown."""
    return {
        "id": str(run.pk),
        "name": run.name,
        "status": str(run.state),
        "progress": progress_report(run),
        "created_at": _text(run.created_at),
        "started_at": _text(run.started_at) if run.started_at else None,
        "finished_at": _text(run.finished_at) if run.finished_at else None,
        "outcome": run.outcome,
        "error": run.error or None,
    }


def progress_report(run: Run) -> ProgressReport:
    return {"done": run.progress_done, "total": run.progress_total, "text": run.progress_text}


def runs_by_id(run_ids: Collection[UUID]) -> dict[UUID, Run]:
    """Those of the runs that are not forgotten, in one question and without their outcomes."""
    return Run.objects.defer("outcome").in_bulk(run_ids) if run_ids else {}


def run_by_id(run_id: UUID) -> Run | None:
    """The run, whoever's it is: the caller knows whether it may be seen. None once it is forgotten."""
    return Run.objects.filter(pk=run_id).first()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
