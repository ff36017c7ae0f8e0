from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from tests.people import Person, key_make
from wattkeeper.base.accounts.callers import NOBODY, Caller, caller_of, tenant_for_write
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import ApiKey, Tenant
from wattkeeper.base.core.errors import BadRequestError


def django_request(authorization: str | None = None, user: Any = None) -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    request = RequestFactory().get("/", headers=headers)
    request.user = user or AnonymousUser()
    return request


def test_a_person_is_the_same_caller_by_session_and_by_jwt(colleague: Person) -> None:
    from rest_framework_simplejwt.tokens import AccessToken

    by_session = caller_of(django_request(user=colleague.user))
    by_jwt = caller_of(django_request(f"Bearer {AccessToken.for_user(colleague.user)}"))
    assert by_session == by_jwt
    assert by_session == Caller(
        tenant_id=colleague.user.tenant_id,
        above_tenants=False,
        identity=f"user:{colleague.user.pk}",
        name="colleague",
        role=Role.VIEWER,
    )


def test_a_key_is_a_caller_with_a_scope(tenant: Tenant) -> None:
    secret = key_make(tenant, Scope.INGEST, name="gateway")
    assert caller_of(django_request(f"Api-Key {secret}")) == Caller(
        tenant_id=tenant.pk,
        above_tenants=False,
        identity=f"key:{ApiKey.objects.get().pk}",
        name="gateway",
        scope=Scope.INGEST,
    )


def test_a_superuser_and_a_key_for_all_tenants_stand_above_tenants(superuser: Person) -> None:
    key = caller_of(django_request(f"Api-Key {key_make(None)}"))
    person = caller_of(django_request(user=superuser.user))
    for caller in (key, person):
        assert caller.above_tenants
        assert caller.tenant_id is None
    assert person.role is Role.ADMIN


@pytest.mark.parametrize("authorization", [None, "Api-Key wrong", "Bearer wrong", "Bearer", "Basic YTpi"])
def test_wrong_credentials_are_nobody(authorization: str | None, db: None) -> None:
    assert caller_of(django_request(authorization)) is NOBODY


def test_wrong_credentials_are_not_rescued_by_a_session(colleague: Person) -> None:
    assert caller_of(django_request("Api-Key wk_" + "x" * 43, user=colleague.user)) is NOBODY


def above() -> Caller:
    return Caller(tenant_id=None, above_tenants=True, identity="key:1", name="all", scope=Scope.ADMIN)


def within(tenant: Tenant) -> Caller:
    return Caller(tenant_id=tenant.pk, above_tenants=False, identity="key:1", name="one", scope=Scope.ADMIN)


def test_a_caller_in_a_tenant_writes_there_and_nowhere_else(tenant: Tenant, other_tenant: Tenant) -> None:
    assert tenant_for_write(within(tenant), None) == tenant
    assert tenant_for_write(within(tenant), "north") == tenant
    messages = set()
    for slug in ("south", "nowhere"):
        with pytest.raises(BadRequestError) as caught:
            tenant_for_write(within(tenant), slug)
        assert caught.value.field == "tenant"
        messages.add(str(caught.value))
    assert len(messages) == 1, "another's tenant must look like none"


def test_a_caller_above_tenants_names_one_when_there_are_several(tenant: Tenant, other_tenant: Tenant) -> None:
    assert tenant_for_write(above(), "south") == other_tenant
    for slug in (None, "", "nowhere", "no slug", "north\0", "x" * 10_000, "\ud800"):
        with pytest.raises(BadRequestError) as caught:
            tenant_for_write(above(), slug)
        assert caught.value.field == "tenant"


def test_a_caller_above_tenants_writes_to_the_only_one_there_is(tenant: Tenant) -> None:
    assert tenant_for_write(above(), None) == tenant


def test_without_any_tenant_nothing_is_written(db: None) -> None:
    with pytest.raises(BadRequestError, match="no tenant yet"):
        tenant_for_write(above(), None)


def test_nobody_writes_nowhere(tenant: Tenant) -> None:
    with pytest.raises(PermissionDenied):
        tenant_for_write(NOBODY, None)
