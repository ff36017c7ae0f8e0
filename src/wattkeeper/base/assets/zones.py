"""In which zone the clocks of a site's things go: those of meters say local time, and months end at local midnight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from wattkeeper.base.assets.models import SiteZone

DEFAULT_ZONE = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class SiteZones:
    """The zones of one tenant's sites."""

    default: ZoneInfo
    by_site: Mapping[str, ZoneInfo]

    def of(self, site: str) -> ZoneInfo:
        return self.by_site.get(site, self.default)

    @property
    def all(self) -> frozenset[ZoneInfo]:
        return frozenset({self.default, *self.by_site.values()})


def site_zones(tenant_id: int) -> SiteZones:
    """The zones of a tenant's sites, as they are now."""
    said = dict(SiteZone.objects.filter(tenant_id=tenant_id).values_list("site", "time_zone"))
    default = ZoneInfo(said.pop("", DEFAULT_ZONE))
    return SiteZones(default, {site: ZoneInfo(name) for site, name in said.items()})


def zones_said(tenant_id: int) -> list[SiteZone]:
    """What is said of a tenant's sites, the default first."""
    return list(SiteZone.objects.filter(tenant_id=tenant_id).order_by("site"))


def site_zone_by_id(pk: int, *, tenant_id: int | None) -> SiteZone | None:
    """That row, if the tenant (None: any) has it."""
    found = SiteZone.objects.filter(pk=pk).select_related("tenant")
    return (found if tenant_id is None else found.filter(tenant_id=tenant_id)).first()
