"""What a tenant's admin can and cannot reach in Django admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from tests.people import PASSWORD, Person, key_make, person_make
from wattkeeper.base.accounts.keys import key_caller
from wattkeeper.base.accounts.matrix import Role
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User

USER_ADD = {"username": "new", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}


def changelist(model: str, action: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:accounts_{model}_{action}", args=args)


def test_a_tenants_admin_sees_the_tenants_rows_only(owner: Person, stranger: Person) -> None:
    key_make(owner.tenant, name="our-key")
    key_make(stranger.tenant, name="their-key")
    key_make(None, name="above-key")
    pages = {m: owner.session.get(changelist(m)).content.decode() for m in ("tenant", "user", "apikey")}
    assert "North" in pages["tenant"]
    assert "our-key" in pages["apikey"]
    for page in pages.values():
        assert not re.search("south|stranger|their-key|above-key", page, re.IGNORECASE)


def test_a_tenants_admin_cannot_open_anothers_rows(owner: Person, stranger: Person) -> None:
    client = owner.session
    for model, pk in (("user", stranger.user.pk), ("tenant", stranger.user.tenant_id)):
        response = client.get(changelist(model, "change", pk))
        assert response.status_code == 302
        assert response["Location"] == "/admin/"
    path = reverse("admin:auth_user_password_change", args=(stranger.user.pk,))
    assert client.post(path, {"password1": "x", "password2": "x"}).status_code in {302, 403, 404}
    assert User.objects.get(pk=stranger.user.pk).check_password(PASSWORD)


def test_the_superuser_sees_all_and_filters_by_tenant(superuser: Person, owner: Person, stranger: Person) -> None:
    path = changelist("user")
    assert "stranger" in superuser.session.get(path).content.decode()
    page = superuser.session.get(path, {"tenant__id__exact": owner.user.tenant_id}).content.decode()
    assert "owner" in page
    assert ">stranger<" not in page


def test_an_admin_adds_a_person_to_their_own_tenant(owner: Person) -> None:
    form = {**USER_ADD, "tenant": owner.user.tenant_id, "role": "manager"}
    response = owner.session.post(changelist("user", "add"), form)
    assert response.status_code == 302
    user = User.objects.get(username="new")
    assert (user.tenant, user.role) == (owner.tenant, Role.MANAGER)
    entry = AuditEntry.objects.filter(action="user_add", actor=owner_identity(owner)).get()
    assert PASSWORD not in str(entry.detail)


def owner_identity(owner: Person) -> str:
    return f"user:{owner.user.pk}"


@pytest.mark.parametrize("whose", ["another", "none"])
def test_an_admin_adds_nobody_elsewhere_or_above(owner: Person, other_tenant: Tenant, whose: str) -> None:
    tenant = other_tenant.pk if whose == "another" else ""
    form = {**USER_ADD, "tenant": tenant, "role": "admin", "is_superuser": "on"}
    assert owner.session.post(changelist("user", "add"), form).status_code == 200  # the form again
    key = {"name": "k", "scope": "admin", "tenant": tenant}
    assert owner.session.post(changelist("apikey", "add"), key).status_code == 200
    assert not User.objects.filter(username="new").exists()
    assert not ApiKey.objects.exists()


def test_an_admin_makes_no_superuser(owner: Person, colleague: Person) -> None:
    form = {"username": "colleague", "tenant": owner.user.tenant_id, "role": "admin", "is_active": "on"}
    more = {"is_superuser": "on", "is_staff": "on", "user_permissions": ["1"], "groups": []}
    path = changelist("user", "change", colleague.user.pk)
    assert owner.session.post(path, form | more).status_code == 302
    user = User.objects.get(pk=colleague.user.pk)
    assert user.role == Role.ADMIN
    assert user.is_staff
    assert not user.is_superuser
    assert not user.user_permissions.exists()


def test_a_superuser_with_a_tenant_is_a_field_error(superuser: Person, colleague: Person) -> None:
    form = {
        "username": "colleague",
        "tenant": colleague.user.tenant_id,
        "role": "admin",
        "is_superuser": "on",
    }
    response = superuser.session.post(changelist("user", "change", colleague.user.pk), form)
    assert response.status_code == 200
    assert "a superuser to none" in response.content.decode()


def test_a_superuser_adds_people_to_a_tenant_or_above_and_nowhere_between(superuser: Person, tenant: Tenant) -> None:
    path = changelist("user", "add")
    response = superuser.session.post(path, {**USER_ADD, "role": "viewer", "tenant": ""})
    assert response.status_code == 200
    assert "A user belongs to a tenant" in response.content.decode()
    for name, more in (("in", {"tenant": tenant.pk}), ("above", {"tenant": "", "is_superuser": "on"})):
        form = {**USER_ADD, "role": "viewer", "username": name, **more}
        assert superuser.session.post(path, form).status_code == 302
    assert User.objects.get(username="in").tenant == tenant
    assert User.objects.get(username="above").is_staff


def test_a_key_is_shown_once_and_its_digest_never(owner: Person) -> None:
    client = owner.session
    form = {"name": "gw", "scope": "ingest", "tenant": owner.user.tenant_id}
    response = client.post(changelist("apikey", "add"), form)
    assert "no-store" in response["Cache-Control"]
    secret = re.search("wk_[A-Za-z0-9_-]{43}", response.content.decode())
    assert secret is not None
    caller = key_caller(secret[0])
    assert caller is not None
    assert caller.tenant_id == owner.user.tenant_id
    key = ApiKey.objects.get()
    assert key.created_by == owner.user
    for path in (
        changelist("apikey"),
        changelist("apikey", "change", key.pk),
        changelist("apikey", "history", key.pk),
    ):
        page = client.get(path).content.decode()
        assert secret[0] not in page
        assert key.digest not in page
    assert AuditEntry.objects.filter(action="key_add").count() == 1
    assert client.post(changelist("apikey", "change", key.pk), {"name": "x", "scope": "admin"}).status_code == 403


def test_keys_are_revoked_in_the_list_and_only_ones_own(owner: Person, stranger: Person) -> None:
    key_make(owner.tenant, name="ours")
    key_make(stranger.tenant, name="theirs")
    form = {
        "action": "revoke",
        "_selected_action": [str(pk) for pk in ApiKey.objects.values_list("pk", flat=True)],
    }
    owner.session.post(changelist("apikey"), form)
    assert ApiKey.objects.get(name="ours").revoked_at is not None
    assert ApiKey.objects.get(name="theirs").revoked_at is None


@pytest.mark.parametrize("model", ["tenant", "user", "apikey", "auditentry"])
def test_a_tenants_admin_deletes_nothing(owner: Person, model: str) -> None:
    key_make(owner.tenant)
    row: Any = {"tenant": Tenant, "user": User, "apikey": ApiKey, "auditentry": AuditEntry}[model].objects.first()
    assert owner.session.post(changelist(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_nobody_changes_the_audit_trail(superuser: Person, tenant: Tenant) -> None:
    key_make(tenant)
    entry = AuditEntry.objects.get()
    for action in ("change", "delete"):
        path = changelist("auditentry", action, entry.pk)
        assert superuser.session.post(path, {"actor": "x", "post": "yes"}).status_code == 403
    assert superuser.session.get(changelist("auditentry", "add")).status_code == 403
    assert superuser.session.get(changelist("auditentry")).status_code == 200


def test_a_superuser_deletes_a_person_and_that_is_audited(superuser: Person, tenant: Tenant) -> None:
    person = person_make("viewer", tenant=tenant, name="gone")
    superuser.session.post(changelist("user", "delete", person.user.pk), {"post": "yes"})
    assert not User.objects.filter(username="gone").exists()
    assert AuditEntry.objects.filter(action="user_delete", tenant=tenant).exists()


def test_an_admin_who_is_deactivated_or_demoted_is_out(owner: Person) -> None:
    client = owner.session
    assert client.get(changelist("user")).status_code == 200
    User.objects.filter(pk=owner.user.pk).update(is_active=False)
    assert client.get(changelist("user")).status_code == 302
    owner.user.role = Role.MANAGER
    owner.user.save()
    assert owner.user.is_active
    assert client.get(changelist("user")).status_code == 302
