"""The one door for changes to assets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.events import AssetChanged, ZonesChanged
from wattkeeper.base.assets.many import ROWS_A_STATEMENT, among, moment_read, rows_raw, rows_write
from wattkeeper.base.assets.memory import forget
from wattkeeper.base.assets.models import Asset, SiteZone
from wattkeeper.base.assets.queries import ids_of
from wattkeeper.base.assets.rhythm import usual_interval_next
from wattkeeper.base.core import bus, clock
from wattkeeper.base.core.errors import ConflictError

# A broken or hostile sender could invent assets without end.
SELF_REGISTERED_MAX = 100_000


def assets_register(
    *, tenant_id: int, kind: str, keys: Sequence[str], by: str, types: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Make assets of those `keys` that are none yet; gives the ids of all that exist afterwards.

    What goes beyond the cap of its registrar is left out. `types`: of what type they are, by key, where that is known.
    """
    of_type = types or {}
    with transaction.atomic():
        room = SELF_REGISTERED_MAX - Asset.objects.filter(registered_by=by).count()
        known = ids_of(tenant_id=tenant_id, kind=kind, keys=keys)
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        Asset.objects.bulk_create(
            (
                Asset(tenant_id=tenant_id, kind=kind, key=key, type=of_type.get(key, ""), registered_by=by)
                for key in missing[: max(room, 0)]
            ),
            batch_size=ROWS_A_STATEMENT,
            ignore_conflicts=True,  # another door registered it in the meantime
        )
        transaction.on_commit(forget)
        ids = ids_of(tenant_id=tenant_id, kind=kind, keys=keys)
        for key in missing:
            if key in ids:
                transaction.on_commit(partial(bus.tell, AssetChanged(ids[key], tenant_id, kind)))
    return ids


@transaction.atomic
def asset_register(*, tenant: Tenant, kind: str, key: str, type: str, actor: str) -> Asset:
    """Make one asset, which nobody has to hear of first; one of that key that is archived comes back, as what it was.

    ValidationError by field, also where one of that key is in use.
    """
    asset = Asset(tenant=tenant, kind=kind, key=key, type=type, registered_by=actor)
    asset.full_clean(exclude=["tenant"], validate_unique=False, validate_constraints=False)
    # Without a look-up first: two who register the same at once must not both find nothing.
    found, is_new = Asset.objects.select_for_update().get_or_create(
        tenant=tenant, kind=kind, key=key, defaults={"type": type, "registered_by": actor}
    )
    if not is_new:
        if found.archived_at is None:
            raise ValidationError({"key": f"There is a {kind} of that name already."})
        found.archived_at, found.type = None, type
        # Its rhythm was that of then: it is not silent for having been out of use.
        found.last_seen, found.usual_interval, found.readings_seen = None, None, 0
        found.save(update_fields=["archived_at", "type", "last_seen", "usual_interval", "readings_seen"])
    transaction.on_commit(forget)
    change_tell(found)
    _audit(found, actor=actor, action="asset_register" if is_new else "asset_restore", detail={"type": type})
    return found


@transaction.atomic
def asset_archive(asset: Asset, *, actor: str) -> None:
    """Take the asset out of use; what it has said stays. ConflictError where somebody else has done so already."""
    now = clock.now()
    if not Asset.objects.filter(pk=asset.pk, archived_at=None).update(archived_at=now):
        raise ConflictError("This is not in use any more.")
    asset.archived_at = now
    transaction.on_commit(forget)
    change_tell(asset)
    _audit(asset, actor=actor, action="asset_archive", detail={})


@transaction.atomic
def asset_change(
    asset: Asset,
    *,
    actor: str,
    key: str | None = None,
    name: str | None = None,
    type: str | None = None,
    site: str | None = None,
) -> None:
    """Give an asset what is given of another key, name, type or site, without the blanks around them.

    ValidationError by field; ConflictError where somebody else has changed the same since `asset` was read.
    """
    given = {"key": key, "name": name, "type": type, "site": site}
    wanted = {field: value for field, value in given.items() if value is not None}
    try:
        with transaction.atomic():
            changed = row_change(asset, wanted)
    except IntegrityError:
        taken = f"There is a {asset.kind} of that name already, or there was one."
        raise ValidationError({"key": taken}) from None
    if changed:
        change_tell(asset)
        _audit(asset, actor=actor, action="asset_change", detail=changed)


def change_tell(asset: Asset) -> None:
    """After the commit, whoever listens hears that the thing has changed. A kind says so of its nameplate."""
    transaction.on_commit(partial(bus.tell, AssetChanged(asset.pk, asset.tenant_id, asset.kind)))


def zones_tell(tenant_id: int) -> None:
    """After the commit, whoever listens hears that sites have other zones."""
    transaction.on_commit(partial(bus.tell, ZonesChanged(tenant_id)))


def assets_seen(seen: Mapping[int, datetime], *, changed: Collection[int] = ()) -> None:
    """Move `last_seen` forward, never back, as a file of history does; what is `changed` did so at that time."""
    _liveness_write({asset_id: (at, at if asset_id in changed else None, None, 0) for asset_id, at in seen.items()})


def assets_heard(heard: Mapping[int, int], *, at: datetime, changed: Collection[int] = ()) -> None:
    """So many single readings of each of these assets came at this moment: what is learnt of their rhythm by it."""
    known = Asset.objects.filter(pk__in=among(heard)).values_list("pk", "last_seen", "usual_interval", "readings_seen")
    rows = {}
    for pk, seen, usual, count in rows_raw(known):
        last_seen = moment_read(seen)
        gap = (at - last_seen).total_seconds() if last_seen is not None else None
        rows[pk] = (at, at if pk in changed else None, usual_interval_next(usual, count, gap), heard[pk])
    _liveness_write(rows)


_Liveness = tuple[datetime, datetime | None, float | None, int]


def _liveness_write(rows: Mapping[int, _Liveness]) -> None:
    """Last seen, last changed, usual interval (of these three None leaves what is there), readings more."""
    table = connection.ops.quote_name(Asset._meta.db_table)
    row = "(%s, %s, %s, %s, %s)"
    if connection.vendor == "postgresql":  # it takes the type of a column of nulls for text
        row = "(%s::bigint, %s::timestamptz, %s::timestamptz, %s::float8, %s::bigint)"
    rows_write(
        f"WITH heard(id, seen, changed, usual, more) AS (VALUES {{rows}}) UPDATE {table} SET "
        f"last_seen = CASE WHEN {table}.last_seen > heard.seen THEN {table}.last_seen ELSE heard.seen END, "
        f"last_changed = CASE WHEN heard.changed IS NULL OR {table}.last_changed > heard.changed "
        f"THEN {table}.last_changed ELSE heard.changed END, "
        f"usual_interval = COALESCE(heard.usual, {table}.usual_interval), "
        f"readings_seen = {table}.readings_seen + heard.more FROM heard WHERE {table}.id = heard.id",
        row,
        ((pk, *parts) for pk, parts in rows.items()),
    )


@transaction.atomic
def site_zone_set(*, tenant: Tenant, site: str, time_zone: str, actor: str) -> SiteZone:
    """Say in which zone the clocks of a site go; without a name: of all sites that have none of their own.

    ValidationError by field.
    """
    row = SiteZone.objects.filter(tenant=tenant, site=site).first()
    before = row.time_zone if row else None
    row = row or SiteZone(tenant=tenant, site=site)
    row.time_zone = time_zone
    row.full_clean()
    row.save()
    if before != time_zone:
        _audit_zone(row, actor=actor, action="site_zone_set", detail={"time_zone": [before, time_zone]})
        zones_tell(tenant.pk)
    return row


@transaction.atomic
def site_zone_remove(row: SiteZone, *, actor: str) -> None:
    """The site has no zone of its own any more."""
    _audit_zone(row, actor=actor, action="site_zone_remove", detail={"time_zone": [row.time_zone, None]})
    zones_tell(row.tenant_id)
    row.delete()


def _audit_zone(row: SiteZone, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    audit_add(tenant=row.tenant, actor=actor, action=action, target=f"site:{row.site or 'all others'}", detail=detail)


def state_write(asset: Asset, model: type[models.Model], values: Mapping[str, Any]) -> None:
    """What somebody says of the thing's current state, over what is there; `model` as in `state_advance`."""
    model._default_manager.filter(pk=asset.pk).update(**values)
    change_tell(asset)


def state_advance(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    nulls_keep: bool = False,
    same_time_moves: bool = False,
) -> None:
    """Write current states that are newer than what is there; a late reading moves nothing back.

    `model` has one row an asset, keyed by `asset_id`, and its event time in `at`, null where no reading has come yet.
    `rows` have the asset's id, the time and a value for each of `names`. `nulls_keep`: what a row does not know stays
    as it was. `same_time_moves`: of two rows of one time the later one counts.
    """
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = [quote(name) for name in ("asset_id", "at", *names)]
    said = "coalesce(excluded.{0}, {1}.{0})" if nulls_keep else "excluded.{0}"
    newer = ">=" if same_time_moves else ">"
    moved = ", ".join(f"{column} = {said.format(column, table)}" for column in columns[1:])
    rows_write(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES {{rows}} "
        f"ON CONFLICT (asset_id) DO UPDATE SET {moved} WHERE {table}.at IS NULL OR excluded.at {newer} {table}.at",
        f"({', '.join(['%s'] * len(columns))})",
        rows,
    )


def _audit(asset: Asset, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    audit_add(tenant=asset.tenant, actor=actor, action=action, target=f"asset:{asset.pk} {asset.key}", detail=detail)
