from __future__ import annotations

import pytest

from wattkeeper.flow.store.store import Store


@pytest.fixture
def meter_store(vehicle_store: Store) -> Store:
    """The engine of this process, for meters whose ids no test had before."""
    return vehicle_store
