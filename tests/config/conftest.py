from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.serving import RunningServer, home_make, served


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests that need no other; each uses vehicles of its own."""
    home = tmp_path_factory.mktemp("serve") / "home"
    with served(home, key=home_make(home)) as server:
        yield server
