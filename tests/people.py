"""People and their keys, as clients of the API: `owner.jwt.get(...)`, `owner.key(Scope.READ).get(...)`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from wattkeeper.base.accounts import actions
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import Tenant, User

PASSWORD = "correct-horse-77"
DOORS = ("session", "jwt", "key")


@dataclass(frozen=True)
class Person:
    user: User

    @property
    def tenant(self) -> Tenant | None:
        return self.user.tenant

    @property
    def session(self) -> APIClient:
        client = APIClient()
        client.force_login(self.user)
        return client

    @property
    def jwt(self) -> APIClient:
        return client_with(f"Bearer {AccessToken.for_user(self.user)}")

    def key(self, scope: Scope = Scope.ADMIN) -> APIClient:
        """A client with a new key of the person's tenant (a superuser's: for all tenants)."""
        return client_with(f"Api-Key {key_make(self.tenant, scope)}")

    def by(self, door: str) -> APIClient:
        """The client for one of DOORS."""
        return self.key() if door == "key" else getattr(self, door)


def person_make(role: str, *, tenant: Tenant, name: str = "") -> Person:
    user = actions.user_add(
        # Of figures alone: letters may make it too similar to the password, once in a thousand times.
        name=name or f"{role}-{secrets.randbelow(10**8):08}",
        password=PASSWORD,
        role=Role(role),
        tenant=tenant,
        actor="test",
    )
    return Person(user)


def key_make(tenant: Tenant | None, scope: Scope = Scope.ADMIN, *, name: str = "") -> str:
    """The secret of a new key."""
    _, secret = actions.key_add(tenant=tenant, name=name or secrets.token_hex(8), scope=scope, actor="test")
    return secret


def client_with(authorization: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=authorization)
    return client
