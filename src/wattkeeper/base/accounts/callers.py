"""Who sends a request: a person or a key, in one shape, whichever door they came through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.settings import api_settings

from wattkeeper.base.accounts import queries
from wattkeeper.base.accounts.matrix import MATRIX, Action, Role, Scope
from wattkeeper.base.accounts.models import ApiKey, Tenant, User
from wattkeeper.base.core.errors import BadRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person has a role, a key has a scope, nobody has neither.

    `tenant_id` is None for who stands above tenants (and for nobody, who may do nothing). `identity` is
    `user:3` or `key:9`: it names the caller in the audit trail and never changes.
    """

    tenant_id: int | None
    above_tenants: bool
    identity: str
    name: str
    role: Role | None = None
    scope: Scope | None = None

    @property
    def is_known(self) -> bool:
        return self.role is not None or self.scope is not None

    @property
    def user_id(self) -> int | None:
        """The person's; None of a key and of nobody."""
        kind, _, number = self.identity.partition(":")
        return int(number) if kind == "user" else None

    def may(self, action: Action) -> bool:
        """Whether the matrix lets this caller do `action`."""
        grant = MATRIX[action]
        if grant.above_only and not self.above_tenants:
            return False
        return self.role in grant.roles or self.scope in grant.scopes

    def require(self, action: Action) -> None:
        """PermissionDenied where the matrix does not let this caller do `action`: for what a method may do besides."""
        if not self.may(action):
            raise PermissionDenied("You may not do this.")


BELOW_MANAGERS = frozenset({Role.VIEWER, Role.OPERATOR})

NOBODY = Caller(tenant_id=None, above_tenants=False, identity="nobody", name="nobody")


def caller_of(request: Request | HttpRequest) -> Caller:
    """The caller of a DRF or a Django request; NOBODY without credentials, or with wrong ones.

    A Django request is read as the API reads its own: session, JWT or key.
    """
    if isinstance(request, Request):
        return _caller_from(request.user, request.auth)
    doors = cast("Iterable[type[BaseAuthentication]]", api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    wrapped = Request(request, authenticators=[door() for door in doors])
    try:
        return _caller_from(wrapped.user, wrapped.auth)
    except APIException:
        return NOBODY


def caller_of_user(user: User) -> Caller:
    """A person as a caller."""
    return Caller(
        tenant_id=None if user.is_superuser else user.tenant_id,
        above_tenants=user.is_superuser,
        identity=f"user:{user.pk}",
        name=user.get_username(),
        role=Role.ADMIN if user.is_superuser else Role(user.role),
    )


def caller_of_key(key: ApiKey) -> Caller:
    """A key as a caller."""
    return Caller(
        tenant_id=key.tenant_id,
        above_tenants=key.tenant_id is None,
        identity=f"key:{key.pk}",
        name=key.name,
        scope=Scope(key.scope),
    )


def roles_given_by(caller: Caller) -> frozenset[Role]:
    """The roles that `caller` may give to others, which are also the roles of those whom `caller` may change."""
    if caller.may(Action.ACCOUNT_MANAGE):
        return frozenset(Role)
    return BELOW_MANAGERS if caller.may(Action.OPERATOR_ADD) else frozenset()


def tenant_named(caller: Caller, slug: str) -> Tenant:
    """The tenant that `?tenant=` means. BadRequestError where there is none, or none that `caller` may know of."""
    tenant = queries.tenant_by_slug(slug)
    if tenant is None or not (caller.above_tenants or tenant.pk == caller.tenant_id):
        raise BadRequestError("There is no such tenant.", field="tenant")
    return tenant


def tenant_for_read(caller: Caller, slug: str | None) -> int | None:
    """Whose things `caller` looks at; `slug` is what `?tenant=` says. None means all tenants.

    BadRequestError(field="tenant") where it names none that the caller may know of.
    """
    if caller.tenant_id is None and not caller.above_tenants:
        raise PermissionDenied("Nobody reads without credentials.")
    return tenant_named(caller, slug).pk if slug else caller.tenant_id


def tenant_for_write(caller: Caller, slug: str | None) -> Tenant:
    """The tenant in which `caller` makes something new; `slug` is what `?tenant=` says.

    Who stands above tenants names one, unless there is only one. BadRequestError(field="tenant") when none or
    an unknown one is named; to everyone else, another's tenant is as unknown as one that does not exist.
    """
    if caller.tenant_id is None and not caller.above_tenants:
        raise PermissionDenied("Nobody writes without credentials.")
    if slug:
        return tenant_named(caller, slug)
    if caller.tenant_id is not None:
        return Tenant.objects.get(pk=caller.tenant_id)
    first_two = Tenant.objects.order_by("pk")[:2]
    if len(first_two) == 1:
        return first_two[0]
    message = "Say which tenant: ?tenant=slug." if first_two else "There is no tenant yet."
    raise BadRequestError(message, field="tenant")


def _caller_from(user: object, auth: object) -> Caller:
    if isinstance(auth, Caller):
        return auth
    return caller_of_user(user) if isinstance(user, User) else NOBODY
