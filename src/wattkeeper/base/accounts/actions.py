"""Every write to accounts, each with its line in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from wattkeeper.base.accounts import keys
from wattkeeper.base.accounts.callers import Caller, caller_of_user, roles_given_by
from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError, NotFoundError

COMMAND_LINE = "command line"
LONGEST_PASSWORD = 4096  # the login takes no longer one


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
    if wrong := _wrong_with(password, user):
        errors["password"] = wrong
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


def user_add_by(by: Caller, *, tenant: Tenant, name: str, password: str, role: Role, email: str = "") -> User:
    """A new person, added by someone: in a tenant and with a role that are theirs to give, or PermissionDenied."""
    if not by.above_tenants and by.tenant_id != tenant.pk:
        raise PermissionDenied("You may add people to your own tenant only.")
    _check_gives(by, role)
    return user_add(name=name, password=password, role=role, tenant=tenant, email=email, actor=by.identity)


@transaction.atomic
def user_change(
    user: User,
    *,
    by: Caller,
    role: Role | None = None,
    is_active: bool | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    email: str | None = None,
) -> None:
    """Change what is given of a person. Who is deactivated is out at once, by session and by token.

    NotFoundError and PermissionDenied as `check_may_change` says. ValidationError by field, also for one's own role
    and activity, which are for others to change. ConflictError where a tenant would be left without an active admin,
    or somebody else has changed the same in the meantime.
    """
    _lock(user)
    check_may_change(by, user)
    given = {"role": role, "is_active": is_active, "first_name": first_name, "last_name": last_name, "email": email}
    wanted = {field: value for field, value in given.items() if value is not None}
    moved = {field for field in ("role", "is_active") if field in wanted and wanted[field] != getattr(user, field)}
    if moved and by.identity == caller_of_user(user).identity:
        raise ValidationError(dict.fromkeys(moved, "Nobody changes this for themselves."))
    if role is not None and "role" in moved:
        _check_gives(by, role)
    if moved:
        _check_admin_is_left(user, wanted)
    staff = user.is_superuser or wanted.get("role", user.role) == Role.ADMIN
    changed = row_change(user, wanted, is_staff=staff)
    if changed:
        _audit_person(user, actor=by.identity, action="user_change", detail=changed)


@transaction.atomic
def profile_change(user: User, *, first_name: str, last_name: str, email: str, actor: str) -> None:
    """Change what people say of themselves. ValidationError by field."""
    changed = row_change(user, {"first_name": first_name, "last_name": last_name, "email": email})
    if changed:
        _audit_person(user, actor=actor, action="profile_change", detail=changed)


@transaction.atomic
def password_change(user: User, *, old: str, new: str, actor: str) -> None:
    """Give oneself a new password. ValidationError by field (`old`, `new`).

    It ends every session and every token of the person, also those of the one who asks: a page keeps its own session
    by `django.contrib.auth.update_session_auth_hash(request, user)`. API keys stay.
    """
    if not user.check_password(old):
        raise ValidationError({"old": "That is not your password."})
    _password_set(user, new, actor=actor, action="password_change")


@transaction.atomic
def password_set(user: User, *, new: str, by: Caller) -> None:
    """Give somebody else a new password, which ends their sessions and tokens. ValidationError by field (`new`)."""
    _lock(user)
    check_may_change(by, user)
    if by.identity == caller_of_user(user).identity:
        raise ValidationError({"new": "Change your own password by giving the old one."})
    _password_set(user, new, actor=by.identity, action="password_set")


@transaction.atomic
def tenant_change(tenant: Tenant, *, name: str, time_zone: str, actor: str) -> None:
    """Change a tenant's name and the IANA zone in which its times are shown. ValidationError by field."""
    changed = row_change(tenant, {"name": name, "time_zone": time_zone})
    if changed:
        target = f"tenant:{tenant.pk} {tenant.slug}"
        audit_add(tenant=tenant, actor=actor, action="tenant_change", target=target, detail=changed)


def check_may_change(by: Caller, user: User) -> None:
    """NotFoundError if `user` is none whom `by` may know of; PermissionDenied if they are not `by`'s to change.

    A superuser is only for callers above tenants.
    """
    if not by.above_tenants and (by.tenant_id is None or user.is_superuser or user.tenant_id != by.tenant_id):
        raise NotFoundError("There is no such person.")
    _check_gives(by, Role(user.role))


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


def _lock(user: User) -> None:
    """What the person is at this moment, and stays until the transaction's end. NotFoundError if they are gone."""
    standing = ("tenant", "role", "is_active", "is_superuser", "password")
    try:
        user.refresh_from_db(fields=standing, from_queryset=User.objects.select_for_update())
    except User.DoesNotExist:
        raise NotFoundError("There is no such person.") from None


def _check_gives(by: Caller, role: Role) -> None:
    if role not in roles_given_by(by):
        raise PermissionDenied(f"You may not add or change a person who is {role.value}.")


def _check_admin_is_left(user: User, wanted: Mapping[str, Any]) -> None:
    """ConflictError if `user` is the last active admin of a tenant and would not be any more."""
    is_one = user.is_active and user.role == Role.ADMIN
    stays_one = wanted.get("is_active", user.is_active) and wanted.get("role", user.role) == Role.ADMIN
    if user.tenant_id is None or not is_one or stays_one:
        return
    # Two admins who end each other at the same moment: one of them waits here, or on SQLite before.
    Tenant.objects.select_for_update().get(pk=user.tenant_id)
    admins = User.objects.filter(tenant=user.tenant_id, role=Role.ADMIN, is_active=True)
    if not admins.exclude(pk=user.pk).exists():
        raise ConflictError(f"{user.username} is the last admin of this tenant; make somebody else one first.")


def _password_set(user: User, new: str, *, actor: str, action: str) -> None:
    if wrong := _wrong_with(new, user):
        raise ValidationError({"new": wrong})
    before = user.password
    user.set_password(new)
    if not User.objects.filter(pk=user.pk, password=before).update(password=user.password):
        raise ConflictError("The password has been changed by somebody else in the meantime.")
    _audit_person(user, actor=actor, action=action)


def _wrong_with(password: str, user: User) -> list[str]:
    """What is wrong with it as a password of that person; empty if nothing is."""
    if len(password) > LONGEST_PASSWORD:
        return [f"A password has at most {LONGEST_PASSWORD} characters."]
    try:
        validate_password(password, user)
    except ValidationError as error:
        return error.messages
    return []


def _audit_person(user: User, *, actor: str, action: str, detail: Mapping[str, Any] | None = None) -> None:
    audit_add(tenant=user.tenant, actor=actor, action=action, target=f"user:{user.pk} {user.username}", detail=detail)
