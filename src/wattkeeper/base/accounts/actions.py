"""Every write to accounts, each with its line in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from wattkeeper.base.accounts import keys
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError

COMMAND_LINE = "command line"


def audit_add(
    *, tenant: Tenant | None, actor: str, action: str, target: str, detail: Mapping[str, Any] | None = None
) -> AuditEntry:
    """Note that `actor` did `action` to `target`; `detail` is JSON and holds no secrets."""
    return AuditEntry.objects.create(
        tenant=tenant, actor=actor[:200], action=action, target=target[:300], detail=dict(detail or {})
    )


@transaction.atomic
def tenant_get_or_create(*, slug: str, actor: str, name: str = "") -> tuple[Tenant, bool]:
    """The tenant called `slug`, and whether it is new. ValidationError if it is no slug."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None:
        return tenant, False
    tenant = Tenant(slug=slug, name=name or slug)
    tenant.full_clean()
    tenant.save()
    audit_add(tenant=tenant, actor=actor, action="tenant_add", target=f"tenant:{tenant.pk} {slug}")
    return tenant, True


@transaction.atomic
def user_add(*, name: str, password: str, role: Role, tenant: Tenant, actor: str, email: str = "") -> User:
    """A new person. ValidationError by field, also for a password that Django's validators find too weak."""
    user = User(username=name, email=email, role=role, tenant=tenant)
    errors: dict[str, list[str]] = {}
    try:
        validate_password(password, user)
    except ValidationError as error:
        errors["password"] = error.messages
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        errors.update(error.message_dict)
    if errors:
        raise ValidationError(errors)
    user.save()
    target = f"user:{user.pk} {name}"
    audit_add(tenant=tenant, actor=actor, action="user_add", target=target, detail={"role": role.value})
    return user


@transaction.atomic
def key_add(
    *, tenant: Tenant | None, name: str, scope: Scope, actor: str, created_by: User | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again. `tenant=None`: for all tenants."""
    secret = keys.secret_new()
    key = ApiKey(
        tenant=tenant,
        name=name,
        scope=scope,
        prefix=secret[: keys.PREFIX_LENGTH],
        digest=keys.digest_of(secret),
        created_by=created_by,
    )
    key.full_clean()
    key.save()
    target = f"key:{key.pk} {name}"
    audit_add(tenant=tenant, actor=actor, action="key_add", target=target, detail={"scope": scope.value})
    return key, secret


@transaction.atomic
def key_revoke(*, key: ApiKey, actor: str) -> None:
    """End a key: at once in this process, within ten seconds in others. ConflictError if it has ended."""
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.now()):
        raise ConflictError(f"The key '{key.name}' is revoked already.")
    key.refresh_from_db(fields=["revoked_at"])
    audit_add(tenant=key.tenant, actor=actor, action="key_revoke", target=f"key:{key.pk} {key.name}")
    transaction.on_commit(partial(keys.forget, key.digest))
