"""Profile, people, keys and a tenant's settings: for who may, and nothing for who may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.people import PASSWORD, Person, client_with, person_make
from tests.views.dashboard.test_pages import EVIL, browser, rows_of
from wattkeeper.base.accounts.actions import key_add
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User

NEW = "another-horse-88"
API = "/api/v1/vehicle_data/"


def text_of(answer: Any) -> str:
    return answer.content.decode()


def problems(answer: Any) -> list[str]:
    """What the form says is wrong."""
    return re.findall(r'class="problem"[^>]*>([^<]*)<', text_of(answer))


class TestTheBarAtTheSide:
    @pytest.mark.parametrize(
        ("role", "items"),
        [
            ("viewer", []),
            ("operator", []),
            ("manager", ["Notifications", "People"]),
            ("admin", ["Notifications", "People", "API keys", "Settings", "Django admin"]),
        ],
    )
    def test_it_has_what_ones_role_may_open(
        self, role: str, items: list[str], make_person: Callable[..., Person]
    ) -> None:
        client = browser(make_person(role))
        bar = re.search(r'<nav aria-label="Main">(.*?)</nav>', text_of(client.get("/")), re.DOTALL)
        assert bar
        links = re.findall(r'<a href="([^"]*)".*?<span>([^<]*)</span>', bar[1], re.DOTALL)
        of_kinds = ["Vehicles", "Batteries", "Battery dashboard", "Meters", "Reports"]
        of_all = ["Overview", "Alerts", *of_kinds, "Rules"]
        assert [label for _, label in links if label != "Imports"] == [*of_all, *items]
        assert {client.get(address, follow=True).status_code for address, _ in links} == {200}

    @pytest.mark.parametrize("page", ["/people/", "/keys/", "/settings/"])
    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_what_is_not_there_is_not_open_either(
        self, page: str, role: str, make_person: Callable[..., Person]
    ) -> None:
        client = browser(make_person(role))
        assert client.get(page).status_code == 403
        assert client.post(page, {}).status_code == 403
        assert "not for your role" in text_of(client.get(page))


class TestTheProfile:
    def test_one_says_who_one_is(self, colleague: Person) -> None:
        form = {"first_name": "Ada", "last_name": "L", "email": "ada@example.org"}
        answer = browser(colleague).post("/profile/", form, follow=True)
        assert "Saved." in text_of(answer)
        colleague.user.refresh_from_db()
        assert colleague.user.get_full_name() == "Ada L"

    @pytest.mark.parametrize("wrong", [{"email": "nobody"}, {"first_name": "x" * 151}, {"last_name": "a\0b"}])
    def test_what_is_wrong_is_said_beside_its_field(self, wrong: dict[str, str], colleague: Person) -> None:
        answer = browser(colleague).post("/profile/", wrong)
        assert answer.status_code == 422
        assert len(problems(answer)) == 1

    def test_nobody_raises_themself_there(self, colleague: Person) -> None:
        browser(colleague).post("/profile/", {"role": "admin", "is_superuser": "on", "is_staff": "on"})
        colleague.user.refresh_from_db()
        assert (colleague.user.role, colleague.user.is_superuser, colleague.user.is_staff) == ("viewer", False, False)

    def test_a_new_password_ends_all_other_sessions_and_not_this_one(self, colleague: Person) -> None:
        here, there = Client(), Client()
        for client in (here, there):
            client.post("/login/", {"username": "colleague", "password": PASSWORD})
        answer = here.post("/profile/password/", {"old": PASSWORD, "new": NEW}, follow=True)
        assert "changed" in text_of(answer)
        assert here.get("/").status_code == 200
        assert there.get("/").status_code == 302
        assert Client().post("/login/", {"username": "colleague", "password": NEW}).status_code == 302

    @pytest.mark.parametrize(
        "form",
        [{"old": "wrong", "new": NEW}, {"old": PASSWORD, "new": "short"}, {"old": PASSWORD, "new": "12345678"}, {}],
    )
    def test_a_password_that_cannot_be_is_refused(self, form: dict[str, str], colleague: Person) -> None:
        answer = browser(colleague).post("/profile/password/", form)
        assert answer.status_code == 422
        assert problems(answer)
        assert PASSWORD not in text_of(answer)
        colleague.user.refresh_from_db()
        assert colleague.user.check_password(PASSWORD)


class TestPeople:
    def test_an_admin_sees_the_tenants_people_and_no_others(
        self, owner: Person, colleague: Person, stranger: Person
    ) -> None:
        assert [row[0] for row in rows_of(browser(owner).get("/people/"))] == ["colleague", "owner"]

    def test_an_admin_adds_someone_who_can_log_in(self, owner: Person, tenant: Tenant) -> None:
        form = {"username": "new", "password": NEW, "role": "manager", "email": ""}
        answer = browser(owner).post("/people/", form, follow=True)
        assert "new is added" in text_of(answer)
        user = User.objects.get(username="new")
        assert (user.tenant, user.role) == (tenant, Role.MANAGER)
        assert Client().post("/login/", {"username": "new", "password": NEW}).status_code == 302
        assert AuditEntry.objects.filter(action="user_add", tenant=tenant, actor=f"user:{owner.user.pk}").exists()

    @pytest.mark.parametrize(
        ("wrong", "count"),
        [
            ({"username": ""}, 1),
            ({"username": "owner"}, 1),
            ({"password": "short"}, 1),
            ({"role": "king"}, 1),
            ({"email": "x"}, 1),
            ({"username": "a b"}, 1),
        ],
    )
    def test_what_is_wrong_is_said_in_the_dialog(self, wrong: dict[str, str], count: int, owner: Person) -> None:
        form = {"username": "new", "password": NEW, "role": "viewer", "email": "", **wrong}
        answer = browser(owner).post("/people/", form)
        assert answer.status_code == 422
        assert "data-open-now" in text_of(answer)
        assert len(problems(answer)) == count
        assert not User.objects.filter(username="new").exists()

    def test_a_manager_adds_operators_and_nothing_above(self, make_person: Callable[..., Person]) -> None:
        client = browser(make_person("manager"))
        assert set(re.findall(r'<option value="(\w+)"', text_of(client.get("/people/")))) == {"viewer", "operator"}
        for role, status in (("operator", 302), ("manager", 422), ("admin", 422)):
            answer = client.post("/people/", {"username": f"p{role[:2]}", "password": NEW, "role": role})
            assert answer.status_code == status, problems(answer)

    def test_a_manager_does_not_open_an_admins_page(self, make_person: Callable[..., Person], owner: Person) -> None:
        client = browser(make_person("manager"))
        page = f"/people/{owner.user.pk}/"
        assert client.get(page).status_code == 403
        assert client.post(page, {"role": "viewer"}).status_code == 403
        assert client.post(f"{page}password/", {"new": NEW}).status_code == 403

    def test_an_admin_changes_a_role_and_ends_an_account_at_once(self, owner: Person, colleague: Person) -> None:
        page, theirs = f"/people/{colleague.user.pk}/", browser(colleague)
        form = {"first_name": "", "last_name": "", "email": "", "role": "operator", "is_active": "on"}
        assert browser(owner).post(page, form).status_code == 302
        assert theirs.get("/").status_code == 200
        assert browser(owner).post(page, {**form, "is_active": ""}).status_code == 302
        assert theirs.get("/").status_code == 302
        colleague.user.refresh_from_db()
        assert (colleague.user.role, colleague.user.is_active) == (Role.OPERATOR, False)
        assert "user change" in text_of(browser(owner).get(page))

    def test_the_last_admin_stays_one(self, owner: Person) -> None:
        page = f"/people/{owner.user.pk}/"
        browser(owner).post(page, {"role": "viewer", "first_name": "", "last_name": "", "email": ""})
        owner.user.refresh_from_db()
        assert (owner.user.role, owner.user.is_active) == (Role.ADMIN, True)

    def test_an_admin_gives_someone_a_new_password(self, owner: Person, colleague: Person) -> None:
        theirs = browser(colleague)
        answer = browser(owner).post(f"/people/{colleague.user.pk}/password/", {"new": NEW}, follow=True)
        assert "has a new password" in text_of(answer)
        assert theirs.get("/").status_code == 302
        assert Client().post("/login/", {"username": "colleague", "password": NEW}).status_code == 302

    def test_a_weak_password_is_not_given(self, owner: Person, colleague: Person) -> None:
        answer = browser(owner).post(f"/people/{colleague.user.pk}/password/", {"new": "password"})
        assert (answer.status_code, len(problems(answer))) == (422, 1)

    def test_who_stands_above_tenants_says_where_someone_new_belongs(
        self, superuser: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        form = {"username": "new", "password": NEW, "role": "viewer", "email": ""}
        assert browser(superuser).post("/people/", form).status_code == 400
        assert browser(superuser).post(f"/people/?tenant={other_tenant.slug}", form).status_code == 302
        assert User.objects.get(username="new").tenant == other_tenant

    def test_names_are_no_markup(self, owner: Person, tenant: Tenant) -> None:
        person = person_make("viewer", tenant=tenant, name="plain")
        User.objects.filter(pk=person.user.pk).update(first_name=EVIL, email=EVIL)
        for page in ("/people/", f"/people/{person.user.pk}/"):
            assert EVIL not in text_of(browser(owner).get(page))


class TestKeys:
    def test_a_keys_secret_is_shown_once_and_works(self, owner: Person) -> None:
        client = browser(owner)
        answer = client.post("/keys/", {"name": "charging app", "scope": "read"})
        secret = re.search(r"wk_[\w-]{43}", text_of(answer))
        assert secret
        assert "no-store" in answer["Cache-Control"]
        assert client_with(f"Api-Key {secret[0]}").get(f"{API}?page_size=x").status_code == 400
        assert secret[0] not in text_of(client.get("/keys/"))
        assert ApiKey.objects.get(name="charging app").created_by == owner.user

    def test_a_revoked_key_is_turned_away(self, owner: Person, tenant: Tenant) -> None:
        key, secret = key_add(tenant=tenant, name="old", scope=Scope.READ, actor="test")
        answer = browser(owner).post(f"/keys/{key.pk}/revoke/", follow=True)
        assert "is revoked" in text_of(answer)
        assert rows_of(answer)[0][-2] == "Revoked"
        assert client_with(f"Api-Key {secret}").get(API).status_code == 401
        assert browser(owner).post(f"/keys/{key.pk}/revoke/").status_code == 409

    def test_another_tenants_keys_are_not_there(self, stranger: Person, tenant: Tenant) -> None:
        key, _ = key_add(tenant=tenant, name="ours", scope=Scope.READ, actor="test")
        key_add(tenant=None, name="of all", scope=Scope.READ, actor="test")
        assert rows_of(browser(stranger).get("/keys/")) == []
        assert browser(stranger).post(f"/keys/{key.pk}/revoke/").status_code == 404
        key.refresh_from_db()
        assert key.revoked_at is None

    @pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "n" * 101}, {"scope": "all"}, {"name": "taken"}])
    def test_what_is_wrong_is_said_in_the_dialog(self, wrong: dict[str, str], owner: Person, tenant: Tenant) -> None:
        key_add(tenant=tenant, name="taken", scope=Scope.READ, actor="test")
        answer = browser(owner).post("/keys/", {"name": "new", "scope": "read", **wrong})
        assert answer.status_code == 422
        assert "data-open-now" in text_of(answer)
        assert "wk_" not in "".join(re.findall(r"<pre.*?</pre>", text_of(answer), re.DOTALL))
        assert ApiKey.objects.count() == 1

    def test_a_manager_makes_no_keys(self, make_person: Callable[..., Person]) -> None:
        assert browser(make_person("manager")).post("/keys/", {"name": "x", "scope": "admin"}).status_code == 403


class TestSettings:
    def test_an_admin_names_the_tenant_and_its_time_zone(self, owner: Person, tenant: Tenant) -> None:
        answer = browser(owner).post("/settings/", {"name": "North AG", "time_zone": "Europe/Berlin"}, follow=True)
        assert "Europe/Berlin" in text_of(answer)
        tenant.refresh_from_db()
        assert (tenant.name, tenant.time_zone) == ("North AG", "Europe/Berlin")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"time_zone": "Mars/Olympus"},
            {"time_zone": "localtime"},
            {"time_zone": "Factory"},
            {"name": ""},
            {"name": "n" * 201},
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(self, wrong: dict[str, str], owner: Person, tenant: Tenant) -> None:
        answer = browser(owner).post("/settings/", {"name": "North", "time_zone": "UTC", **wrong})
        assert (answer.status_code, len(problems(answer))) == (422, 1)
        tenant.refresh_from_db()
        assert (tenant.name, tenant.time_zone) == ("North", "UTC")

    def test_an_admin_changes_only_their_own(self, owner: Person, other_tenant: Tenant) -> None:
        form = {"name": "Mine", "time_zone": "UTC"}
        assert browser(owner).post(f"/settings/?tenant={other_tenant.slug}", form).status_code == 400
        other_tenant.refresh_from_db()
        assert other_tenant.name == "South"

    def test_who_stands_above_tenants_chooses_one(
        self, superuser: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        client = browser(superuser)
        assert [row[0] for row in rows_of(client.get("/settings/"))] == ["North", "South"]
        client.post(f"/settings/?tenant={tenant.slug}", {"name": "Nord", "time_zone": "UTC"})
        tenant.refresh_from_db()
        assert tenant.name == "Nord"
