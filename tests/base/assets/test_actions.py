"""What becomes of an asset that someone edits."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from tests.support.fleets import vehicle
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.assets.actions import asset_change
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core.errors import ConflictError


def test_a_change_is_kept_and_noted(tenant: Tenant) -> None:
    asset = vehicle(tenant, "v-1", name="Bus", site="Nord")
    asset_change(asset, name=" Bus 7 ", type="Van", site="Nord", actor="user:1")
    for one in (asset, Asset.objects.get()):
        assert (one.name, one.type, one.site) == ("Bus 7", "Van", "Nord")
    entry = AuditEntry.objects.get()
    assert (entry.tenant, entry.actor, entry.action) == (tenant, "user:1", "asset_change")
    assert entry.target == f"asset:{asset.pk} v-1"
    assert entry.detail == {"name": ["Bus", "Bus 7"], "type": ["", "Van"]}


def test_what_is_as_it_was_is_not_noted(tenant: Tenant) -> None:
    asset_change(vehicle(tenant, "v-1", name="Bus"), name="Bus", type="", site=" ", actor="user:1")
    assert not AuditEntry.objects.exists()


def test_what_is_too_long_or_no_text_is_named_and_nothing_is_changed(tenant: Tenant) -> None:
    asset = vehicle(tenant, "v-1", name="Bus")
    with pytest.raises(ValidationError) as caught:
        asset_change(asset, name="x" * 201, type="a\0b", site="Nord", actor="user:1")
    assert set(caught.value.message_dict) == {"name", "type"}
    assert (asset.name, Asset.objects.get().name, Asset.objects.get().site) == ("Bus", "Bus", "")
    assert not AuditEntry.objects.exists()


def test_two_people_change_different_things_and_nobody_overwrites_unseen(tenant: Tenant) -> None:
    vehicle(tenant, "v-1")
    first, second, third = (Asset.objects.get() for _ in range(3))
    asset_change(first, name="Bus", type="", site="", actor="user:1")
    asset_change(second, name="", type="", site="Nord", actor="user:2")
    with pytest.raises(ConflictError):
        asset_change(third, name="Tram", type="", site="", actor="user:3")
    kept = Asset.objects.get()
    assert (kept.name, kept.site) == ("Bus", "Nord")
    assert AuditEntry.objects.count() == 2
