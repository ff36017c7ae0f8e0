"""Every write of a run. Each one is short, and conditional on what it was decided from."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce

from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import WattkeeperError
from wattkeeper.base.jobs import queue, worker
from wattkeeper.base.jobs.handle import RunHandle, RunStopped, heartbeat_beside
from wattkeeper.base.jobs.models import UNFINISHED, Run, RunState
from wattkeeper.base.jobs.registry import job_function, periodic

log = logging.getLogger(__name__)

ATTEMPTS_MAX = 5
LOST_AFTER = timedelta(seconds=30)
# A waiting run is put on the queue this often, in case its message was lost. A second message is harmless.
REQUEUE_AFTER = timedelta(minutes=2)
FORGET_AFTER = timedelta(days=30)

INTERNAL_ERROR = "Internal error"
GIVEN_UP = f"The job was interrupted {ATTEMPTS_MAX} times and is not tried again."


def run_start(
    name: str,
    *,
    key: str,
    args: Mapping[str, Any],
    tenant_id: int | None,
    owner: str,
    now: bool = False,
) -> Run:
    """Ask for the job `name` to be done on `key`, after the commit; KeyError if there is no such job.

    While a run of the same job and key is unfinished, that one is given and nothing is started. `now` does
    the work in this thread, outside of any transaction, and gives the run when it is over: for what is small
    enough to wait for, and for commands, which may have no server beside them.
    """
    job_function(name)
    defaults = {"args": dict(args), "tenant_id": tenant_id, "owner": owner}
    try:
        run, created = _get_or_create(name, key, defaults)
    except IntegrityError:  # another's run began and ended between the two looks
        run, created = _get_or_create(name, key, defaults)
    if now:
        return run_execute(run.pk)
    if created:
        # robust: a full disk under the queue must not fail what is committed; a reconciler finds the row
        transaction.on_commit(lambda: queue.put(run.pk), robust=True)
    return run


def run_execute(run_id: UUID) -> Run:
    """Do the run if it can be claimed, and give it as it is afterwards; Run.DoesNotExist if it was forgotten.

    It can be claimed when it is queued, or running with a worker that is lost; one claimer wins. The
    function's failure is the run's, not this call's.
    """
    claim = worker.claim_new()  # held before the row says so, or a reconciler beside us would think it lost
    try:
        run = _claim(run_id, claim)
        if run is not None:
            _work(run, RunHandle(run, worker=claim))
    finally:
        worker.claim_drop(claim)
    return Run.objects.get(pk=run_id)


@periodic(minutes=1)
def runs_reconcile(*, at_start: bool = False) -> int:
    """Put the lost runs on the queue again, and the waiting ones whose message may be lost; gives how many.

    A running run is lost when its process on this host is dead, at once, or when it gave no sign of life for
    30 s, whatever its host. `at_start`: nothing is on its way yet, so every waiting run is put on the queue.
    """
    count = 0
    for run in Run.objects.filter(state__in=UNFINISHED).order_by("created_at"):
        if run.state == RunState.RUNNING:
            again = _is_lost(run)
        else:
            again = at_start or clock.now() - run.heartbeat_at >= REQUEUE_AFTER
        if not again:
            continue
        if run.attempts >= ATTEMPTS_MAX:
            _give_up(run)
        elif _unchanged(run).update(state=RunState.QUEUED, worker="", heartbeat_at=clock.now()):
            queue.put(run.pk)
            count += 1
    return count


def runs_release() -> int:
    """Give back what this process still works on, as it is about to end; gives how many.

    The next server starts these runs again. An orderly stop costs them no attempt.
    """
    return Run.objects.filter(state=RunState.RUNNING, worker__in=worker.claims_held()).update(
        state=RunState.QUEUED, worker="", attempts=F("attempts") - 1, heartbeat_at=clock.now()
    )


@periodic(minutes=24 * 60)
def runs_forget_old() -> int:
    """Delete the runs that finished more than 30 days ago; gives how many."""
    count, _ = Run.objects.filter(finished_at__lt=clock.now() - FORGET_AFTER).delete()
    return count


def _get_or_create(name: str, key: str, defaults: Mapping[str, Any]) -> tuple[Run, bool]:
    return Run.objects.get_or_create(name=name, key=key, state__in=UNFINISHED, defaults=defaults)


def _claim(run_id: UUID, claim: str) -> Run | None:
    run = Run.objects.get(pk=run_id)
    if run.state not in UNFINISHED or (run.state == RunState.RUNNING and not _is_lost(run)):
        return None
    if run.attempts >= ATTEMPTS_MAX:
        _give_up(run)
        return None
    mine, moment = _unchanged(run), clock.now()
    with transaction.atomic(durable=True):  # refuses to work inside a caller's transaction
        won = mine.update(
            state=RunState.RUNNING,
            worker=claim,
            attempts=F("attempts") + 1,
            started_at=Coalesce("started_at", Value(moment)),
            heartbeat_at=moment,
        )
    return run if won else None


def _work(run: Run, handle: RunHandle) -> None:
    try:
        with heartbeat_beside(handle):
            outcome = job_function(run.name)(handle)
            json.dumps(outcome, cls=DjangoJSONEncoder)  # what cannot be kept is the job's failure
    except RunStopped as stopped:
        log.warning("%s", stopped)
    except KeyboardInterrupt:
        handle.write(state=RunState.QUEUED, worker="")
        raise
    except WattkeeperError as error:
        _finish(handle, RunState.FAILED, error=str(error))
    except (Exception, SystemExit):
        log.exception("The job %s failed on %s (run %s)", run.name, run.key, run.pk)
        _finish(handle, RunState.FAILED, error=INTERNAL_ERROR)
    else:
        _finish(handle, RunState.DONE, outcome=outcome)


def _finish(handle: RunHandle, state: RunState, *, outcome: dict[str, Any] | None = None, error: str = "") -> None:
    if not handle.finish(state, outcome=outcome, error=error):
        log.warning("Run %s ended (%s) after it was taken from this worker; nothing is written", handle.id, state)


def _is_lost(run: Run) -> bool:
    if worker.is_held_here(run.worker):
        return False
    return worker.is_known_dead(run.worker) or clock.now() - run.heartbeat_at >= LOST_AFTER


def _give_up(run: Run) -> None:
    _unchanged(run).update(state=RunState.FAILED, error=GIVEN_UP, finished_at=clock.now())


def _unchanged(run: Run) -> QuerySet[Run]:
    """The row, if it is still what `run` was read as."""
    return Run.objects.filter(
        pk=run.pk, state=run.state, worker=run.worker, attempts=run.attempts, heartbeat_at=run.heartbeat_at
    )
