"""What others may ask about accounts."""

from __future__ import annotations

from django.core.validators import slug_re
from django.db.models import QuerySet

from wattkeeper.base.accounts.models import ApiKey, Tenant


def tenant_by_slug(slug: str) -> Tenant | None:
    """The tenant called so, if there is one."""
    # PostgreSQL refuses a null byte with an error; what no slug can be is not asked for.
    return Tenant.objects.filter(slug=slug).first() if slug_re.match(slug) else None


def keys(*, tenant: Tenant | None = None) -> QuerySet[ApiKey]:
    """The keys of one tenant, or of all and above them; the revoked ones too."""
    found = ApiKey.objects.select_related("tenant")
    return found if tenant is None else found.filter(tenant=tenant)
