"""The one door for changes to assets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.events import AssetChanged
from wattkeeper.base.assets.memory import forget
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import ids_of
from wattkeeper.base.assets.rhythm import usual_interval_next
from wattkeeper.base.core import bus, clock
from wattkeeper.base.core.errors import ConflictError

T = TypeVar("T")

# A broken or hostile sender could invent assets without end.
SELF_REGISTERED_MAX = 100_000
_ROWS_A_STATEMENT = 1_000


def assets_register(*, tenant_id: int, kind: str, keys: Sequence[str], by: str) -> dict[str, int]:
    """Make assets of those `keys` that are none yet; gives the ids of all that exist afterwards.

    What goes beyond the cap of its registrar is left out.
    """
    with transaction.atomic():
        room = SELF_REGISTERED_MAX - Asset.objects.filter(registered_by=by).count()
        known = ids_of(tenant_id=tenant_id, kind=kind, keys=keys)
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        Asset.objects.bulk_create(
            (Asset(tenant_id=tenant_id, kind=kind, key=key, registered_by=by) for key in missing[: max(room, 0)]),
            batch_size=_ROWS_A_STATEMENT,
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


def assets_seen(seen: Mapping[int, datetime], *, changed: Collection[int] = ()) -> None:
    """Move `last_seen` forward, never back, as a file of history does; what is `changed` did so at that time."""
    _liveness_write({asset_id: (at, at if asset_id in changed else None, None, 0) for asset_id, at in seen.items()})


def assets_heard(heard: Mapping[int, int], *, at: datetime, changed: Collection[int] = ()) -> None:
    """So many single readings of each of these assets came at this moment: what is learnt of their rhythm by it."""
    known = Asset.objects.filter(pk__in=heard).values_list("pk", "last_seen", "usual_interval", "readings_seen")
    rows = {}
    for pk, last_seen, usual, count in known:
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
    with connection.cursor() as cursor:
        for chunk in _chunks(rows.items()):
            values = ", ".join([row] * len(chunk))
            cursor.execute(
                f"WITH heard(id, seen, changed, usual, more) AS (VALUES {values}) UPDATE {table} SET "
                f"last_seen = CASE WHEN {table}.last_seen > heard.seen THEN {table}.last_seen ELSE heard.seen END, "
                f"last_changed = CASE WHEN heard.changed IS NULL OR {table}.last_changed > heard.changed "
                f"THEN {table}.last_changed ELSE heard.changed END, "
                f"usual_interval = COALESCE(heard.usual, {table}.usual_interval), "
                f"readings_seen = {table}.readings_seen + heard.more FROM heard WHERE {table}.id = heard.id",
                _adapted(part for asset_id, parts in chunk for part in (asset_id, *parts)),
            )


def state_write(asset: Asset, model: type[models.Model], values: Mapping[str, Any]) -> None:
    """What somebody says of the thing's current state, over what is there; `model` as in `state_advance`."""
    model._default_manager.filter(pk=asset.pk).update(**values)
    change_tell(asset)


def state_advance(model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, nulls_keep: bool = False) -> None:
    """Write current states that are newer than what is there; a late reading moves nothing back.

    `model` has one row an asset, keyed by `asset_id`, and its event time in `at`, null where no reading has come yet.
    All `rows` have the same names. `nulls_keep`: what a row does not know stays as it was.
    """
    if not rows:
        return
    names = list(rows[0])
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = ", ".join(quote(name) for name in names)
    said = "coalesce(excluded.{0}, {1}.{0})" if nulls_keep else "excluded.{0}"
    moved = ", ".join(f"{quote(name)} = {said.format(quote(name), table)}" for name in names if name != "asset_id")
    with connection.cursor() as cursor:
        for chunk in _chunks(rows):
            values = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(chunk))
            cursor.execute(
                f"INSERT INTO {table} ({columns}) VALUES {values} "
                f"ON CONFLICT (asset_id) DO UPDATE SET {moved} WHERE {table}.at IS NULL OR excluded.at > {table}.at",
                _adapted(row[name] for row in chunk for name in names),
            )


def _audit(asset: Asset, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    audit_add(tenant=asset.tenant, actor=actor, action=action, target=f"asset:{asset.pk} {asset.key}", detail=detail)


def _adapted(values: Iterable[Any]) -> list[Any]:
    adapt = connection.ops.adapt_datetimefield_value  # looked up once: it is a way through three proxies
    return [adapt(value) if isinstance(value, datetime) else value for value in values]


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, _ROWS_A_STATEMENT)):
        yield chunk
