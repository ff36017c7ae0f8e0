"""What is asked about things, and whose they are."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.support.fleets import NOON, kind, vehicle
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets import queries
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import FleetCounts


def found(text: str, tenant: Tenant | None, limit: int = 10) -> list[str]:
    tenant_id = None if tenant is None else tenant.pk
    return [asset.key for asset in queries.asset_search(text, tenant_id=tenant_id, limit=limit)]


def archive(asset: Asset) -> None:
    Asset.objects.filter(pk=asset.pk).update(archived_at=NOON)


def test_a_search_gives_the_best_matches_first(tenant: Tenant) -> None:
    for key, name in {"xv1x": "", "b": "v1 bus", "v12": "", "a": "old V1", "V1": "", "v11": "", "c": "w1"}.items():
        vehicle(tenant, key, name=name)
    assert found(" v1 ", tenant) == ["V1", "v11", "v12", "b", "a", "xv1x"]
    assert found("v1", tenant, limit=2) == ["V1", "v11"]


def test_a_search_goes_through_all_kinds_in_use(tenant: Tenant) -> None:
    Asset.objects.filter(pk=vehicle(tenant, "v-1").pk).update(kind="battery")
    vehicle(tenant, "v-2")
    archive(vehicle(tenant, "v-3"))
    assert found("v-", tenant) == ["v-1", "v-2"]


@pytest.mark.parametrize("text", ["", "  ", "%", "_", "v\0", "v" * 300])
def test_a_search_for_nothing_finds_nothing(text: str, tenant: Tenant) -> None:
    vehicle(tenant, "v-1")
    assert found(text, tenant) == []


def test_another_tenants_things_are_not_found(tenant: Tenant, other_tenant: Tenant) -> None:
    ours = vehicle(tenant, "v-1", site="Nord")
    assert found("v-1", other_tenant) == []
    assert found("v-1", None) == ["v-1"]
    assert queries.sites_of(other_tenant.pk) == []
    for tenant_id, seen in ((tenant.pk, ours), (None, ours), (other_tenant.pk, None)):
        assert queries.asset_by_id(ours.pk, kind="vehicle", tenant_id=tenant_id) == seen


def test_an_id_is_of_its_kind_and_may_be_archived(tenant: Tenant) -> None:
    asset = vehicle(tenant, "v-1")
    archive(asset)
    assert queries.asset_by_id(asset.pk, kind="vehicle", tenant_id=tenant.pk) == asset
    assert queries.asset_by_id(asset.pk, kind="battery", tenant_id=tenant.pk) is None


def test_sites_are_those_with_things_in_use(tenant: Tenant, other_tenant: Tenant) -> None:
    for number, site in enumerate(["Süd", "Nord", "", "Nord", "Ost"]):
        asset = vehicle(tenant, f"v-{number}", site=site)
    Asset.objects.filter(pk=asset.pk).update(kind="battery")
    archive(vehicle(tenant, "old", site="West"))
    vehicle(other_tenant, "v-1", site="Elsewhere")
    assert queries.sites_of(tenant.pk) == ["Nord", "Ost", "Süd"]
    assert queries.sites_of(tenant.pk, kind="vehicle") == ["Nord", "Süd"]
    assert queries.sites_of(None, kind="vehicle") == ["Elsewhere", "Nord", "Süd"]


def test_a_fleet_is_counted_by_the_age_of_its_readings_in_one_question(
    tenant: Tenant, other_tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for key, minutes in {"a": 0, "b": -5, "c": 14.9, "d": 15, "e": 9_000, "f": None}.items():
        vehicle(tenant, key, minutes_ago=minutes)
    archive(vehicle(tenant, "old", minutes_ago=1))
    vehicle(other_tenant, "a", minutes_ago=1)
    with django_assert_num_queries(1):
        counts = queries.fleet_counts(kind(), tenant_id=tenant.pk, now=NOON)
    assert counts == FleetCounts(total=6, fresh=3, stale=2, never=1)
    assert queries.fleet_counts(kind(), tenant_id=None, now=NOON).total == 7


def test_a_fleet_of_none_is_counted(tenant: Tenant) -> None:
    nothing = FleetCounts(total=0, fresh=0, stale=0, never=0)
    assert queries.fleet_counts(kind(), tenant_id=tenant.pk, now=NOON) == nothing
