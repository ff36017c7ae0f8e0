"""What is asked about assets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import Case, Count, F, Func, Q, QuerySet, SmallIntegerField, When
from django.db.models.expressions import OrderBy

from wattkeeper.base.assets.memory import remembered
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.kinds import Kind

LONGEST_TEXT = 200  # of keys, names and sites: what is longer is not asked for

_KEYS_A_QUESTION = 5_000


def known_first(by: F | Func, *, descending: bool) -> OrderBy:
    """In this order, but what is not known comes last whichever way."""
    return by.desc(nulls_last=True) if descending else by.asc(nulls_last=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCounts:
    """How many things there are; each but `total` is one of three that add up to it."""

    total: int
    fresh: int
    stale: int
    never: int


def ids_of(*, tenant_id: int, kind: str, keys: Sequence[str], in_use: bool = False) -> dict[str, int]:
    """The ids of those keys that are known, by key. `in_use`: without those that are archived."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), _KEYS_A_QUESTION):
        known = Asset.objects.filter(tenant_id=tenant_id, kind=kind, key__in=keys[start : start + _KEYS_A_QUESTION])
        if in_use:
            known = known.filter(archived_at=None)
        found.update(known.values_list("key", "id"))
    return found


def unheard_since(moment: datetime, *, among: Sequence[int]) -> set[int]:
    """Those of which nothing has been heard since then."""
    return set(Asset.objects.filter(pk__in=among, last_seen__lt=moment).values_list("pk", flat=True))


def types_of(asset_ids: Collection[int]) -> dict[int, str]:
    """The types of those assets, by id."""
    found: dict[int, str] = {}
    ids = list(asset_ids)
    for start in range(0, len(ids), _KEYS_A_QUESTION):
        known = Asset.objects.filter(pk__in=ids[start : start + _KEYS_A_QUESTION])
        found.update(known.values_list("pk", "type"))
    return found


def whose_assets(asset_ids: Collection[int]) -> list[tuple[int, int, str, str]]:
    """Of those assets that there are: id, tenant, kind, key."""
    ids, found = list(asset_ids), list[tuple[int, int, str, str]]()
    for start in range(0, len(ids), _KEYS_A_QUESTION):
        rows = Asset.objects.filter(pk__in=ids[start : start + _KEYS_A_QUESTION])
        found += rows.values_list("pk", "tenant_id", "kind", "key")
    return found


def assets_of_kind(kind: str, *, tenant_id: int | None) -> QuerySet[Asset]:
    """The assets of a kind in use; `tenant_id` None means all tenants."""
    return assets_in_use(tenant_id=tenant_id).filter(kind=kind)


def assets_in_use(*, tenant_id: int | None) -> QuerySet[Asset]:
    """The assets of all kinds that are not archived; `tenant_id` None means all tenants."""
    assets = Asset.objects.filter(archived_at=None)
    return assets if tenant_id is None else assets.filter(tenant_id=tenant_id)


def asset_ids_by_key(kind: str, key: str, *, tenant_id: int | None) -> list[int]:
    """The ids of the assets of that key, archived ones too: their readings are still there."""
    assets = Asset.objects.filter(kind=kind, key=key)
    if tenant_id is not None:
        assets = assets.filter(tenant_id=tenant_id)
    return list(assets.values_list("id", flat=True))


def asset_by_id(pk: int, *, kind: str, tenant_id: int | None) -> Asset | None:
    """The asset of that id and kind, archived or not; None where there is none that the tenant may see."""
    assets = Asset.objects.filter(pk=pk, kind=kind)
    return (assets if tenant_id is None else assets.filter(tenant_id=tenant_id)).select_related("tenant").first()


def asset_search(text: str, *, tenant_id: int | None, limit: int) -> list[Asset]:
    """At most `limit` assets in use, of all kinds, whose key or name has `text` in it, the best matches first.

    Best is the whole key, then its beginning, then the beginning of the name, then anywhere; ties by key.
    """
    text = text.strip()
    if not text or "\0" in text or len(text) > LONGEST_TEXT:
        return []
    how_good = Case(
        When(key__iexact=text, then=0),
        When(key__istartswith=text, then=1),
        When(name__istartswith=text, then=2),
        default=3,
        output_field=SmallIntegerField(),
    )
    found = assets_in_use(tenant_id=tenant_id).filter(Q(key__icontains=text) | Q(name__icontains=text))
    return list(found.select_related("tenant").order_by(how_good, "key", "pk")[:limit])


def sites_of(tenant_id: int | None, *, kind: str | None = None) -> list[str]:
    """The sites at which there are assets in use, in the order of the alphabet; `tenant_id` None: of all tenants."""
    assets = assets_in_use(tenant_id=tenant_id)
    if kind is not None:
        assets = assets.filter(kind=kind)
    return list(assets.filter(site__gt="").values_list("site", flat=True).distinct().order_by("site"))


def fleet_size(kind: str, *, tenant_id: int | None) -> int:
    """How many assets of the kind are in use; of a large fleet, as it was some seconds ago."""
    question = ("size", kind, tenant_id)
    return remembered(question, assets_of_kind(kind, tenant_id=tenant_id).count, size=lambda count: count)


def fleet_counts(kind: Kind, *, tenant_id: int | None, now: datetime, site: str = "") -> FleetCounts:
    """How many assets of the kind are in use (at that site), by the age of their newest reading: one question.

    Of a large fleet, as it was some seconds ago.
    """
    question = ("counts", kind.name, tenant_id, site)
    ask = partial(_fleet_counts, kind, tenant_id=tenant_id, now=now, site=site)
    return remembered(question, ask, size=lambda counts: counts.total)


def _fleet_counts(kind: Kind, *, tenant_id: int | None, now: datetime, site: str) -> FleetCounts:
    at, since = f"{kind.state_relation}__at", now - kind.stale_after
    assets = assets_of_kind(kind.name, tenant_id=tenant_id)
    counted = (assets.filter(site=site) if site else assets).aggregate(
        total=Count("pk"), known=Count(at), fresh=Count("pk", filter=Q(**{f"{at}__gt": since}))
    )
    total, known, fresh = counted["total"], counted["known"], counted["fresh"]
    return FleetCounts(total=total, fresh=fresh, stale=known - fresh, never=total - known)


def tenant_id_of(asset_id: int) -> int:
    """Whose the asset is; Asset.DoesNotExist where there is none."""
    return Asset.objects.values_list("tenant_id", flat=True).get(pk=asset_id)
