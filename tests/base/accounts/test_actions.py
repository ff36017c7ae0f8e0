from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from tests.people import PASSWORD, Person, key_make, person_make
from wattkeeper.base.accounts import actions
from wattkeeper.base.accounts.append_only import AppendOnlyError
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User
from wattkeeper.base.core.errors import ConflictError


def test_everything_done_is_in_the_audit_trail_without_secrets(db: None) -> None:
    tenant, created = actions.tenant_get_or_create(slug="north", actor="user:1")
    assert created
    user = actions.user_add(name="anna", password=PASSWORD, role=Role.MANAGER, tenant=tenant, actor="user:1")
    key, secret = actions.key_add(tenant=tenant, name="gw", scope=Scope.READ, actor="user:1", created_by=user)
    actions.key_revoke(key=key, actor="user:2")
    trail = AuditEntry.objects.order_by("pk").values_list("tenant", "actor", "action", "target", "detail")
    assert list(trail) == [
        (tenant.pk, "user:1", "tenant_add", f"tenant:{tenant.pk} north", {}),
        (tenant.pk, "user:1", "user_add", f"user:{user.pk} anna", {"role": "manager"}),
        (tenant.pk, "user:1", "key_add", f"key:{key.pk} gw", {"scope": "read"}),
        (tenant.pk, "user:2", "key_revoke", f"key:{key.pk} gw", {}),
    ]
    assert secret not in str(list(trail))


def test_a_tenant_that_exists_is_found_and_not_audited(tenant: Tenant) -> None:
    assert actions.tenant_get_or_create(slug="north", actor="test") == (tenant, False)
    assert not AuditEntry.objects.exists()


def test_what_was_refused_is_not_in_the_audit_trail(tenant: Tenant) -> None:
    with pytest.raises(ValidationError) as caught:
        actions.user_add(name="a b", password="123", role=Role.VIEWER, tenant=tenant, email="x", actor="test")
    assert set(caught.value.message_dict) == {"username", "password", "email"}
    assert not AuditEntry.objects.exists()
    assert not User.objects.exists()


def test_the_audit_trail_is_only_added_to(tenant: Tenant) -> None:
    entry = actions.audit_add(tenant=tenant, actor="a", action="b", target="c")
    for change in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor="d"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(actor="d"),
        lambda: AuditEntry.objects.bulk_update([entry], ["actor"]),
    ):
        with pytest.raises(AppendOnlyError):
            change()
    with pytest.raises(ProtectedError):
        tenant.delete()
    assert AuditEntry.objects.get().actor == "a"


def test_usernames_are_global(owner: Person, other_tenant: Tenant) -> None:
    with pytest.raises(ValidationError, match="already exists"):
        person_make("viewer", tenant=other_tenant, name="owner")


def test_key_names_are_unique_in_a_tenant_and_above(tenant: Tenant, other_tenant: Tenant) -> None:
    for whose in (tenant, other_tenant, None):
        key_make(whose, name="gw")
        with pytest.raises(ValidationError, match="of this name exists"):
            key_make(whose, name="gw")
    assert ApiKey.objects.count() == 3


def test_a_key_is_revoked_once(tenant: Tenant) -> None:
    key_make(tenant, name="gw")
    key = ApiKey.objects.get()
    actions.key_revoke(key=key, actor="test")
    revoked_at = key.revoked_at
    with pytest.raises(ConflictError):
        actions.key_revoke(key=key, actor="test")
    assert ApiKey.objects.get().revoked_at == revoked_at is not None


@pytest.mark.parametrize("role", Role)
def test_only_admins_are_staff(role: Role, make_person: Any) -> None:
    user = make_person(role).user
    assert user.is_staff is (role is Role.ADMIN)
    user.role = Role.ADMIN if role is not Role.ADMIN else Role.VIEWER
    user.save()
    assert User.objects.get(pk=user.pk).is_staff is (role is not Role.ADMIN)


def test_only_superusers_stand_above_tenants(tenant: Tenant, superuser: Person) -> None:
    assert superuser.user.tenant is None
    superuser.user.role = Role.VIEWER
    superuser.user.save()
    assert superuser.user.is_staff, "whatever the role"
    for wrong in ({"is_superuser": False}, {"is_superuser": True, "tenant": tenant}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(username="x", **wrong)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "\0", "x" * 65])
def test_a_time_zone_is_an_iana_name(name: str, db: None) -> None:
    with pytest.raises(ValidationError):
        Tenant(slug="x", name="x", time_zone=name).full_clean()
    Tenant(slug="x", name="x", time_zone="Europe/Berlin").full_clean()
