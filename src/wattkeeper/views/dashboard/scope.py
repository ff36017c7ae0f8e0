"""Whose things a page shows: the tenant, which only those above tenants choose, and the site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from wattkeeper.base.accounts.callers import Caller, tenant_named
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.accounts.queries import tenants_for
from wattkeeper.base.assets.queries import sites_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """`tenant_id` None: all tenants. `site` empty: all sites."""

    tenant_id: int | None
    tenant_slug: str
    site: str
    tenants: Sequence[Tenant]
    sites: Sequence[str]

    @property
    def parameters(self) -> Mapping[str, str]:
        """What every address within the scope carries."""
        given = {"tenant": self.tenant_slug, "site": self.site}
        return {name: text for name, text in given.items() if text}


def scope_of(request: HttpRequest, caller: Caller) -> Scope:
    """What the address says, within what `caller` may see; BadRequestError for a tenant that is none of theirs."""
    slug = request.GET.get("tenant", "").strip()
    chosen = tenant_named(caller, slug) if slug else None
    tenant_id = chosen.pk if chosen else caller.tenant_id
    return Scope(
        tenant_id=tenant_id,
        tenant_slug=slug if caller.above_tenants else "",
        site=request.GET.get("site", "").replace("\0", "").strip(),
        tenants=list(tenants_for(caller)) if caller.above_tenants else [],
        sites=sites_of(tenant_id),
    )
