from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from wattkeeper.flow.store.store import Store

_tenants = itertools.count(1_000_000)


@pytest.fixture(params=["embedded", "server"])
def any_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The store by each transport that production uses."""
    yield request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def tenant_id() -> int:
    """A tenant of this test's own, instead of emptying tables."""
    return next(_tenants)
