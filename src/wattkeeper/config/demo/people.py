"""The demo's tenant and logins."""

from __future__ import annotations

from wattkeeper.base.accounts.actions import tenant_get_or_create, user_add
from wattkeeper.base.accounts.matrix import Role
from wattkeeper.base.accounts.models import User

TENANT = "demo"
PASSWORD = "watts-and-volts"  # noqa: S105  (printed at every start; the demo refuses to run in production)
SENDER = "demo"


def people_make() -> list[tuple[str, str]]:
    """The demo's logins, as (name, role); those that exist stay as they are."""
    tenant, _ = tenant_get_or_create(slug=TENANT, name="Demo fleet", actor=SENDER)
    logins = [(f"demo-{role.value}", role) for role in (Role.ADMIN, Role.MANAGER, Role.OPERATOR, Role.VIEWER)]
    for name, role in logins:
        if not User.objects.filter(username=name).exists():
            user_add(name=name, password=PASSWORD, role=role, tenant=tenant, actor=SENDER)
    return [(name, role.value) for name, role in logins]
