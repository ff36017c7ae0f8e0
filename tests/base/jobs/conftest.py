from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from wattkeeper.base.jobs import queue, registry
from wattkeeper.base.jobs.actions import run_start
from wattkeeper.base.jobs.models import Run
from wattkeeper.config import jobs as config_jobs

Register = Callable[[registry.Job], str]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Registers a function as a job for this test, and gives the job's name."""

    def _register(function: registry.Job) -> str:
        monkeypatch.setitem(registry._jobs, "test.job", function)
        return "test.job"

    return _register


@pytest.fixture
def start(register: Register) -> Callable[..., Run]:
    """Starts a run of the function."""

    def _start(function: registry.Job, **values: Any) -> Run:
        defaults: dict[str, Any] = {"key": "1", "args": {}, "tenant_id": 1, "owner": "user:3"}
        return run_start(register(function), **defaults | values)

    return _start


@pytest.fixture(autouse=True)
def enqueued() -> Iterator[list[UUID]]:
    """The ids that were put on the queue; nothing works it off."""
    ids: list[UUID] = []
    before = queue.connect(ids.append)
    yield ids
    queue.connect(before)


@pytest.fixture
def real_queue(enqueued: list[UUID], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The real queue in a home of this test's own; gives the home."""
    monkeypatch.setattr(settings, "HOME", tmp_path)
    config_jobs.queue_close()
    queue.connect(config_jobs.enqueue)
    yield tmp_path
    config_jobs.queue_close()
