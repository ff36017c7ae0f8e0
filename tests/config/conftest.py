from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import Server, serving


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that need no other; each uses vehicles of its own."""
    home = tmp_path_factory.mktemp("serve") / "home"
    with serving(home) as server:
        yield server
