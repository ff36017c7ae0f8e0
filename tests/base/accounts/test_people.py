"""Who may change whom, and what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken

from tests.people import PASSWORD, Person, person_make
from wattkeeper.base.accounts import actions
from wattkeeper.base.accounts.callers import NOBODY, Caller, caller_of_user
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import AuditEntry, Tenant, User
from wattkeeper.base.core.errors import ConflictError, NotFoundError

NEW = "another-horse-78"
MakePerson = Callable[..., Person]


def key(tenant: Tenant | None, scope: Scope = Scope.ADMIN) -> Caller:
    tenant_id = None if tenant is None else tenant.pk
    return Caller(tenant_id=tenant_id, above_tenants=tenant is None, identity="key:1", name="key", scope=scope)


def by(person: Person) -> Caller:
    return caller_of_user(person.user)


def last_entry() -> tuple[str, str, str, Any]:
    entry = AuditEntry.objects.all()[0]
    return entry.actor, entry.action, entry.target, entry.detail


def fresh(person: Person) -> User:
    return User.objects.get(pk=person.user.pk)


class TestChangingSomebody:
    def test_an_admin_changes_all_of_a_person(self, owner: Person, colleague: Person) -> None:
        actions.user_change(
            colleague.user,
            by=by(owner),
            role=Role.ADMIN,
            is_active=False,
            first_name=" Ada ",
            last_name="L",
            email="a@example.com",
        )
        user = fresh(colleague)
        assert (user.role, user.is_active, user.first_name, user.email) == ("admin", False, "Ada", "a@example.com")
        assert user.is_staff
        assert last_entry() == (
            by(owner).identity,
            "user_change",
            f"user:{user.pk} colleague",
            {
                "role": ["viewer", "admin"],
                "is_active": [True, False],
                "first_name": ["", "Ada"],
                "last_name": ["", "L"],
                "email": ["", "a@example.com"],
            },
        )

    def test_what_is_not_given_stays_and_what_is_the_same_is_not_noted(self, owner: Person, colleague: Person) -> None:
        before = AuditEntry.objects.count()
        actions.user_change(colleague.user, by=by(owner), role=Role.VIEWER, is_active=True, first_name="")
        assert AuditEntry.objects.count() == before

    def test_what_is_wrong_is_named_and_nothing_is_changed(self, owner: Person, colleague: Person) -> None:
        with pytest.raises(ValidationError) as caught:
            actions.user_change(colleague.user, by=by(owner), role=Role.MANAGER, email="x", first_name="a\0")
        assert set(caught.value.message_dict) == {"email", "first_name"}
        assert fresh(colleague).role == Role.VIEWER

    @pytest.mark.parametrize("is_active", [True, False])
    @pytest.mark.parametrize("role", Role)
    def test_a_manager_changes_those_below_managers_only(
        self, role: Role, is_active: bool, make_person: MakePerson
    ) -> None:
        manager, other = make_person("manager"), make_person(role)
        acts = (
            lambda: actions.user_change(other.user, by=by(manager), first_name="Ada", is_active=is_active),
            lambda: actions.password_set(other.user, new=NEW, by=by(manager)),
        )
        for act in acts:
            if role in {Role.VIEWER, Role.OPERATOR}:
                act()
            else:
                with pytest.raises(PermissionDenied):
                    act()
        assert (fresh(other).first_name == "Ada") is (role in {Role.VIEWER, Role.OPERATOR})

    @pytest.mark.parametrize("role", Role)
    def test_a_manager_makes_nobody_a_manager(self, role: Role, make_person: MakePerson, tenant: Tenant) -> None:
        manager, other = make_person("manager"), make_person("viewer")
        new = {"name": "new", "password": PASSWORD, "role": role, "tenant": tenant}
        if role in {Role.VIEWER, Role.OPERATOR}:
            actions.user_change(other.user, by=by(manager), role=role)
            assert actions.user_add_by(by(manager), **new).role == role
            return
        with pytest.raises(PermissionDenied):
            actions.user_change(other.user, by=by(manager), role=role)
        with pytest.raises(PermissionDenied):
            actions.user_add_by(by(manager), **new)
        assert fresh(other).role == Role.VIEWER
        assert not User.objects.filter(username="new").exists()

    def test_viewers_operators_nobody_and_weak_keys_change_nobody(
        self, make_person: MakePerson, colleague: Person, tenant: Tenant
    ) -> None:
        weak = [by(make_person("viewer")), by(make_person("operator"))]
        weak += [key(whose, scope) for whose in (tenant, None) for scope in (Scope.READ, Scope.INGEST)]
        for caller in weak:
            with pytest.raises(PermissionDenied):
                actions.user_change(colleague.user, by=caller, first_name="x")
            with pytest.raises(PermissionDenied):
                actions.password_set(colleague.user, new=NEW, by=caller)
            with pytest.raises(PermissionDenied):
                actions.user_add_by(caller, name="new", password=PASSWORD, role=Role.VIEWER, tenant=tenant)
        with pytest.raises(NotFoundError):
            actions.user_change(colleague.user, by=NOBODY, first_name="x")

    def test_another_tenants_people_are_not_there(
        self, stranger: Person, colleague: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        for caller in (by(stranger), key(other_tenant)):
            with pytest.raises(NotFoundError):
                actions.user_change(colleague.user, by=caller, is_active=False)
            with pytest.raises(NotFoundError):
                actions.password_set(colleague.user, new=NEW, by=caller)
            with pytest.raises(PermissionDenied):
                actions.user_add_by(caller, name="new", password=PASSWORD, role=Role.VIEWER, tenant=tenant)

    def test_superusers_change_everyone_and_are_changed_from_above_only(
        self, superuser: Person, owner: Person, colleague: Person
    ) -> None:
        with pytest.raises(NotFoundError):
            actions.user_change(superuser.user, by=by(owner), is_active=False)
        with pytest.raises(NotFoundError):
            actions.password_set(superuser.user, new=NEW, by=by(owner))
        actions.user_change(colleague.user, by=by(superuser), role=Role.OPERATOR)
        actions.user_change(superuser.user, by=key(None), first_name="Root")
        user = fresh(superuser)
        assert (user.first_name, user.is_staff, user.tenant) == ("Root", True, None)

    @pytest.mark.parametrize("role", ["manager", "admin"])
    def test_nobody_raises_lowers_or_ends_themself(self, role: str, make_person: MakePerson, owner: Person) -> None:
        person = make_person(role)
        others: list[tuple[str, Any]] = [("role", other) for other in Role if other != role]
        for name, value in [*others, ("is_active", False)]:
            with pytest.raises((ValidationError, PermissionDenied)) as caught:
                actions.user_change(person.user, by=by(person), **{name: value})
            if isinstance(caught.value, ValidationError):
                assert set(caught.value.message_dict) == {name}
        assert (fresh(person).role, fresh(person).is_active) == (role, True)

    def test_an_admin_may_say_of_themself_what_is_so(self, owner: Person) -> None:
        actions.user_change(owner.user, by=by(owner), role=Role.ADMIN, is_active=True, first_name="Ada")
        assert fresh(owner).first_name == "Ada"

    def test_who_is_deactivated_is_out_by_every_door(self, owner: Person, colleague: Person) -> None:
        session, jwt = colleague.session, colleague.jwt
        assert [client.get("/api/v1/vehicle_data/x/").status_code for client in (session, jwt)] == [404, 404]
        actions.user_change(colleague.user, by=by(owner), is_active=False)
        assert [client.get("/api/v1/vehicle_data/x/").status_code for client in (session, jwt)] == [401, 401]

    def test_what_became_of_a_person_in_the_meantime_counts(self, make_person: MakePerson, owner: Person) -> None:
        manager, other = make_person("manager"), make_person("operator")
        seen = fresh(other)
        actions.user_change(other.user, by=by(owner), role=Role.ADMIN)
        with pytest.raises(PermissionDenied):
            actions.password_set(seen, new=NEW, by=by(manager))
        User.objects.filter(pk=other.user.pk).delete()
        with pytest.raises(NotFoundError):
            actions.user_change(seen, by=by(owner), first_name="x")


class TestTheLastAdmin:
    @pytest.mark.parametrize("change", [{"role": Role.MANAGER}, {"is_active": False}])
    def test_a_tenants_last_active_admin_stays(
        self, change: dict[str, Any], superuser: Person, owner: Person, stranger: Person, make_person: MakePerson
    ) -> None:
        other = make_person("admin")
        User.objects.filter(pk=other.user.pk).update(is_active=False)
        make_person("manager")
        for caller in (by(superuser), key(owner.tenant)):
            with pytest.raises(ConflictError, match="last admin"):
                actions.user_change(owner.user, by=caller, **change)
        assert (fresh(owner).role, fresh(owner).is_active) == ("admin", True)
        actions.user_change(other.user, by=by(superuser), is_active=True)
        actions.user_change(owner.user, by=by(superuser), **change)
        assert (fresh(owner).role, fresh(owner).is_active) != ("admin", True)

    def test_the_last_admin_may_get_another_name(self, superuser: Person, owner: Person) -> None:
        actions.user_change(owner.user, by=by(superuser), first_name="Ada", role=Role.ADMIN, is_active=True)
        assert fresh(owner).first_name == "Ada"

    def test_an_admin_who_is_inactive_may_be_demoted(self, superuser: Person, owner: Person) -> None:
        User.objects.filter(pk=owner.user.pk).update(is_active=False)
        actions.user_change(owner.user, by=by(superuser), role=Role.VIEWER)
        assert not fresh(owner).is_staff

    @pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"is_active": False}])
    def test_of_two_admins_who_end_each_other_one_stays(self, change: dict[str, Any], transactional_db: None) -> None:
        tenant = Tenant.objects.create(slug="north", name="North")
        people = [person_make("admin", tenant=tenant, name=name) for name in ("one", "two")]
        together = threading.Barrier(2)

        def end(other: Person, caller: Caller) -> bool:
            together.wait(timeout=10)
            try:
                actions.user_change(other.user, by=caller, **change)
            except ConflictError:
                return False
            finally:
                connection.close()
            return True

        first, second = people
        with ThreadPoolExecutor(2) as threads:
            ended = list(threads.map(end, people, [by(second), by(first)]))
        assert sorted(ended) == [False, True]
        assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


class TestOneself:
    def test_people_say_who_they_are(self, colleague: Person) -> None:
        me = by(colleague).identity
        actions.profile_change(colleague.user, first_name=" Ada", last_name="", email="a@example.com", actor=me)
        assert (fresh(colleague).first_name, fresh(colleague).email) == ("Ada", "a@example.com")
        assert last_entry()[:2] == (me, "profile_change")
        assert last_entry()[3] == {"first_name": ["", "Ada"], "email": ["", "a@example.com"]}
        with pytest.raises(ValidationError) as caught:
            actions.profile_change(colleague.user, first_name="x" * 151, last_name="", email="nowhere", actor=me)
        assert set(caught.value.message_dict) == {"first_name", "email"}

    def test_a_new_password_ends_every_session_and_token(self, colleague: Person) -> None:
        session, jwt = colleague.session, colleague.jwt
        refresh = str(RefreshToken.for_user(colleague.user))
        key = colleague.key()
        actions.password_change(colleague.user, old=PASSWORD, new=NEW, actor=by(colleague).identity)
        assert [one.get("/api/v1/vehicle_data/x/").status_code for one in (session, jwt, key)] == [401, 401, 404]
        assert Client().post("/user/token/refresh/", {"refresh": refresh}).status_code == 401
        for password, status in ((PASSWORD, 401), (NEW, 200)):
            form = {"username": "colleague", "password": password}
            assert Client().post("/user/login/", form, "application/json").status_code == status
        assert last_entry() == (
            by(colleague).identity,
            "password_change",
            f"user:{colleague.user.pk} colleague",
            {},
        )

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [("wrong", NEW, "old"), ("", NEW, "old"), (PASSWORD, "colleague", "new"), (PASSWORD, "123", "new"),
         (PASSWORD, "", "new"), (PASSWORD, "long-" * 820, "new")],
    )  # fmt: skip
    def test_what_is_wrong_with_a_password_is_named(self, old: str, new: str, field: str, colleague: Person) -> None:
        with pytest.raises(ValidationError) as caught:
            actions.password_change(colleague.user, old=old, new=new, actor="user:1")
        assert set(caught.value.message_dict) == {field}
        assert fresh(colleague).check_password(PASSWORD)

    def test_of_two_new_passwords_at_once_one_holds(self, colleague: Person) -> None:
        first, second = fresh(colleague), fresh(colleague)
        assert second.check_password(PASSWORD)
        actions.password_change(first, old=PASSWORD, new=NEW, actor="user:1")
        with pytest.raises(ConflictError):
            actions.password_change(second, old=PASSWORD, new="a-third-horse-79", actor="user:1")
        assert fresh(colleague).check_password(NEW)

    def test_an_admin_gives_somebody_a_new_password_and_never_themself(self, owner: Person, colleague: Person) -> None:
        session = colleague.session
        actions.password_set(colleague.user, new=NEW, by=by(owner))
        assert fresh(colleague).check_password(NEW)
        assert session.get("/api/v1/vehicle_data/x/").status_code == 401
        assert last_entry()[:2] == (by(owner).identity, "password_set")
        assert NEW not in str(list(AuditEntry.objects.values()))
        for user, new in ((owner.user, NEW), (colleague.user, "123")):
            with pytest.raises(ValidationError) as caught:
                actions.password_set(user, new=new, by=by(owner))
            assert set(caught.value.message_dict) == {"new"}

    def test_nobody_changes_their_own_standing_in_django_admin(self, owner: Person) -> None:
        form = {"username": "owner", "first_name": "Ada", "role": "viewer"}  # is_active is not ticked
        assert owner.session.post(f"/admin/accounts/user/{owner.user.pk}/change/", form).status_code == 302
        user = fresh(owner)
        assert (user.first_name, user.role, user.is_active) == ("Ada", "admin", True)


class TestATenant:
    def test_a_tenant_gets_a_name_and_a_zone(self, tenant: Tenant) -> None:
        actions.tenant_change(tenant, name=" Nord ", time_zone="Europe/Berlin", actor="user:1")
        kept = Tenant.objects.get()
        assert (kept.name, kept.time_zone) == ("Nord", "Europe/Berlin")
        assert last_entry() == (
            "user:1",
            "tenant_change",
            f"tenant:{tenant.pk} north",
            {"name": ["North", "Nord"], "time_zone": ["UTC", "Europe/Berlin"]},
        )

    def test_what_is_wrong_is_named(self, tenant: Tenant) -> None:
        with pytest.raises(ValidationError) as caught:
            actions.tenant_change(tenant, name=" ", time_zone="Mars/Olympus", actor="user:1")
        assert set(caught.value.message_dict) == {"name", "time_zone"}
        assert Tenant.objects.get().name == "North"
        assert not AuditEntry.objects.exists()

    def test_nobody_overwrites_what_they_have_not_seen(self, tenant: Tenant) -> None:
        seen = Tenant.objects.get()
        actions.tenant_change(tenant, name="Nord", time_zone="UTC", actor="user:1")
        with pytest.raises(ConflictError):
            actions.tenant_change(seen, name="Süd", time_zone="UTC", actor="user:2")
