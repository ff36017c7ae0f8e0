"""What is remembered of large fleets, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets import memory
from wattkeeper.base.assets.actions import asset_archive, asset_register, assets_register
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import fleet_counts, fleet_size
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.clock import now


@pytest.fixture(autouse=True)
def _two_are_many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "LARGE", 2)
    memory.forget()
    yield
    memory.forget()


def sizes(tenant: Tenant) -> tuple[int, int]:
    kind = registry.kind("vehicle")
    return fleet_size("vehicle", tenant_id=tenant.pk), fleet_counts(kind, tenant_id=tenant.pk, now=now()).total


def behind_its_back(tenant: Tenant, key: str) -> None:
    """As another process would."""
    Asset.objects.create(tenant=tenant, kind="vehicle", key=key, registered_by="test")


def test_a_small_fleet_is_counted_each_time(tenant: Tenant) -> None:
    for count in (0, 1):
        assert sizes(tenant) == (count, count)
        behind_its_back(tenant, f"V{count}")


def test_a_large_fleet_is_remembered_for_a_while(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        behind_its_back(tenant, f"V{number}")
    assert sizes(tenant) == (2, 2)
    behind_its_back(tenant, "V2")
    assert sizes(tenant) == (2, 2)
    later = memory.time.monotonic() + memory.SECONDS
    monkeypatch.setattr("wattkeeper.base.assets.memory.time.monotonic", lambda: later)
    assert sizes(tenant) == (3, 3)


def test_one_tenants_fleet_is_not_anothers(tenant: Tenant, other_tenant: Tenant) -> None:
    for number in range(2):
        behind_its_back(tenant, f"V{number}")
    assert sizes(tenant) == (2, 2)
    assert sizes(other_tenant) == (0, 0)


def test_what_this_process_registers_or_archives_is_known_at_once(
    tenant: Tenant, django_capture_on_commit_callbacks: object
) -> None:
    for number in range(2):
        behind_its_back(tenant, f"V{number}")
    changes = {
        3: lambda: asset_register(tenant=tenant, kind="vehicle", key="V2", type="", actor="test"),
        4: lambda: assets_register(tenant_id=tenant.pk, kind="vehicle", keys=["V3"], by="test"),
        2: lambda: [asset_archive(asset, actor="test") for asset in Asset.objects.filter(key__in=["V2", "V3"])],
    }
    for count, change in changes.items():
        assert sizes(tenant) != (count, count)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            change()
        assert sizes(tenant) == (count, count)
