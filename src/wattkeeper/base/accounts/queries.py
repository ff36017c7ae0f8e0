"""What others may ask about accounts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.validators import slug_re
from django.db.models import Manager, Q, QuerySet

from wattkeeper.base.accounts.matrix import MATRIX, Action
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User

if TYPE_CHECKING:
    from wattkeeper.base.accounts.callers import Caller  # which asks here for tenants

LONGEST_SEARCH = 200


def tenant_by_slug(slug: str) -> Tenant | None:
    """The tenant called so, if there is one."""
    # PostgreSQL refuses a null byte with an error; what no slug can be is not asked for.
    return Tenant.objects.filter(slug=slug).first() if slug_re.match(slug) else None


def keys(*, tenant: Tenant | None = None) -> QuerySet[ApiKey]:
    """The keys of one tenant, or of all and above them; the revoked ones too."""
    found = ApiKey.objects.select_related("tenant")
    return found if tenant is None else found.filter(tenant=tenant)


def tenants_for(caller: Caller) -> QuerySet[Tenant]:
    """The tenants that `caller` may look at: all, or their own."""
    if caller.above_tenants:
        return Tenant.objects.all()
    return Tenant.objects.none() if caller.tenant_id is None else Tenant.objects.filter(pk=caller.tenant_id)


def tenant_of(caller: Caller) -> Tenant | None:
    """The tenant in which `caller` is; None above tenants."""
    return None if caller.above_tenants else tenants_for(caller).first()


def zone_of(caller: Caller) -> ZoneInfo:
    """The zone in which `caller` is shown times: the tenant's own; UTC above tenants."""
    tenant = tenant_of(caller)
    return ZoneInfo(tenant.time_zone if tenant else "UTC")


def users_of(
    caller: Caller, *, tenant_id: int | None = None, search: str = "", who_may: Action | None = None
) -> QuerySet[User]:
    """The people whom `caller` may know of, each with the tenant, by username; superusers only above tenants.

    `tenant_id` narrows it to one tenant, `who_may` to those of a tenant who may log in and do that; `search` is a part
    of a name or of the address.
    """
    found = User.objects.select_related("tenant").order_by("username")
    if not caller.above_tenants:
        found = found.filter(tenant__in=tenants_for(caller))
    if tenant_id is not None:
        found = found.filter(tenant=tenant_id)
    if who_may is not None:
        found = found.filter(is_active=True, tenant__isnull=False, role__in=MATRIX[who_may].roles)
    if text := _searched(search):
        parts = ("username", "first_name", "last_name", "email")
        found = found.filter(reduce(or_, (Q(**{f"{part}__icontains": text}) for part in parts)))
    return found


def user_by_id(pk: int, *, caller: Caller) -> User | None:
    """The person of that id, if `caller` may know of them."""
    return users_of(caller).filter(pk=pk).first()


def keys_of(caller: Caller, *, tenant_id: int | None = None) -> QuerySet[ApiKey]:
    """The keys that `caller` may know of, with who made them; those above tenants only from there."""
    found = ApiKey.objects.select_related("tenant", "created_by")
    if not caller.above_tenants:
        found = found.filter(tenant__in=tenants_for(caller))
    return found if tenant_id is None else found.filter(tenant=tenant_id)


def key_by_id(pk: int, *, caller: Caller) -> ApiKey | None:
    """The key of that id, if `caller` may know of it."""
    return keys_of(caller).filter(pk=pk).first()


def audit_of(caller: Caller, *, tenant_id: int | None = None, actor: str = "", about: str = "") -> QuerySet[AuditEntry]:
    """What was done where `caller` may look, the newest first.

    `actor` and `about` are identities: what `user:3` did, what was done to `asset:12`.
    """
    found = AuditEntry.objects.select_related("tenant")
    if not caller.above_tenants:
        found = found.filter(tenant__in=tenants_for(caller))
    if tenant_id is not None:
        found = found.filter(tenant=tenant_id)
    if actor:
        found = found.filter(actor=actor)
    if about:
        found = found.filter(target__startswith=f"{about} ")  # a target goes on with its name
    return found


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


def _searched(text: str) -> str:
    """Without what PostgreSQL would refuse with an error."""
    return text.replace("\0", "").strip()[:LONGEST_SEARCH]
