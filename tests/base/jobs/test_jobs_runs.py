from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from tests.support.runs import run_wait

from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.base.jobs import actions, handle, queue, worker
from wattkeeper.base.jobs.actions import (
    run_execute,
    run_start,
    runs_forget_old,
    runs_reconcile,
    runs_release,
)
from wattkeeper.base.jobs.handle import RunHandle, RunStopped
from wattkeeper.base.jobs.models import Run, RunState
from wattkeeper.base.jobs.queries import run_by_id, run_report

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Run]
ELSEWHERE = "another-host:17:12345:0a0b0c0d"


def idle(run: RunHandle) -> dict[str, Any]:
    return {"rows": 3}


def in_thread(function: Callable[[], Any]) -> Any:
    """The function's result from a thread with a database connection of its own."""

    def call() -> Any:
        try:
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def lose(run: Run, *, worker: str = ELSEWHERE, silent: timedelta = timedelta(minutes=1), attempts: int = 1) -> None:
    """Make the run one that `worker` has claimed, and then was silent."""
    Run.objects.filter(pk=run.pk).update(
        state=RunState.RUNNING, worker=worker, attempts=attempts, heartbeat_at=clock.now() - silent
    )


def test_a_run_is_put_on_the_queue_only_after_the_commit(start: Start, enqueued: list[UUID]) -> None:
    with transaction.atomic():
        run = start(idle)
        assert enqueued == []
    assert enqueued == [run.pk]


def test_a_run_that_is_rolled_back_is_never_queued(start: Start, enqueued: list[UUID]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        start(idle)
        raise ZeroDivisionError
    assert enqueued == []
    assert not Run.objects.exists()


def test_a_second_start_gives_the_unfinished_run(start: Start, enqueued: list[UUID]) -> None:
    first = start(idle)
    assert start(idle, owner="user:4") == first
    assert start(idle, key="2") != first
    assert len(enqueued) == 2
    assert Run.objects.get(pk=first.pk).owner == "user:3"


def test_a_finished_run_does_not_keep_the_next_from_starting(start: Start) -> None:
    first = start(idle)
    run_execute(first.pk)
    second = start(idle)
    assert second != first


def test_starting_an_unknown_job_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        run_start("no.such", key="1", args={}, tenant_id=None, owner="system")


def test_a_run_that_is_done_shows_its_outcome_and_last_progress(start: Start) -> None:
    def load(run: RunHandle) -> dict[str, Any]:
        for row in range(run.args["rows"] + 1):
            run.progress(row, run.args["rows"], f"row {row}")
        return {"stored": run.args["rows"]}

    run = run_execute(start(load, args={"rows": 50}).pk)

    report = run_report(run)
    assert report["status"] == "done"
    assert report["progress"] == {"done": 50, "total": 50, "text": "row 50"}
    assert report["outcome"] == {"stored": 50}
    assert report["error"] is None
    assert report["id"] == str(run.pk)
    assert (report["started_at"] or "").endswith("Z")
    assert run.attempts == 1


def test_a_report_writes_its_times_in_utc() -> None:
    run = Run(name="n", key="k", owner="o", created_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert run_report(run)["created_at"] == "2026-03-04T05:06:07Z"


def test_a_known_failure_is_shown_as_its_sentence(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(run: RunHandle) -> dict[str, Any]:
        raise BadRequestError("The file has no column odometer.")

    run = run_execute(start(refuse).pk)

    assert (run.state, run.error, run.outcome) == (RunState.FAILED, "The file has no column odometer.", None)
    assert run.finished_at is not None
    assert caplog.records == []


def raises(run: RunHandle) -> dict[str, Any]:
    raise RuntimeError("secret detail")


def exits(run: RunHandle) -> dict[str, Any]:
    sys.exit(3)


def gives_what_json_cannot_hold(run: RunHandle) -> dict[str, Any]:
    return {"run": object()}


@pytest.mark.parametrize("function", [raises, exits, gives_what_json_cannot_hold])
def test_an_unknown_failure_is_logged_and_shows_no_detail(
    start: Start, caplog: pytest.LogCaptureFixture, function: Callable[[RunHandle], dict[str, Any]]
) -> None:
    run = run_execute(start(function).pk)

    assert (run.state, run.error) == (RunState.FAILED, "Internal error")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR and record.exc_info


def test_a_run_that_is_over_is_not_done_again(start: Start) -> None:
    calls: list[UUID] = []

    def count(run: RunHandle) -> dict[str, Any]:
        calls.append(run.id)
        return {}

    run = start(count)
    run_execute(run.pk)
    assert run_execute(run.pk).state == RunState.DONE
    assert calls == [run.pk]


def test_of_two_claimers_one_does_the_run(start: Start) -> None:
    calls: list[UUID] = []
    at_work, may_end = threading.Event(), threading.Event()

    def work(run: RunHandle) -> dict[str, Any]:
        calls.append(run.id)
        at_work.set()
        assert may_end.wait(60)
        return {}

    run = start(work)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, lambda: run_execute(run.pk))
        assert at_work.wait(60)
        assert run_execute(run.pk).state == RunState.RUNNING
        may_end.set()
        assert first.result().state == RunState.DONE
    assert calls == [run.pk]


def test_two_who_read_the_same_queued_run_cannot_both_claim_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(idle)
    both_have_read = threading.Barrier(2)
    look = actions._unchanged

    def look_together(seen: Run) -> Any:
        both_have_read.wait(60)
        return look(seen)

    monkeypatch.setattr(actions, "_unchanged", look_together)

    def claim(name: str) -> Run | None:
        won: Run | None = in_thread(lambda: actions._claim(run.pk, name))
        return won

    with ThreadPoolExecutor(2) as pool:
        won = [r for r in pool.map(claim, ["a:1:1:1", "b:1:1:1"]) if r]
    assert len(won) == 1
    assert Run.objects.get(pk=run.pk).attempts == 1


def test_a_worker_that_lost_its_run_can_write_nothing_more(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """The first is at work when its host seems to fall silent; another takes the run over and ends it."""
    at_work, may_end = threading.Event(), threading.Event()
    attempts = 0

    def work(run: RunHandle) -> dict[str, Any]:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            at_work.set()
            assert may_end.wait(60)
            return {"by": "the late one"}
        return {"by": "the new one"}

    run = start(work)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(in_thread, lambda: run_execute(run.pk))
        assert at_work.wait(60)
        lose(run)
        assert run_execute(run.pk).outcome == {"by": "the new one"}
        may_end.set()
        assert late.result().outcome == {"by": "the new one"}
    assert "taken from this worker" in caplog.text
    assert Run.objects.get(pk=run.pk).attempts == 2


def test_progress_stops_a_worker_that_lost_its_run(start: Start) -> None:
    def work(run: RunHandle) -> dict[str, Any]:
        lose(Run.objects.get(pk=run.id))
        try:
            run.progress(1, 2)
        except Exception:
            pytest.fail("a job's own `except Exception` must not catch it")
        return {"never": "given"}

    run = run_execute(start(work).pk)
    assert (run.state, run.worker, run.outcome) == (RunState.RUNNING, ELSEWHERE, None)


def test_progress_is_written_at_most_twice_a_second_and_the_last_with_the_end(
    start: Start, django_assert_num_queries: Any
) -> None:
    moment = 100.0
    run = start(idle)
    lose(run)
    held = RunHandle(run, worker=ELSEWHERE, monotonic=lambda: moment)

    with django_assert_num_queries(4):
        for step in range(16):
            moment = 100.0 + step / 8
            held.progress(step, 16)
    assert Run.objects.get(pk=run.pk).progress_done == 12

    held.finish(RunState.DONE, outcome={})
    assert Run.objects.get(pk=run.pk).progress_done == 15


def test_a_heartbeat_beats_beside_a_function_that_says_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handle, "HEARTBEAT_SECONDS", 0.01)
    beaten = threading.Event()
    write = RunHandle.heartbeat

    def heartbeat(run: RunHandle) -> None:
        write(run)
        beaten.set()

    monkeypatch.setattr(RunHandle, "heartbeat", heartbeat)

    def silent(run: RunHandle) -> dict[str, Any]:
        before = Run.objects.get(pk=run.id).heartbeat_at
        assert beaten.wait(60)
        return {"later": Run.objects.get(pk=run.id).heartbeat_at > before}

    assert run_execute(start(silent).pk).outcome == {"later": True}


def test_a_heartbeat_that_finds_the_run_taken_ends_the_next_progress(start: Start) -> None:
    run = start(idle)
    lose(run)
    held = RunHandle(run, worker=ELSEWHERE, monotonic=lambda: 0.0)
    held.progress(1, 2)
    lose(run, worker="a-third-host:1:1:1")
    held.heartbeat()
    with pytest.raises(RunStopped):
        held.progress(2, 2)


def test_a_silent_run_of_another_host_is_queued_again(start: Start, enqueued: list[UUID]) -> None:
    run = start(idle)
    lose(run)
    enqueued.clear()
    assert runs_reconcile() == 1
    assert enqueued == [run.pk]
    assert Run.objects.get(pk=run.pk).state == RunState.QUEUED
    assert run_execute(run.pk).state == RunState.DONE


@pytest.mark.parametrize("at_start", [False, True])
def test_a_living_run_of_another_host_is_left_alone(start: Start, at_start: bool) -> None:
    run = start(idle)
    lose(run, silent=timedelta(seconds=10))
    assert runs_reconcile(at_start=at_start) == 0
    assert run_execute(run.pk).worker == ELSEWHERE


def test_a_run_of_a_dead_process_of_this_host_is_lost_at_once(start: Start) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    run = start(idle)
    lose(run, worker=f"{socket.gethostname()}:{process.pid}:1:0a0b0c0d", silent=timedelta(0))
    assert runs_reconcile(at_start=True) == 1


def test_a_run_of_an_earlier_server_with_our_pid_is_lost_at_once(start: Start) -> None:
    """As in a container, where every server is process 1."""
    mine = worker.claim_new()
    worker.claim_drop(mine)
    host, pid, _, claim = mine.rsplit(":", 3)
    run = start(idle)
    lose(run, worker=f"{host}:{pid}:1:{claim}", silent=timedelta(0))
    assert runs_reconcile(at_start=True) == 1


def test_a_process_of_this_host_is_known_dead_once_it_is_over_and_not_before() -> None:
    code = "from wattkeeper.base.jobs import worker; print(worker.claim_new(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        claim = process.stdout.readline().strip()
        assert not worker.is_known_dead(claim)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # over, though nobody has reaped it
        assert worker.is_known_dead(claim)
    assert worker.is_known_dead(claim)


def test_a_run_held_in_this_process_is_never_lost_however_late_its_heartbeat(start: Start) -> None:
    """A laptop that wakes up: every heartbeat is an hour old and every worker lives."""
    claim = worker.claim_new()
    run = start(idle)
    try:
        lose(run, worker=claim, silent=timedelta(hours=1))
        assert runs_reconcile() == 0
    finally:
        worker.claim_drop(claim)
    assert runs_reconcile() == 1


def test_a_run_that_was_interrupted_five_times_has_failed(start: Start, enqueued: list[UUID]) -> None:
    run = start(idle)
    enqueued.clear()
    lose(run, attempts=5)
    assert runs_reconcile() == 0
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error == "The job was interrupted 5 times and is not tried again."
    assert enqueued == []


def test_a_claimer_does_not_try_a_sixth_time(start: Start) -> None:
    run = start(idle)
    lose(run, attempts=5)
    assert run_execute(run.pk).state == RunState.FAILED


def test_a_waiting_run_is_queued_again_at_start_or_when_its_message_may_be_lost(
    start: Start, enqueued: list[UUID]
) -> None:
    run = start(idle)
    assert runs_reconcile() == 0
    assert runs_reconcile(at_start=True) == 1
    Run.objects.update(heartbeat_at=clock.now() - timedelta(minutes=3))
    assert runs_reconcile() == 1
    assert runs_reconcile() == 0
    assert enqueued == [run.pk] * 3


def test_a_run_that_is_given_back_loses_no_attempt(start: Start) -> None:
    claim = worker.claim_new()
    run = start(idle)
    try:
        lose(run, worker=claim)
        assert runs_release() == 1
    finally:
        worker.claim_drop(claim)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.worker) == (RunState.QUEUED, 0, "")


def test_a_command_without_a_queue_does_the_work_itself(start: Start, enqueued: list[UUID]) -> None:
    queue.connect(None)
    assert start(idle, now=True).outcome == {"rows": 3}
    waiting = start(idle)
    assert waiting.state == RunState.QUEUED
    assert enqueued == []


def test_work_inside_a_transaction_is_refused(start: Start) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        start(idle, now=True)


def test_an_interrupted_command_puts_its_run_back(start: Start) -> None:
    def interrupted(run: RunHandle) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(interrupted, now=True)
    assert Run.objects.get().state == RunState.QUEUED


def test_waiting_gives_the_run_as_it_is_when_the_time_is_over(start: Start) -> None:
    run = start(idle)
    assert run_wait(run.pk, 0).state == RunState.QUEUED
    run_execute(run.pk)
    assert run_wait(run.pk, 60).state == RunState.DONE


def test_only_old_finished_runs_are_forgotten(start: Start) -> None:
    old, recent = start(idle, key="old"), start(idle, key="recent")
    waiting = start(idle, key="waiting")
    run_execute(old.pk)
    run_execute(recent.pk)
    long_ago = clock.now() - timedelta(days=31)
    Run.objects.exclude(pk=recent.pk).update(created_at=long_ago)
    Run.objects.filter(pk=old.pk).update(finished_at=long_ago)

    assert runs_forget_old() == 1
    assert set(Run.objects.all()) == {recent, waiting}


def test_a_run_is_found_by_its_id(start: Start) -> None:
    run = start(idle)
    assert run_by_id(run.pk) == run
    assert run_by_id(uuid4()) is None
