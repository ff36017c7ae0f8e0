"""A month's lines out of the store: of each meter its latest message."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from wattkeeper.base.assets.zones import SiteZones, site_zones
from wattkeeper.flow.store.latest import LatestRow, latest_rows
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter.known import due_storage_of, due_storages
from wattkeeper.kinds.meter.message import Message, message_of
from wattkeeper.kinds.meter.models import Meter
from wattkeeper.kinds.meter.pairs import Pair, Pairs, pairs_of
from wattkeeper.kinds.meter.report.lines import MeterLine, PairLine, ReportedMeter, line_of, number_of
from wattkeeper.kinds.meter.report.months import Month, current_month
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.kinds.meter.telegram_times import local_of

_TYPED = ("status", "main_dimension", "main_value", "due_value", "due_date", "due_storage")
_ROWS_A_QUESTION = 5_000


def meters_of(tenant_id: int, *, site: str = "", device_type: int | None = None) -> dict[int, ReportedMeter]:
    """The tenant's meters by asset id, also those that are archived: they have spoken in their time."""
    found = Meter.objects.filter(asset__tenant_id=tenant_id)
    if site:
        found = found.filter(asset__site=site)
    if device_type is not None:
        found = found.filter(device_type=device_type)
    rows = found.values_list("asset_id", "asset__site", "manufacturer", "identnr", "version", "device_type")
    return {row[0]: ReportedMeter(*row) for row in rows.iterator(chunk_size=_ROWS_A_QUESTION)}


def month_lines(
    tenant_id: int,
    *,
    month: Month | None,
    now: datetime,
    site: str = "",
    device_type: int | None = None,
    asset_ids: Collection[int] | None = None,
    all_pairs: bool = False,
) -> list[MeterLine]:
    """The lines of those meters that spoke in the month (None: in the one that their site is in), in their order.

    A line has all its pairs, or the main one alone. It holds the lines; of the messages a block.
    """
    zones, settings = site_zones(tenant_id), due_storages(tenant_id)
    meters = meters_of(tenant_id, site=site, device_type=device_type)
    narrowed = bool(site) or device_type is not None or asset_ids is not None
    if asset_ids is not None:
        meters = {asset_id: meters[asset_id] for asset_id in asset_ids if asset_id in meters}
    lines: list[MeterLine] = []
    for zone, ids in ids_by_zone(meters, zones).items():
        meant = month or current_month(zone, now=now)
        one_zone = not narrowed and len(ids) == len(meters)
        window = Selection(
            tenant_id=tenant_id,
            asset_ids=None if one_zone else ids,
            since=meant.since(zone),
            until=meant.until(zone),
        )
        question = _Question(window, meters, zone, settings)
        lines += question.whole() if all_pairs else question.main()
    lines.sort(key=lambda line: line.order)
    return lines


def ids_by_zone(meters: Mapping[int, ReportedMeter], zones: SiteZones) -> dict[ZoneInfo, list[int]]:
    """The meters' asset ids, by the zone in which their clocks go."""
    found: dict[ZoneInfo, list[int]] = {}
    for asset_id, meter in meters.items():
        found.setdefault(zones.of(meter.site), []).append(asset_id)
    return found


class _Question:
    """What is asked of the meters of one zone. `settings`: which storage holds the values of the due date."""

    def __init__(
        self,
        window: Selection,
        meters: Mapping[int, ReportedMeter],
        zone: ZoneInfo,
        settings: Mapping[tuple[int, int | None, int | None], int],
    ) -> None:
        self._window = window
        self._meters = meters
        self._zone = zone
        self._settings = settings

    def main(self) -> Iterator[MeterLine]:
        """Lines with the main measurement alone, out of what was understood when the messages came."""
        otherwise: list[int] = []
        for meter, row in self._rows(self._window, _TYPED):
            if row.values[-1] == self._due_storage(meter):
                yield self._line(meter, row, *_typed(row.values))
            else:
                otherwise.append(meter.asset_id)  # its setting is another now than it was
        if otherwise:
            for line in self.whole(replace(self._window, asset_ids=otherwise)):
                yield msgspec.structs.replace(line, main=0 if line.main_pair else -1, pairs=_alone(line.main_pair))

    def whole(self, window: Selection | None = None) -> Iterator[MeterLine]:
        """Lines with all pairs, out of the whole messages, understood as the settings are now."""
        for meter, row in self._rows(window or self._window, (*_TYPED, "message")):
            *typed, raw = row.values
            message = message_of(raw.encode())
            if isinstance(message, Message):
                pairs = pairs_of(message.records, due_storage=self._due_storage(meter))
                due = pairs.due_date and local_of(pairs.due_date, self._zone)
                yield self._line(meter, row, pairs, due.isoformat(sep=" ") if due else "")
            else:  # of a time when more was taken for a message than now
                yield self._line(meter, row, *_typed(typed))

    def _rows(self, window: Selection, names: Sequence[str]) -> Iterator[tuple[ReportedMeter, LatestRow]]:
        for row in latest_rows(store().engine, MESSAGE, window, names):
            # A message may be of a meter that has appeared since its kind was asked: it is in the next report.
            if meter := self._meters.get(row.asset_id):
                yield meter, row

    def _line(self, meter: ReportedMeter, row: LatestRow, pairs: Pairs, due_date: str) -> MeterLine:
        return line_of(
            meter,
            at=row.at,
            zone=self._zone,
            code=int(row.values[0]),
            flags=row.flags,
            due_date=due_date,
            pairs=pairs.all,
            main=pairs.main,
        )

    def _due_storage(self, meter: ReportedMeter) -> int:
        return due_storage_of(
            self._settings, manufacturer=meter.manufacturer, device_type=meter.device_type, version=meter.version
        )


def _typed(values: Sequence[Any]) -> tuple[Pairs, str]:
    """The main measurement and the due date, out of what lies beside a message."""
    _, dimension, newest, due, due_date, _ = values
    main = None
    if dimension:
        main = Pair(dimension, 0, 0, number_of(newest) if newest else None, number_of(due) if due else None)
    return Pairs([main] if main else [], main, None), due_date or ""


def _alone(pair: PairLine | None) -> tuple[PairLine, ...]:
    return (pair,) if pair else ()
