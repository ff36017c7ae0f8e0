"""Vehicles with a last known state, made without readings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from wattkeeper.base.accounts.callers import Caller, caller_of_user
from wattkeeper.base.accounts.models import Tenant, User
from wattkeeper.base.assets.filters import AssetFilter, filter_of
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.kinds.vehicle.models import VehicleState

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
STATE = {"speed": 0.0, "odometer": 1.0, "soc": 50, "elevation": 0.0, "shift_state": "P"}


def vehicle(tenant: Tenant, key: str, *, minutes_ago: float | None = None, **values: Any) -> Asset:
    """A vehicle; its newest reading was `minutes_ago` at NOON, or there is none. `values` are of both tables."""
    own = {name: value for name, value in values.items() if name not in STATE}
    asset = Asset.objects.create(tenant=tenant, kind="vehicle", key=key, registered_by="test", **own)
    if minutes_ago is not None:
        state = {**STATE, **{name: value for name, value in values.items() if name in STATE}}
        VehicleState.objects.create(asset=asset, at=NOON - timedelta(minutes=minutes_ago), **state)
    return asset


def kind() -> Kind:
    return registry.kind("vehicle")


def in_tenant(tenant: Tenant) -> Caller:
    """A viewer of the tenant who is not in the database."""
    return caller_of_user(User(pk=1, username="someone", tenant=tenant))


def asked(caller: Caller, **parameters: str) -> AssetFilter:
    return filter_of({name: [text] for name, text in parameters.items()}, kind=kind(), caller=caller)


def keys(caller: Caller, **parameters: str) -> list[str]:
    """The keys that the parameters mean, in order, at NOON."""
    return [asset.key for asset in asked(caller, **parameters).assets(now=NOON)]
