"""The demo's building: what its meters have sent in two years, and what they send now."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise, takewhile

from django.db import transaction

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.actions import asset_change, assets_heard
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.readings.reading import Row
from wattkeeper.kinds.meter.actions import due_storage_add, meter_replace, meters_register
from wattkeeper.kinds.meter.known import due_storages
from wattkeeper.kinds.meter.message import Message, message_of
from wattkeeper.kinds.meter.models import Meter as MeterRow
from wattkeeper.kinds.meter.pairs import DUE_STORAGE
from wattkeeper.kinds.meter.reading import row_of
from wattkeeper.kinds.meter.simulator import troubles
from wattkeeper.kinds.meter.simulator.building import Place, places
from wattkeeper.kinds.meter.simulator.makes import MAKES
from wattkeeper.kinds.meter.simulator.meters import ZONE, Meter
from wattkeeper.kinds.meter.streams import MESSAGE

STREAM = MESSAGE
SEED = 20
HISTORY_DAYS: int | None = troubles.HISTORY_DAYS
HOURLY_FOR = timedelta(days=3)  # at the end of a history; before, once a day
_EDGE = timedelta(minutes=1)  # what was sent before the present begins may be received in it
_HEARD_OF = 12  # so often, that it is known how often they send


def tend(*, size: int, origin: datetime, at: datetime, tenant: Tenant, by: str) -> None:
    """Register the meters, and say of them what no message does: where they hang, and what was there before.

    How often they send is known from before the history, as if somebody had listened then.
    """
    street = list(places(size, seed=SEED, origin=origin))
    meters = {meter.identity.key: meter for place in street for meter in place.meters}
    with transaction.atomic():
        there = {asset.key for asset in assets_of_kind(STREAM.kind, tenant_id=tenant.pk).filter(key__in=meters)}
        ids = meters_register(tenant_id=tenant.pk, meters=[one.identity for one in meters.values()], by=by)
        if new := [pk for key, pk in ids.items() if key not in there]:
            _storages_say(tenant=tenant, by=by)
            hanging = {ids[place.meters[-1].identity.key] for place in street}
            _listened(sorted(hanging.intersection(new)), until=origin + timedelta(days=troubles.SILENT_FROM - 1))
            for place in street:
                _hang(place, ids, new, tenant=tenant, by=by)


def history_rows(*, size: int, origin: datetime, since: datetime, until: datetime) -> Iterator[Row]:
    """The messages that were received in `[since, until)`, in their order."""
    rows = _rows(size, origin=origin, since=since, hourly_from=until - HOURLY_FOR)
    return takewhile(lambda row: row.values["received_at"] < until, rows)


def present(*, size: int, origin: datetime, since: datetime) -> Iterator[Row]:
    """The messages from `since` on in the order in which they are received, without end."""
    return _rows(size, origin=origin, since=since, hourly_from=since - _EDGE)


def _rows(size: int, *, origin: datetime, since: datetime, hourly_from: datetime) -> Iterator[Row]:
    meters = (meter for place in places(size, seed=SEED, origin=origin) for meter in place.meters)
    heard = (_heard(meter, since=since, hourly_from=hourly_from) for meter in meters)
    for second, raw, due_storage in heapq.merge(*heard):
        received_at = EPOCH + timedelta(seconds=second)
        message = message_of(raw)
        assert isinstance(message, Message), message
        yield row_of(message, received_at=received_at, zone=ZONE, due_storage=due_storage)


def _heard(meter: Meter, *, since: datetime, hourly_from: datetime) -> Iterator[tuple[int, bytes, int]]:
    deliveries = meter.deliveries(since=since, hourly_from=hourly_from)
    return ((one.second, one.raw, meter.make.due_storage) for one in deliveries)


def _storages_say(*, tenant: Tenant, by: str) -> None:
    """Which makers keep the due date's values elsewhere: a setting of the tenant's."""
    said = dict(due_storages(tenant.pk))
    for make in (make for some in MAKES.values() for make in some):
        if make.due_storage != DUE_STORAGE and (make.manufacturer, None, None) not in said:
            row = due_storage_add(
                tenant=tenant,
                manufacturer=make.manufacturer,
                storage=make.due_storage,
                actor=by,
                device_type=None,
                version=None,
            )
            said[row.manufacturer, None, None] = row.storage


def _listened(asset_ids: list[int], *, until: datetime) -> None:
    for number in range(_HEARD_OF):
        heard_at = until - timedelta(hours=_HEARD_OF - number)
        assets_heard(dict.fromkeys(asset_ids, 1), at=heard_at)


def _hang(place: Place, ids: Mapping[str, int], new: list[int], *, tenant: Tenant, by: str) -> None:
    """The newest meter of the place has its name; one that was there before says so."""
    pks = [ids[meter.identity.key] for meter in place.meters]
    assets = assets_of_kind(STREAM.kind, tenant_id=tenant.pk).in_bulk(pks)
    for pk in pks:
        if pk in new:
            name = place.name if pk == pks[-1] else f"{place.name}, until its exchange"
            asset_change(assets[pk], name=name, site=place.site, actor=by)
    for before, after in pairwise(pks):
        if after in new:
            meter_replace(MeterRow.objects.get(pk=after), said=assets[before].key, actor=by)
