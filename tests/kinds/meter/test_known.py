"""What is known of meters whose messages come: theirs alone, and as it is now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.people import Person
from tests.support.meters import KEY, message, meter_make, understood
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets import actions
from wattkeeper.base.assets.actions import asset_change
from wattkeeper.base.assets.events import AssetChanged, ZonesChanged
from wattkeeper.base.assets.models import Asset, SiteZone
from wattkeeper.base.core import bus
from wattkeeper.kinds.meter import known as module
from wattkeeper.kinds.meter.known import Known, KnownMeters, due_storage_of, due_storages
from wattkeeper.kinds.meter.message import Identity
from wattkeeper.kinds.meter.models import DueStorage, Meter


def identity(**who: object) -> Identity:
    return understood(message(who=who)).identity


@pytest.fixture
def meters() -> Iterator[KnownMeters]:
    """A memory of this test's own, that hears what is told."""
    fresh = KnownMeters()
    listeners = [(AssetChanged, fresh.forget), (ZonesChanged, fresh.forget_all)]
    for event, listener in listeners:
        bus.listen(event, listener)  # type: ignore[arg-type]
    yield fresh
    for event, listener in listeners:
        bus._listeners[event].remove(listener)


def ask(meters: KnownMeters, tenant: Tenant, **who: object) -> Known:
    said = identity(**who)
    return meters.ask(tenant.pk, [said], by="gateway")[said.key]


class TestANewMeter:
    def test_appears_with_its_nameplate_and_medium(self, meters: KnownMeters, tenant: Tenant) -> None:
        asset = Asset.objects.get(pk=ask(meters, tenant, identnr="0500023e", version=7, type=6).asset_id)
        assert (asset.tenant, asset.kind, asset.key, asset.type, asset.registered_by) == (
            tenant, "meter", "EFE-0500023E-7-6", "warm water (6)", "gateway",
        )  # fmt: skip
        meter = Meter.objects.get(asset=asset)
        assert (meter.manufacturer, meter.identnr, meter.version, meter.device_type) == (5317, "0500023E", 7, 6)

    def test_is_another_with_another_maker_version_or_type(self, meters: KnownMeters, tenant: Tenant) -> None:
        whos: list[dict[str, object]] = [{}, {"manufacturer": 1143}, {"version": 1}, {"type": 6}, {"identnr": 1}]
        assert len({ask(meters, tenant, **who).asset_id for who in whos}) == 5

    def test_of_two_tenants_is_two(self, meters: KnownMeters, tenant: Tenant, other_tenant: Tenant) -> None:
        ours, theirs = ask(meters, tenant), ask(meters, other_tenant)
        assert ours.asset_id != theirs.asset_id
        assert (ask(meters, tenant), ask(meters, other_tenant)) == (ours, theirs)
        assert Asset.objects.get(pk=theirs.asset_id).tenant == other_tenant

    def test_beyond_the_cap_of_its_key_is_left_out_and_those_that_are_known_are_not(
        self, meters: KnownMeters, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(actions, "SELF_REGISTERED_MAX", 2)
        asked = [identity(identnr=number) for number in range(4)]
        found = meters.ask(tenant.pk, asked, by="gateway")
        assert set(found) == {asked[0].key, asked[1].key}
        assert set(KnownMeters().ask(tenant.pk, asked, by="gateway")) == set(found)
        assert set(meters.ask(tenant.pk, asked, by="another")) == {one.key for one in asked}

    def test_said_twice_in_one_body_is_one(self, meters: KnownMeters, tenant: Tenant) -> None:
        meters.ask(tenant.pk, [identity(), identity(manufacturer="EFE")], by="gateway")
        assert Asset.objects.filter(tenant=tenant, kind="meter").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_new_meter_whose_first_messages_come_at_once_is_one(tenant: Tenant) -> None:
    ready = threading.Barrier(4)

    def first(number: int) -> int:
        try:
            ready.wait(10)
            return ask(KnownMeters(), tenant).asset_id  # as of processes that share nothing
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(first, range(4)))
    assert ids == set(Asset.objects.filter(tenant=tenant, key=KEY).values_list("pk", flat=True))
    assert len(ids) == Meter.objects.filter(asset__tenant=tenant).count() == 1


class TestTheMemory:
    def test_asks_nobody_for_a_minute(
        self, meters: KnownMeters, tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        first = ask(meters, tenant)
        with django_assert_num_queries(0):
            assert ask(meters, tenant) == first
            assert meters.ask(tenant.pk, [], by="gateway") == {}

    def test_asks_again_after_it(self, meters: KnownMeters, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "SECONDS", 0.0)
        ask(meters, tenant)
        SiteZone.objects.create(tenant=tenant, site="", time_zone="UTC")  # by another process
        assert ask(meters, tenant).zone.key == "UTC"

    def test_forgets_a_meter_that_has_moved(
        self, meters: KnownMeters, tenant: Tenant, django_capture_on_commit_callbacks: Any
    ) -> None:
        SiteZone.objects.create(tenant=tenant, site="Lisbon", time_zone="Europe/Lisbon")
        assert ask(meters, tenant).zone.key == "Europe/Berlin"
        with django_capture_on_commit_callbacks(execute=True):
            asset_change(Asset.objects.get(tenant=tenant, key=KEY), actor="owner", site="Lisbon")
        assert ask(meters, tenant).zone.key == "Europe/Lisbon"

    def test_keeps_no_answer_that_was_old_before_it_came(
        self, meters: KnownMeters, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asset = meter_make(tenant)
        whole = module.due_storages

        def slow(tenant_id: int) -> Any:
            Asset.objects.filter(pk=asset.pk).update(site="Lisbon")
            bus.tell(AssetChanged(asset.pk, tenant.pk, "meter"))
            return whole(tenant_id)

        SiteZone.objects.create(tenant=tenant, site="Lisbon", time_zone="Europe/Lisbon")
        monkeypatch.setattr(module, "due_storages", slow)
        assert ask(meters, tenant).zone.key == "Europe/Berlin"
        monkeypatch.undo()
        assert ask(meters, tenant).zone.key == "Europe/Lisbon"

    def test_is_bounded(self, meters: KnownMeters, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST", 3)
        for number in range(10):
            ask(meters, tenant, identnr=number)
            assert len(meters._kept) == len(meters._keys) <= 3


class TestTheAdmin:
    def test_that_changes_a_zone_is_heard_at_once(
        self,
        meters: KnownMeters,
        owner: Person,
        superuser: Person,
        tenant: Tenant,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        assert ask(meters, tenant).zone.key == "Europe/Berlin"
        said = {"tenant": tenant.pk, "site": "", "time_zone": "Asia/Tokyo"}
        with django_capture_on_commit_callbacks(execute=True):
            answer = owner.session.post(reverse("admin:assets_sitezone_add"), said)
        assert answer.status_code == 302, answer.content
        assert ask(meters, tenant).zone.key == "Asia/Tokyo"
        row = SiteZone.objects.get(tenant=tenant)
        with django_capture_on_commit_callbacks(execute=True):
            superuser.session.post(reverse("admin:assets_sitezone_delete", args=[row.pk]), {"post": "yes"})
        assert ask(meters, tenant).zone.key == "Europe/Berlin"


class TestADueStorage:
    @pytest.mark.parametrize(
        ("device_type", "version", "storage"), [(4, 1, 5), (4, 2, 4), (6, 1, 3), (6, 2, 2), (None, None, 2)]
    )
    def test_is_what_is_said_most_closely(
        self, tenant: Tenant, device_type: int | None, version: int | None, storage: int
    ) -> None:
        for storage_said, type_said, version_said in [(2, None, None), (3, None, 1), (4, 4, None), (5, 4, 1)]:
            DueStorage.objects.create(
                tenant=tenant, manufacturer=5317, device_type=type_said, version=version_said, storage=storage_said
            )
        settings = due_storages(tenant.pk)
        found = due_storage_of(settings, manufacturer=5317, device_type=device_type or 9, version=version or 9)
        assert found == storage
        assert due_storage_of(settings, manufacturer=1143, device_type=4, version=1) == 1

    def test_is_the_tenants_own(self, meters: KnownMeters, tenant: Tenant, other_tenant: Tenant) -> None:
        DueStorage.objects.create(tenant=tenant, manufacturer=5317, storage=8)
        assert (ask(meters, tenant).due_storage, ask(meters, other_tenant).due_storage) == (8, 1)


class TestASitesZone:
    def test_is_its_own_else_the_tenants_else_berlin(
        self, meters: KnownMeters, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        meter_make(tenant, site="Tokyo", identnr=1)
        meter_make(tenant, site="nowhere", identnr=2)
        SiteZone.objects.create(tenant=tenant, site="", time_zone="Europe/Lisbon")
        SiteZone.objects.create(tenant=tenant, site="Tokyo", time_zone="Asia/Tokyo")
        zones = [ask(meters, tenant, identnr=number).zone.key for number in (1, 2, 3)]
        assert zones == ["Asia/Tokyo", "Europe/Lisbon", "Europe/Lisbon"]
        assert ask(meters, other_tenant).zone.key == "Europe/Berlin"
