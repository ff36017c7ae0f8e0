from __future__ import annotations

import os
import tempfile

_home = tempfile.TemporaryDirectory(prefix="wattkeeper-test-")
os.environ["WATTKEEPER_HOME"] = _home.name
os.environ["DJANGO_ENV"] = "local"

from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

from wattkeeper.base.catalog import registry  # noqa: E402
from wattkeeper.flow.store.engine import EngineOptions  # noqa: E402
from wattkeeper.flow.store.store import Store, close_store, open_store  # noqa: E402


@pytest.fixture(scope="session")
def embedded_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The engine of this process: there can be only one, so all tests share it, each with a tenant of its own."""
    path: Path = tmp_path_factory.mktemp("readings") / "engine"
    opened = open_store(
        EngineOptions(f"chdb://{path}", max_threads=8),
        registry.streams() or (__import__("wattkeeper.kinds.vehicle.streams", fromlist=["x"]).TELEMETRY,),
    )
    yield opened
    close_store()
