from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jobs_crash_server
import pytest
from django.db import connection
from tests.support.runs import run_wait

from wattkeeper.base.jobs import registry
from wattkeeper.base.jobs.actions import run_execute, run_start
from wattkeeper.base.jobs.handle import RunHandle
from wattkeeper.base.jobs.models import Run, RunState
from wattkeeper.base.jobs.registry import Periodic
from wattkeeper.config import jobs as config_jobs
from wattkeeper.config.jobs import EmbeddedConsumer

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Run]


def idle(run: RunHandle) -> dict[str, Any]:
    return {"thread": threading.current_thread().name}


@pytest.fixture(autouse=True)
def no_periodics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_periodics", {})


@pytest.fixture
def consumer(real_queue: Path) -> Iterator[EmbeddedConsumer]:
    consumer = EmbeddedConsumer()
    consumer.start()
    yield consumer
    consumer.stop()


def consumer_threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("Worker-", "Scheduler", "heartbeat-"))]


def test_the_queue_has_no_file_before_something_is_queued(real_queue: Path, start: Start) -> None:
    assert not (real_queue / "jobs.sqlite3").exists()
    start(idle)
    assert (real_queue / "jobs.sqlite3").exists()


def test_the_consumer_works_runs_off_beside_the_main_thread(consumer: EmbeddedConsumer, start: Start) -> None:
    runs = [start(idle, key=str(number)) for number in range(5)]
    ended = [run_wait(run.pk, 60) for run in runs]
    assert {run.state for run in ended} == {RunState.DONE}
    assert all(run.outcome["thread"].startswith("Worker-") for run in ended)


def test_the_consumer_leaves_the_signals_to_the_server(consumer: EmbeddedConsumer) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert "huey" not in repr(getattr(signal.getsignal(number), "__module__", ""))


def test_a_queued_run_survives_the_server(real_queue: Path, start: Start) -> None:
    run = start(idle)
    config_jobs.queue_close()
    Run.objects.filter(pk=run.pk).update(state=RunState.FAILED)  # so that only the message can bring it
    consumer = EmbeddedConsumer()
    assert config_jobs.queue().storage.queue_size() == 1
    Run.objects.filter(pk=run.pk).update(state=RunState.QUEUED)
    consumer.start()
    try:
        assert run_wait(run.pk, 60).state == RunState.DONE
    finally:
        consumer.stop()


def test_a_run_whose_message_was_lost_is_found_at_start(real_queue: Path, start: Start) -> None:
    run = start(idle)
    config_jobs.queue().storage.flush_queue()
    consumer = EmbeddedConsumer()
    consumer.start()
    try:
        assert run_wait(run.pk, 60).state == RunState.DONE
    finally:
        consumer.stop()


def test_a_stopped_consumer_leaves_no_thread_and_no_run_behind(real_queue: Path, start: Start) -> None:
    at_work, may_end = threading.Event(), threading.Event()

    def work(run: RunHandle) -> dict[str, Any]:
        at_work.set()
        assert may_end.wait(60)
        return {}

    consumer = EmbeddedConsumer(stop_seconds=60)
    consumer.start()
    run = start(work)
    assert at_work.wait(60)
    stopping = threading.Thread(target=consumer.stop)
    stopping.start()
    may_end.set()
    stopping.join(60)

    assert consumer_threads() == []
    assert Run.objects.get(pk=run.pk).state == RunState.DONE


def test_a_job_that_outlasts_the_stop_is_given_back_and_cannot_write(real_queue: Path, start: Start) -> None:
    at_work, may_end, over = threading.Event(), threading.Event(), threading.Event()
    runs = 0

    def work(run: RunHandle) -> dict[str, Any]:
        nonlocal runs
        runs += 1
        if runs > 1:
            return {"by": "the next server"}
        at_work.set()
        assert may_end.wait(60)
        try:
            run.progress(1, 1)
        finally:
            over.set()
        return {"by": "the stopped server"}

    consumer = EmbeddedConsumer(stop_seconds=0.1)
    consumer.start()
    run = start(work)
    assert at_work.wait(60)
    consumer.stop()
    given_back = Run.objects.get(pk=run.pk)
    assert (given_back.state, given_back.attempts) == (RunState.QUEUED, 0)

    may_end.set()
    assert over.wait(60)
    for thread in threading.enumerate():
        if thread.name.startswith(("Worker-", "heartbeat-")):
            thread.join(60)
    assert run_execute(run.pk).outcome == {"by": "the next server"}


def test_periodic_functions_run_while_the_consumer_does(real_queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = threading.Event()
    monkeypatch.setattr(registry, "_periodics", {"p": Periodic("p", 60, called.set)})
    consumer = EmbeddedConsumer()
    consumer.start()
    try:
        assert called.wait(60)
    finally:
        consumer.stop()


def test_a_message_whose_run_is_gone_disturbs_nobody(consumer: EmbeddedConsumer, start: Start) -> None:
    config_jobs.enqueue(Run().pk)
    assert run_wait(start(idle).pk, 60).state == RunState.DONE


def test_a_job_killed_in_the_middle_is_finished_exactly_once_by_the_next_server(
    real_queue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger"
    work = jobs_crash_server.crash_job(ledger, in_the_middle=lambda: None)
    monkeypatch.setitem(registry._jobs, jobs_crash_server.NAME, work)
    run = run_start(jobs_crash_server.NAME, key="1", args={}, tenant_id=1, owner="user:3")

    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "wattkeeper.config.settings",
        "WATTKEEPER_HOME": str(real_queue),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
    }
    with subprocess.Popen(
        [sys.executable, jobs_crash_server.__file__, str(ledger)],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        assert server.stdout.readline() == "in the middle\n"
        assert Run.objects.get(pk=run.pk).state == RunState.RUNNING
        server.kill()
    assert ledger.read_text().split() == ["0", "1", "2"]

    consumer = EmbeddedConsumer()
    consumer.start()
    try:
        ended = run_wait(run.pk, 60)
        assert (ended.state, ended.attempts, ended.outcome) == (RunState.DONE, 2, {"found": 3})
        config_jobs.enqueue(run.pk)  # a message too many
    finally:
        consumer.stop()
    assert run_execute(run.pk).attempts == 2
    assert ledger.read_text().split() == [str(step) for step in range(jobs_crash_server.STEPS)]
