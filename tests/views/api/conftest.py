"""What the tests of uploads have in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from tests.people import Person
from tests.support.uploads import FileUpload
from wattkeeper.base.jobs import registry
from wattkeeper.config import jobs as config_jobs


@pytest.fixture
def upload(owner: Person) -> FileUpload:
    return FileUpload(owner.jwt)


@pytest.fixture
def own_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A queue of this test's own, in which a run waits for nobody and a consumer works off this test's runs alone."""
    monkeypatch.setattr(django_settings, "HOME", tmp_path)
    monkeypatch.setattr(registry, "_periodics", {})
    config_jobs.queue_close()
    yield
    config_jobs.queue_close()
