"""The one door for changes to batteries and devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.actions import (
    asset_archive,
    asset_change,
    asset_register,
    change_tell,
    state_advance,
    state_write,
)
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.states import states_known
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.flow.alerts.endings import asset_ended
from wattkeeper.flow.ingest import ingest_written
from wattkeeper.flow.rules.actions import plans_outdate
from wattkeeper.kinds.battery.models import Battery, BatteryState, Device, Status
from wattkeeper.kinds.battery.queries import battery_ids_among
from wattkeeper.kinds.battery.streams import NAMEPLATE, STATUS, WRITTEN

_MICROSECOND = timedelta(microseconds=1)
_CHANNELS = tuple(channel.name for channel in STATUS.channels)
_NAMEPLATE = tuple(channel.name for channel in NAMEPLATE)
_STATE = (*_CHANNELS, *(channel.name for channel in WRITTEN))
_UNKNOWN = {**dict.fromkeys(_CHANNELS), "current_status": Status.IDLE, "health_percentage": 100.0, "cycle_count": 0}

# What the assets call it, and what this kind does.
_OWN = {"key": "serial_number", "type": "battery_type"}


def battery_register(*, tenant: Tenant, values: Mapping[str, Any], actor: str) -> Asset:
    """A new battery, from what stands on it and what is known of its state.

    `values` are named as in the API: `serial_number`, `battery_type` and any of the nameplate and the state. A serial
    number that is archived comes back: the same id, with its readings and alerts, its nameplate and state as they are
    said now. ValidationError by field, also where one of that serial number is in use.
    """
    with transaction.atomic(), _named_as_outside():
        asset = asset_register(
            tenant=tenant,
            kind=STATUS.kind,
            key=values["serial_number"],
            type=values["battery_type"],
            actor=actor,
        )
        nameplate = {name: values.get(name) for name in _NAMEPLATE}
        _, is_new = Battery.objects.update_or_create(asset=asset, defaults=nameplate)
        BatteryState.objects.update_or_create(asset=asset, defaults={**_UNKNOWN, "updated_at": now()})
        if not is_new:
            plans_outdate(tenant.pk)
    _written(asset, values, is_new=True)
    return asset


def battery_change(asset: Asset, *, values: Mapping[str, Any], actor: str) -> None:
    """Give the battery what is given of its serial number, type, nameplate and state; the state is judged.

    ValidationError by field; ConflictError where somebody else has changed the same since `asset` was read.
    """
    own = {inside: values[outside] for inside, outside in _OWN.items() if outside in values}
    nameplate = {name: values[name] for name in _NAMEPLATE if name in values}
    with transaction.atomic(), _named_as_outside():
        asset_change(asset, actor=actor, **own)
        if changed := row_change(asset.battery, nameplate):
            target = f"asset:{asset.pk} {asset.key}"
            audit_add(tenant=asset.tenant, actor=actor, action="battery_change", target=target, detail=changed)
            plans_outdate(asset.tenant_id)
            change_tell(asset)
    _written(asset, values)


def battery_archive(asset: Asset, *, actor: str) -> None:
    """Take the battery out of use. What it has said stays; its alerts end."""
    with transaction.atomic():
        asset_archive(asset, actor=actor)
        asset_ended(asset.pk, by=actor, why="the battery was deleted")


@transaction.atomic
def battery_written(asset: Asset, values: Mapping[str, Any], *, is_new: bool = False) -> None:
    """What somebody says of the battery's state, now: it is judged.

    What a reading could say counts as of now, and a reading from before is late. Not of a battery that is registered
    (`is_new`): nobody knows of when that is, and the first reading counts whatever its time.
    """
    kind, present = registry.kind(STATUS.kind), now()
    before = states_known(kind, [asset.pk], lock=True)[asset.pk]
    moment = present if before.at is None else max(present, before.at + _MICROSECOND)
    moves = {} if is_new or values.keys().isdisjoint(_CHANNELS) else {"at": moment}
    state_write(asset, BatteryState, {**values, **moves, "updated_at": present})
    ingest_written(kind, {asset.pk: values}, tenant_id=asset.tenant_id, before={asset.pk: before}, at=moment)


def state_apply(stream: Stream, rows: Sequence[NewestRow]) -> None:
    """Move the batteries' states forward to `rows`, in one statement, never back. What a row leaves out stays."""
    present = now()
    states = ((row.asset_id, row.at, row.received_at or present, *map(row.values.get, _CHANNELS)) for row in rows)
    state_advance(BatteryState, ("updated_at", *_CHANNELS), states, nulls_keep=True)


def device_add(*, tenant: Tenant, values: Mapping[str, Any], actor: str) -> Device:
    """A new device, from its fields and `batteries`, ids. ValidationError by field."""
    fields = {name: value for name, value in values.items() if name != "batteries"}
    with transaction.atomic(), _serial_is_free():
        device = Device.objects.create(tenant=tenant, last_checked=now(), **fields)
        held = _hold(device, values.get("batteries", ()))
        _audit_device(device, actor=actor, action="device_add", detail={**fields, "batteries": held})
    return device


def device_change(device: Device, *, values: Mapping[str, Any], actor: str) -> None:
    """Give the device what is given of its fields and batteries. ValidationError by field; ConflictError as usual."""
    wanted = {name: value for name, value in values.items() if name != "batteries"}
    with transaction.atomic(), _serial_is_free():
        changed: dict[str, Any] = row_change(device, wanted)
        if "batteries" in values:
            before = sorted(device.batteries.values_list("pk", flat=True))
            if (held := _hold(device, values["batteries"])) != before:
                changed["batteries"] = [before, held]
        device.last_checked = now()
        device.save(update_fields=["last_checked"])
        if changed:
            _audit_device(device, actor=actor, action="device_change", detail=changed)


@transaction.atomic
def device_remove(device: Device, *, actor: str) -> None:
    """Forget the device; its batteries stay."""
    _audit_device(device, actor=actor, action="device_remove", detail={"serial_number": device.serial_number})
    device.delete()


def _written(asset: Asset, values: Mapping[str, Any], *, is_new: bool = False) -> None:
    state = {name: values[name] for name in _STATE if name in values}
    if state:
        battery_written(asset, state, is_new=is_new)


def _hold(device: Device, battery_ids: Sequence[int]) -> list[int]:
    """Put those batteries, and no others, into the device. ValidationError where one is not the tenant's."""
    strange = sorted(set(battery_ids) - battery_ids_among(battery_ids, tenant_id=device.tenant_id))
    if strange:
        raise ValidationError({"batteries": [f"There is no battery {pk}." for pk in strange[:10]]})
    held = sorted(set(battery_ids))
    device.batteries.set(held)
    return held


@contextmanager
def _named_as_outside() -> Iterator[None]:
    """What is wrong with the asset is said of the fields by which the outside knows it."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError({_OWN.get(name, name): said for name, said in error.message_dict.items()}) from None


@contextmanager
def _serial_is_free() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise ValidationError({"serial_number": "There is a device of this serial number already."}) from None


def _audit_device(device: Device, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    target = f"device:{device.pk} {device.device_name}"
    audit_add(tenant=device.tenant, actor=actor, action=action, target=target, detail=detail)
