"""What others may ask about accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.validators import slug_re
from django.db.models import Manager, QuerySet

from wattkeeper.base.accounts.models import ApiKey, Tenant, User

if TYPE_CHECKING:
    from wattkeeper.base.accounts.callers import Caller  # which asks this module


def tenant_by_slug(slug: str) -> Tenant | None:
    """The tenant called so, if there is one."""
    # PostgreSQL refuses a null byte with an error; what no slug can be is not asked for.
    return Tenant.objects.filter(slug=slug).first() if slug_re.match(slug) else None


def keys(*, tenant: Tenant | None = None) -> QuerySet[ApiKey]:
    """The keys of one tenant, or of all and above them; the revoked ones too."""
    found = ApiKey.objects.select_related("tenant")
    return found if tenant is None else found.filter(tenant=tenant)


def names_of(identities: Iterable[str]) -> dict[str, str]:
    """The username or the key's name of each identity (`user:3`, `key:9`); itself where there is none any more."""
    wanted = set(identities)
    names = {identity: identity for identity in wanted}
    names.update((f"user:{pk}", name) for pk, name in _named(wanted, "user", User.objects, "username"))
    names.update((f"key:{pk}", name) for pk, name in _named(wanted, "key", ApiKey.objects, "name"))
    return names


def _named(identities: Iterable[str], kind: str, objects: Manager[Any], field: str) -> Iterable[tuple[int, str]]:
    parts = (identity.partition(":") for identity in identities)
    numbers = [int(number) for before, _, number in parts if before == kind and number.isdecimal()]
    return objects.filter(pk__in=numbers).order_by().values_list("pk", field) if numbers else ()


def zone_of(caller: Caller) -> ZoneInfo:
    """The time zone in which `caller` reads times: their tenant's; above tenants UTC."""
    if caller.tenant_id is None:
        return ZoneInfo("UTC")
    return ZoneInfo(Tenant.objects.values_list("time_zone", flat=True).get(pk=caller.tenant_id))


def tenants_for(caller: Caller) -> QuerySet[Tenant]:
    """The tenants among which `caller` may choose: above tenants all, else their own."""
    mine = [] if caller.tenant_id is None else [caller.tenant_id]
    return Tenant.objects.all() if caller.above_tenants else Tenant.objects.filter(pk__in=mine)
