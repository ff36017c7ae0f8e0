"""What is asked about meters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import F, Q, QuerySet

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind, known_first
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.queries import Ordering, Selection, StoredRow
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter.consumption import Per, Use, consumption
from wattkeeper.kinds.meter.models import DueStorage, Meter
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.kinds.meter.wording import counter_of

METER_ORDERINGS = ("key", "name", "site", "last_seen", "at")
CHAIN_MOST = 50  # exchanges in one place: more are a mistake


def usual_of(asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, float | None]]:
    """What is usual of those meters' use in a day, by asset id."""
    rows = Meter.objects.filter(pk__in=asset_ids).values_list("pk", "usual_least", "usual_most")
    return {pk: {"usual_least": least, "usual_most": most} for pk, least, most in rows}


def meters_of(tenant_id: int | None) -> QuerySet[Asset]:
    """The meters in use (tenant None: of all) with who they are and their state, in the order of their ids."""
    found = assets_of_kind(MESSAGE.kind, tenant_id=tenant_id)
    return found.select_related("meter", "meter_state", "replaced_by").exclude(meter=None).order_by("pk")


def meters_asked(
    tenant_id: int | None,
    *,
    search: str = "",
    site: str = "",
    type: int | None = None,
    manufacturer: int | None = None,
    ordering: str = "",
) -> QuerySet[Asset]:
    """Those whose key or name has `search` in it, of that site, medium and manufacturer.

    `ordering` is one of METER_ORDERINGS, with `-` for descending; what is not known comes last.
    """
    found = meters_of(tenant_id)
    if search:
        found = found.filter(Q(key__icontains=search) | Q(name__icontains=search))
    if site:
        found = found.filter(site=site)
    if type is not None:
        found = found.filter(meter__device_type=type)
    if manufacturer is not None:
        found = found.filter(meter__manufacturer=manufacturer)
    if ordering:
        by = F({"at": "meter_state__at"}.get(column := ordering.removeprefix("-"), column))
        found = found.order_by(known_first(by, descending=ordering.startswith("-")), "pk")
    return found


def meter_by_id(pk: int, *, tenant_id: int | None) -> Asset | None:
    """The meter of that id, archived or not, if the tenant (None: any) has it."""
    found = Asset.objects.filter(pk=pk, kind=MESSAGE.kind).exclude(meter=None)
    if tenant_id is not None:
        found = found.filter(tenant_id=tenant_id)
    return found.select_related("meter__replaces", "meter_state", "replaced_by__asset", "tenant").first()


def chain_of(meter: Meter) -> list[int]:
    """The ids of the meters that hung there before it, the oldest first, and its own."""
    chain = [meter.pk]
    while len(chain) < CHAIN_MOST:
        before = Meter.objects.filter(pk=chain[0]).values_list("replaces", flat=True).first()
        if before is None or before in chain:
            break
        chain.insert(0, before)
    return chain


def use_of(asset: Asset, *, per: Per, since: date, until: date) -> list[Use]:
    """What the meter, and those before it in its place, used in the local days or months that `[since, until)` touches.

    Nothing where it sends no counter.
    """
    channel = counter_of(getattr(asset, "meter_state", None))
    if not channel:
        return []
    zone = site_zones(asset.tenant_id).of(asset.site)
    ids = chain_of(asset.meter)
    return consumption(
        tenant_id=asset.tenant_id, asset_ids=ids, channel=channel, per=per, since=since, until=until, zone=zone
    )


def messages_of(asset: Asset, *, offset: int, limit: int) -> list[StoredRow]:
    """Its messages, the newest first."""
    ordering = Ordering(column=MESSAGE.time_field, descending=True)
    meant = messages_meant(asset)
    return queries.page(store().engine, MESSAGE, meant, ordering=ordering, offset=offset, limit=limit)


def messages_meant(asset: Asset) -> Selection:
    return Selection(tenant_id=asset.tenant_id, asset_ids=[asset.pk])


def due_storages_said(tenant_id: int) -> list[DueStorage]:
    """What is said of makers' meters, in their order."""
    return list(DueStorage.objects.filter(tenant_id=tenant_id).order_by("manufacturer", "device_type", "version"))


def due_storage_by_id(pk: int, *, tenant_id: int | None) -> DueStorage | None:
    """That row, if the tenant (None: any) has it."""
    found = DueStorage.objects.filter(pk=pk).select_related("tenant")
    return (found if tenant_id is None else found.filter(tenant_id=tenant_id)).first()
