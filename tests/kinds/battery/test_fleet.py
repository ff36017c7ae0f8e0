"""What people do for the simulated packs: register them, look after them, take them out of use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.kinds.battery.actions import battery_archive
from wattkeeper.kinds.battery.simulator import fleet

ORIGIN = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
SIZE = 5


def tended(tenant: Tenant, *, size: int = SIZE, after: timedelta = timedelta(0)) -> list[Asset]:
    """The packs in use, by their serial numbers, once they are tended."""
    fleet.tend(size=size, origin=ORIGIN, at=ORIGIN + after, tenant=tenant, by="demo")
    packs = assets_of_kind("battery", tenant_id=tenant.pk).select_related("battery", "battery_state")
    return list(packs.order_by("key"))


def test_each_pack_is_registered_with_its_nameplate(tenant: Tenant) -> None:
    for asset, pack in zip(tended(tenant), fleet.packs(SIZE, origin=ORIGIN), strict=True):
        assert (asset.key, asset.name, asset.site) == (pack.serial_number, pack.name, pack.site)
        assert asset.type == pack.make.battery_type
        assert asset.battery.voltage_nominal == pack.make.voltage_nominal
        assert asset.battery_state.health_percentage == pack.wear(ORIGIN).health


def test_use_shows_in_health_and_cycles(tenant: Tenant) -> None:
    before, after = tended(tenant), tended(tenant, after=timedelta(days=30))
    assert [asset.pk for asset in before] == [asset.pk for asset in after]
    for one, two in zip(before, after, strict=True):
        assert one.battery_state.cycle_count < two.battery_state.cycle_count
        assert one.battery_state.health_percentage > two.battery_state.health_percentage


def test_a_pack_that_somebody_has_removed_stays_removed(tenant: Tenant) -> None:
    gone = tended(tenant)[0]
    battery_archive(gone, actor="test")
    assert gone.pk not in [asset.pk for asset in tended(tenant, after=timedelta(days=1))]


def test_a_fleet_that_grows_keeps_its_packs(tenant: Tenant) -> None:
    small, large = tended(tenant), tended(tenant, size=SIZE + 2)
    assert [asset.pk for asset in large[:SIZE]] == [asset.pk for asset in small]
    assert len(large) == SIZE + 2
