"""What is told of an asset, and when: after the commit, of each change, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.support.heard import pack_make
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.actions import (
    asset_archive,
    asset_change,
    asset_register,
    assets_register,
    state_write,
)
from wattkeeper.base.assets.events import AssetChanged
from wattkeeper.base.core import bus
from wattkeeper.kinds.battery.models import BatteryState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told() -> Iterator[list[AssetChanged]]:
    heard: list[AssetChanged] = []
    bus.listen(AssetChanged, heard.append)
    yield heard
    bus._listeners[AssetChanged].remove(heard.append)


def test_whoever_listens_hears_of_each_change_of_a_thing(told: list[AssetChanged], tenant: Tenant) -> None:
    asset = asset_register(tenant=tenant, kind="vehicle", key="VAN-1", type="", actor="user:1")
    asset_change(asset, actor="user:1", name="The blue one")
    asset_change(asset, actor="user:1", name="The blue one")  # which is no change
    asset_archive(asset, actor="user:1")
    assert told == [AssetChanged(asset.pk, tenant.pk, "vehicle")] * 3


def test_what_registers_itself_is_told_of_once(told: list[AssetChanged], tenant: Tenant) -> None:
    def appear(*keys: str) -> dict[str, int]:
        return assets_register(tenant_id=tenant.pk, kind="vehicle", keys=keys, by="key:1")

    first = appear("VAN-1")
    both = appear("VAN-1", "VAN-2")
    assert [event.asset_id for event in told] == [first["VAN-1"], both["VAN-2"]]


def test_a_state_that_somebody_writes_is_told_of(told: list[AssetChanged], tenant: Tenant) -> None:
    asset = pack_make(tenant)
    state_write(asset, BatteryState, {"health_percentage": 70.0})
    assert told == [AssetChanged(asset.pk, tenant.pk, "battery")]
    assert BatteryState.objects.get(pk=asset.pk).health_percentage == 70.0


def test_nothing_is_told_before_the_commit_nor_after_a_rollback(told: list[AssetChanged], tenant: Tenant) -> None:
    def change(asset: Any, name: str) -> None:
        asset_change(asset, actor="user:1", name=name)

    asset = pack_make(tenant)
    with transaction.atomic():
        change(asset, "new")
        assert told == []
    assert len(told) == 1
    with pytest.raises(RuntimeError), transaction.atomic():
        change(asset, "newer")
        raise RuntimeError
    assert len(told) == 1
