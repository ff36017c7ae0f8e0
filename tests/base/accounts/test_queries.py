"""What is asked about accounts, and who is told."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from tests.people import Person, key_make
from wattkeeper.base.accounts import actions, queries
from wattkeeper.base.accounts.callers import NOBODY, Caller, caller_of_user
from wattkeeper.base.accounts.models import ApiKey, Tenant, User


def by(person: Person) -> Caller:
    return caller_of_user(person.user)


def names(users: object) -> list[str]:
    return [user.username for user in users]  # type: ignore[attr-defined]


def test_people_are_seen_in_their_own_tenant_and_all_from_above(
    owner: Person, colleague: Person, stranger: Person, superuser: Person, tenant: Tenant
) -> None:
    assert names(queries.users_of(by(owner))) == names(queries.users_of(by(colleague))) == ["colleague", "owner"]
    assert names(queries.users_of(by(stranger))) == ["stranger"]
    assert names(queries.users_of(by(superuser))) == ["colleague", "owner", "root", "stranger"]
    assert names(queries.users_of(by(superuser), tenant_id=tenant.pk)) == ["colleague", "owner"]
    assert names(queries.users_of(by(stranger), tenant_id=tenant.pk)) == []
    assert names(queries.users_of(NOBODY)) == []


def test_people_are_searched_by_all_their_names(owner: Person, colleague: Person) -> None:
    User.objects.filter(pk=owner.user.pk).update(first_name="Ada", last_name="Byron", email="a@lace.example")
    for search in ("OWN", " ada ", "byr", "@LACE", "ow\0n"):
        assert names(queries.users_of(by(owner), search=search)) == ["owner"]
    for search in ("%", "_", "x" * 9_000):
        assert names(queries.users_of(by(owner), search=search)) == []


def test_one_person_and_one_key_are_found_by_who_may_know_of_them(
    owner: Person, colleague: Person, stranger: Person, superuser: Person
) -> None:
    key_make(owner.tenant)
    key_make(None)
    ours, above = ApiKey.objects.get(tenant=owner.tenant), ApiKey.objects.get(tenant=None)
    for person, sees in ((owner, True), (colleague, True), (superuser, True), (stranger, False)):
        assert (queries.user_by_id(owner.user.pk, caller=by(person)) == owner.user) is sees
        assert (queries.key_by_id(ours.pk, caller=by(person)) == ours) is sees
        assert (queries.key_by_id(above.pk, caller=by(person)) == above) is (person is superuser)
    assert queries.user_by_id(superuser.user.pk, caller=by(owner)) is None
    assert queries.key_by_id(ours.pk, caller=NOBODY) is queries.key_by_id(above.pk, caller=NOBODY) is None


def test_everyone_may_go_to_their_own_tenant_and_superusers_to_all(
    owner: Person, superuser: Person, tenant: Tenant, other_tenant: Tenant
) -> None:
    assert list(queries.tenants_for(by(owner))) == [tenant]
    assert list(queries.tenants_for(by(superuser))) == [tenant, other_tenant]
    assert list(queries.tenants_for(NOBODY)) == []
    assert queries.tenant_of(by(owner)) == tenant
    assert queries.tenant_of(by(superuser)) is queries.tenant_of(NOBODY) is None


def test_times_are_shown_in_the_tenants_zone(owner: Person, superuser: Person, tenant: Tenant) -> None:
    assert queries.zone_of(by(owner)) == ZoneInfo("UTC")
    actions.tenant_change(tenant, name="North", time_zone="Europe/Berlin", actor="test")
    assert queries.zone_of(by(owner)) == ZoneInfo("Europe/Berlin")
    assert queries.zone_of(by(superuser)) == queries.zone_of(NOBODY) == ZoneInfo("UTC")


def test_the_audit_trail_is_told_to_its_tenant_the_newest_first(
    owner: Person, stranger: Person, superuser: Person, tenant: Tenant
) -> None:
    for actor, target in (("user:1", "asset:1 a"), ("user:2", "asset:12 b"), ("user:1", "asset:1 a")):
        actions.audit_add(tenant=tenant, actor=actor, action="asset_change", target=target)
    actions.audit_add(tenant=None, actor="user:1", action="key_add", target="key:1 all")
    about = [(entry.actor, entry.target) for entry in queries.audit_of(by(owner))[:3]]
    assert about == [("user:1", "asset:1 a"), ("user:2", "asset:12 b"), ("user:1", "asset:1 a")]
    assert queries.audit_of(by(owner), about="asset:1").count() == 2
    assert queries.audit_of(by(owner), actor="user:2").count() == 1
    assert queries.audit_of(by(owner), actor="user:1").count() == 2
    assert queries.audit_of(by(superuser), actor="user:1").count() == 3
    assert queries.audit_of(by(superuser), tenant_id=tenant.pk, actor="user:1").count() == 2
    assert queries.audit_of(by(stranger), actor="user:1").count() == 0
    assert queries.audit_of(NOBODY).count() == 0
