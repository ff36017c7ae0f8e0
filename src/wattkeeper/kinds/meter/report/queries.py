"""What is asked about the reports of months."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.store.latest import MonthCount, months_spoken, spoken
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter.models import FrozenMonth
from wattkeeper.kinds.meter.report.asked import Asked, Only
from wattkeeper.kinds.meter.report.lines import MeterLine
from wattkeeper.kinds.meter.report.messages import ids_by_zone, meters_of, month_lines
from wattkeeper.kinds.meter.report.months import Month, month_of
from wattkeeper.kinds.meter.report.snapshot import lines_of
from wattkeeper.kinds.meter.streams import MESSAGE

_CHOSEN: Mapping[Only, Callable[[MeterLine], bool]] = {
    Only.ERROR: lambda line: line.is_error,
    Only.FLAGGED: lambda line: bool(line.flags),
}


def report_of(tenant_id: int, asked: Asked, *, now: datetime) -> list[MeterLine]:
    """The lines that are asked for, in their order: of a frozen month as it was then."""
    frozen = frozen_month(tenant_id, asked.month) if asked.month else None
    if frozen is not None:
        lines = [line for line in lines_of(frozen.content) if _is_meant(line, asked)]
    else:
        lines = month_lines(
            tenant_id,
            month=asked.month,
            now=now,
            site=asked.site,
            device_type=asked.device_type,
            all_pairs=asked.all_pairs,
        )
    return only_of(lines, asked.only)


def only_of(lines: list[MeterLine], only: Only | None) -> list[MeterLine]:
    return [line for line in lines if _CHOSEN[only](line)] if only else lines


def check_site(tenant_id: int, asked: Asked) -> None:
    """BadRequestError(field="site") where no meter is, and none was when the month was frozen."""
    site = asked.site
    if not site or Asset.objects.filter(tenant_id=tenant_id, kind=MESSAGE.kind, site=site).exists():
        return
    frozen = frozen_month(tenant_id, asked.month) if asked.month else None
    if frozen is None or all(line.site != site for line in lines_of(frozen.content)):
        raise BadRequestError(f"There is no meter at {site[:40]!r}.", field="site")


def _is_meant(line: MeterLine, asked: Asked) -> bool:
    return asked.site in ("", line.site) and asked.device_type in (None, line.device_type)


def frozen_month(tenant_id: int, month: Month) -> FrozenMonth | None:
    return FrozenMonth.objects.filter(tenant_id=tenant_id, month=month.first_day).first()


@dataclass(frozen=True, slots=True)
class MonthState:
    """A month of which there are messages, or that is frozen. `late`: messages that came for it after it was."""

    month: Month
    devices: int
    frozen_at: datetime | None
    frozen_by: str
    late: int


def months_of(tenant_id: int) -> list[MonthState]:
    """The tenant's months, the newest first."""
    rows = FrozenMonth.objects.filter(tenant_id=tenant_id).values_list("month", "frozen_at", "frozen_by", "devices")
    frozen = {day: (at, by, devices) for day, at, by, devices in rows}
    counts = _counts(tenant_id, {day: at for day, (at, _, _) in frozen.items()})
    states = []
    for day in sorted({*counts, *frozen}, reverse=True):
        count = counts.get(day, MonthCount(0, 0))
        at, by, devices = frozen.get(day, (None, "", count.assets))
        states.append(MonthState(month_of(day), devices, at, by, count.late))
    return states


def late_count(tenant_id: int, frozen: FrozenMonth) -> int:
    """How many messages have come for a month since it was frozen."""
    count = _counts(tenant_id, {frozen.month: frozen.frozen_at}, only=month_of(frozen.month)).get(frozen.month)
    return count.late if count else 0


def _counts(tenant_id: int, closed: Mapping[date, datetime], *, only: Month | None = None) -> dict[date, MonthCount]:
    """The months of which there are messages, each site's by its own clock."""
    meters = meters_of(tenant_id)
    found: dict[date, MonthCount] = {}
    for zone, ids in ids_by_zone(meters, site_zones(tenant_id)).items():
        window = Selection(
            tenant_id=tenant_id,
            asset_ids=None if len(ids) == len(meters) else ids,
            since=only.since(zone) if only else None,
            until=only.until(zone) if only else None,
        )
        for day, count in months_spoken(store().engine, MESSAGE, window, zone=zone.key, closed=closed).items():
            before = found.get(day, MonthCount(0, 0))
            found[day] = MonthCount(before.assets + count.assets, before.late + count.late)
    return found


def missing_of(
    tenant_id: int, month: Month, lines: Sequence[MeterLine], *, site: str = "", device_type: int | None = None
) -> list[Asset]:
    """The meters in use, of those that are meant, that said nothing in the month though they were there by its end.

    Not those in whose place another one had spoken by then. `lines`: what the month's messages say now.
    """
    heard = {line.asset_id for line in lines}
    found = assets_of_kind(MESSAGE.kind, tenant_id=tenant_id).select_related("meter", "replaced_by")
    if site:
        found = found.filter(site=site)
    if device_type is not None:
        found = found.filter(meter__device_type=device_type)
    silent = [asset for asset in found.order_by("key") if asset.pk not in heard]
    if not silent:
        return []
    zones = site_zones(tenant_id)
    ends = {asset.pk: month.until(zones.of(asset.site)) for asset in silent}
    gone = _replaced(tenant_id, silent, ends)
    silent = [asset for asset in silent if asset.pk not in gone]
    # One whose history was sent later on is older than its first line here.
    unsure = [asset.pk for asset in silent if asset.created_at >= ends[asset.pk]]
    before = Selection(tenant_id=tenant_id, asset_ids=unsure, until=month.since(zones.default))
    older = spoken(store().engine, MESSAGE, before) if unsure else set()
    return [asset for asset in silent if asset.created_at < ends[asset.pk] or asset.pk in older]


def _replaced(tenant_id: int, silent: Sequence[Asset], ends: Mapping[int, datetime]) -> set[int]:
    """The ids of those in whose place another meter had spoken by the end, by asset id, of their month."""
    after = {asset.pk: asset.replaced_by.pk for asset in silent if hasattr(asset, "replaced_by")}
    gone: set[int] = set()
    for end in {ends[pk] for pk in after}:
        newer = {pk: after[pk] for pk in after if ends[pk] == end}
        said = Selection(tenant_id=tenant_id, asset_ids=list(newer.values()), until=end)
        heard = spoken(store().engine, MESSAGE, said)
        gone |= {pk for pk, successor in newer.items() if successor in heard}
    return gone
