"""The one door for changes to meters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.actions import assets_register, change_tell, state_advance, state_write
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import LONGEST_TEXT
from wattkeeper.base.assets.states import states_known
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core import bus
from wattkeeper.base.core.clock import now
from wattkeeper.flow.ingest import ingest_written
from wattkeeper.flow.rules.actions import plans_outdate
from wattkeeper.kinds.meter.codes import media
from wattkeeper.kinds.meter.events import StoragesChanged
from wattkeeper.kinds.meter.message import Identity
from wattkeeper.kinds.meter.models import DueStorage, Meter, MeterState
from wattkeeper.kinds.meter.streams import MESSAGE

_METERS_AT_ONCE = 200  # in a transaction, for which messages wait
_BROUGHT = (*(channel.name for channel in MESSAGE.channels), "main_dimension", "main_value")
_NAMED = 5  # of the meters that somebody may have meant


@transaction.atomic
def meters_register(*, tenant_id: int, meters: Sequence[Identity], by: str) -> Mapping[str, int]:
    """Make those meters that are none yet; gives the asset ids of all that exist afterwards, by key.

    What goes beyond the cap of its registrar is left out.
    """
    by_key = {meter.key: meter for meter in meters}
    types = {key: media.words_of(meter.type) for key, meter in by_key.items()}
    ids = assets_register(tenant_id=tenant_id, kind=MESSAGE.kind, keys=list(by_key), by=by, types=types)
    Meter.objects.bulk_create(
        (
            Meter(
                asset_id=pk,
                manufacturer=by_key[key].manufacturer,
                identnr=by_key[key].identnr,
                version=by_key[key].version,
                device_type=by_key[key].type,
            )
            for key, pk in ids.items()
        ),
        ignore_conflicts=True,
    )
    return ids


@dataclass(frozen=True, slots=True)
class UseLearnt:
    """What a meter used in its last whole day; `usual`: the range that is usual from now on, None where that stays."""

    asset_id: int
    daily_use: float
    usual: tuple[float, float] | None


def uses_write(learnt: Sequence[UseLearnt], *, tenant_id: int) -> None:
    """Write down what was learnt of meters of one tenant, and judge what they used."""
    for start in range(0, len(learnt), _METERS_AT_ONCE):
        with transaction.atomic():
            _uses_write(learnt[start : start + _METERS_AT_ONCE], tenant_id=tenant_id)


def _uses_write(learnt: Sequence[UseLearnt], *, tenant_id: int) -> None:
    kind, present = registry.kind(MESSAGE.kind), now()
    before = states_known(kind, [one.asset_id for one in learnt], lock=True)
    moved = [one for one in learnt if one.usual is not None]
    for one in moved:
        least, most = one.usual or (None, None)
        Meter.objects.filter(pk=one.asset_id).update(usual_least=least, usual_most=most)
    if moved:
        plans_outdate(tenant_id)
    written = {
        one.asset_id: {"daily_use": one.daily_use}
        for one in learnt
        if one.asset_id in before and (one.usual or before[one.asset_id].values["daily_use"] != one.daily_use)
    }
    assets = Asset.objects.in_bulk(written)
    for asset_id, values in written.items():
        state_write(assets[asset_id], MeterState, values)
    ingest_written(kind, written, tenant_id=tenant_id, before=before, at=present)


def state_apply(stream: Stream, rows: Sequence[NewestRow]) -> None:
    """Move the meters' states forward to `rows`, in one statement, never back. What a message leaves out stays."""
    states = ((row.asset_id, row.at, *map(_main_whole(row.values).get, _BROUGHT)) for row in rows)
    state_advance(MeterState, _BROUGHT, states, nulls_keep=True, same_time_moves=True)


def _main_whole(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A value that stays as it was has the dimension that it was sent with."""
    return values if values.get("main_value") is not None else {**values, "main_dimension": None}


@transaction.atomic
def meter_replace(meter: Meter, *, said: str, actor: str) -> None:
    """Say which meter hung there before it: its key, or a part that only one has; empty: none.

    ValidationError of `replaces`, also where somebody else replaces that one, or where it would go round in a circle.
    """
    before = _meter_said(meter, said.strip()) if said.strip() else None
    if before is not None:
        if Meter.objects.filter(replaces=before).exclude(pk=meter.pk).exists():
            raise ValidationError({"replaces": f"{before.key} is replaced by another meter already."})
        if _leads_to(before.pk, meter.pk):
            raise ValidationError(
                {"replaces": f"{before.key} came after this meter: it cannot have hung there before."}
            )
    old = meter.replaces.key if meter.replaces else None
    if row_change(meter, {"replaces_id": before.pk if before else None}):
        asset = meter.asset
        detail = {"replaces": [old, before.key if before else None]}
        target = f"asset:{asset.pk} {asset.key}"
        audit_add(tenant=asset.tenant, actor=actor, action="meter_replace", target=target, detail=detail)
        change_tell(asset)


@transaction.atomic
def due_storage_add(
    *,
    tenant: Tenant,
    manufacturer: int,
    device_type: int | None,
    version: int | None,
    storage: int,
    actor: str,
) -> DueStorage:
    """Say where such meters keep the values of the due date.

    ValidationError by field, also where it is said already.
    """
    row = DueStorage(
        tenant=tenant, manufacturer=manufacturer, device_type=device_type, version=version, storage=storage
    )
    row.full_clean()
    row.save()
    _audit_due_storage(row, actor=actor, action="due_storage_add")
    storages_tell(tenant.pk)
    return row


@transaction.atomic
def due_storage_remove(row: DueStorage, *, actor: str) -> None:
    """Such meters keep to the convention again."""
    _audit_due_storage(row, actor=actor, action="due_storage_remove")
    storages_tell(row.tenant_id)
    row.delete()


def storages_tell(tenant_id: int) -> None:
    """After the commit, whoever listens hears that values of the due date lie elsewhere."""
    transaction.on_commit(partial(bus.tell, StoragesChanged(tenant_id)))


def _audit_due_storage(row: DueStorage, *, actor: str, action: str) -> None:
    detail = {name: getattr(row, name) for name in ("manufacturer", "device_type", "version", "storage")}
    audit_add(tenant=row.tenant, actor=actor, action=action, target=f"due_storage:{row.pk}", detail=detail)


def _meter_said(meter: Meter, said: str) -> Asset:
    """The meter of the same tenant that is meant."""
    if "\0" in said or len(said) > LONGEST_TEXT:
        raise ValidationError({"replaces": "That is no meter's key."})
    among = Asset.objects.filter(tenant_id=meter.asset.tenant_id, kind=MESSAGE.kind).exclude(meter=None)
    found = among.filter(key__iexact=said).first()
    if found is None:
        like = list(among.filter(key__icontains=said).exclude(pk=meter.pk).order_by("key")[: _NAMED + 1])
        if len(like) > 1:
            keys = ", ".join(one.key for one in like[:_NAMED])
            more = " and more" if len(like) > _NAMED else ""
            raise ValidationError({"replaces": f"Several meters have that in their key: {keys}{more}."})
        found = like[0] if like else None
    if found is None:
        raise ValidationError({"replaces": "There is no such meter."})
    if found.pk == meter.pk:
        raise ValidationError({"replaces": "A meter does not replace itself."})
    return found


def _leads_to(start: int, goal: int) -> bool:
    """Whether `goal` is `start`, or hung there before it."""
    seen: set[int] = set()
    place: int | None = start
    while place is not None and place not in seen:
        if place == goal:
            return True
        seen.add(place)
        place = Meter.objects.filter(pk=place).values_list("replaces", flat=True).first()
    return False
