from __future__ import annotations

import pytest

from tests.support.packs import PACK
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind


@pytest.fixture
def packs(monkeypatch: pytest.MonkeyPatch) -> Kind:
    """Packs are a kind of thing, for the length of a test."""
    monkeypatch.setitem(registry._kinds, PACK.name, PACK)
    return PACK
