"""Which things a list shows, as its address says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from tests.people import Person
from tests.support.fleets import NOON, asked, in_tenant, keys, kind, vehicle
from wattkeeper.base.accounts.callers import NOBODY, Caller, caller_of_user
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.filters import filter_of
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.states import state_channels, state_of
from wattkeeper.base.core.errors import BadRequestError

SOMEONE = Caller(tenant_id=1, above_tenants=False, identity="test:1", name="test")
NAMES = (
    "search",
    "site",
    "type",
    "fresh",
    "sort",
    "min_soc",
    "max_soc",
    "min_speed",
    "max_odometer",
    "below_soc",
    "below_speed",
    "shift_state",
    "page",
)
GOOD = {
    "fresh": ["now", "stale", "never"],
    "sort": ["key", "-name", "site", "-at", "soc", "-speed", "shift_state"],
    "shift_state": ["P", "D"],
}


@pytest.fixture
def fleet(tenant: Tenant) -> Caller:
    """Five vehicles of `tenant`, and someone who may look at them."""
    vehicle(tenant, "a", minutes_ago=1, soc=10, speed=None, site="Nord", name="Zed", shift_state="D")
    vehicle(tenant, "b", minutes_ago=14.9, soc=20, speed=30.5, site="Nord", shift_state=None)
    vehicle(tenant, "c", minutes_ago=15, soc=20, speed=0.0, site="nord", type="Van")
    vehicle(tenant, "d", minutes_ago=9_000, soc=None, speed=99.0, name="50%")
    vehicle(tenant, "e", name="Bus_1")
    return in_tenant(tenant)


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, "abcde"),
        ({"search": "B"}, "be"),
        ({"search": " zed "}, "a"),
        ({"search": "%"}, "d"),
        ({"search": "s_1"}, "e"),
        ({"search": "_"}, "e"),
        ({"search": "\\"}, ""),
        ({"site": "Nord"}, "ab"),
        ({"site": "Nor"}, ""),
        ({"type": "Van"}, "c"),
        ({"type": "van"}, ""),
        ({"fresh": "now"}, "ab"),
        ({"fresh": "stale"}, "cd"),
        ({"fresh": "never"}, "e"),
        ({"min_soc": "20"}, "bc"),
        ({"max_soc": "19.5"}, "a"),
        ({"min_soc": "10.5", "max_soc": "20.5"}, "bc"),
        ({"min_speed": "1e1"}, "bd"),
        ({"max_speed": "30.5"}, "bc"),
        ({"max_speed": "-0.5"}, ""),
        ({"max_soc": "999999999999999", "min_soc": "-999999999999999"}, "abc"),
        ({"min_soc": "20", "max_soc": "10"}, ""),
        ({"below_soc": "20"}, "a"),
        ({"below_soc": "20.5"}, "abc"),
        ({"min_soc": "10", "below_soc": "20"}, "a"),
        ({"below_speed": "30.5"}, "c"),
        ({"below_speed": "30.5000001"}, "bc"),
        ({"shift_state": "P"}, "cd"),
        ({"fresh": "stale", "search": "c", "shift_state": "P", "max_speed": "0"}, "c"),
        ({"search": "", "site": " ", "fresh": "", "min_soc": "", "shift_state": "", "sort": "", "tenant": ""}, "abcde"),
        ({"page": "x", "soc": "many", "unheard": "\0", "minimum": "3"}, "abcde"),
    ],
)
def test_parameters_choose_the_things(parameters: Mapping[str, str], found: str, fleet: Caller) -> None:
    assert "".join(keys(fleet, **parameters)) == found


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("key", "abcde"),
        ("-key", "edcba"),
        ("name", "deabc"),  # what has no name comes last
        ("-name", "aedbc"),
        ("site", "abcde"),
        ("-site", "cabde"),
        ("at", "dcbae"),
        ("-at", "abcde"),
        ("soc", "abcde"),
        ("-soc", "bcade"),
        ("speed", "cbdae"),
        ("-speed", "dbcae"),
        ("shift_state", "acdbe"),
        ("-shift_state", "cdabe"),
    ],
)
def test_a_list_is_sorted_with_the_unknown_last_and_ties_by_key(sort: str, order: str, fleet: Caller) -> None:
    assert "".join(keys(fleet, sort=sort)) == order


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("search", "a\0b"),
        ("search", "x" * 201),
        ("site", "\ud800"),
        ("fresh", "old"),
        ("fresh", "NOW"),
        *(("min_soc", text) for text in ("x", "nan", "inf", "1,5", "1_0", "0x1", "1e99", "9" * 5_000, "٣", "--1")),
        ("max_shift_state", "P"),
        ("min_nothing", ""),
        ("max_", "1"),
        ("below_nothing", "1"),
        ("below_soc", "x"),
        ("shift_state", "X"),
        ("shift_state", "p"),
        ("sort", "soc,key"),
        ("sort", "--soc"),
        ("sort", "tenant__name"),
        ("tenant", "nowhere"),
        ("tenant", "no slug\0"),
    ],
)
def test_what_cannot_be_understood_is_named(name: str, text: str, fleet: Caller) -> None:
    with pytest.raises(BadRequestError) as caught:
        keys(fleet, **{name: text})
    assert caught.value.field == name


def test_of_several_values_the_last_counts(tenant: Tenant) -> None:
    found = filter_of({"search": ["a", "b"], "site": []}, kind=kind(), caller=in_tenant(tenant))
    assert (found.search, found.site) == ("b", "")


def test_the_archived_and_other_kinds_are_not_there(fleet: Caller, tenant: Tenant) -> None:
    Asset.objects.filter(key="a").update(archived_at=NOON)
    Asset.objects.filter(key="b").update(kind="battery")
    assert keys(fleet) == ["c", "d", "e"]


class TestWhose:
    def test_everyone_sees_their_own_tenants(
        self, owner: Person, colleague: Person, stranger: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        vehicle(tenant, "ours")
        vehicle(other_tenant, "theirs")
        assert keys(caller_of_user(owner.user)) == ["ours"]
        assert keys(caller_of_user(colleague.user), tenant="north") == ["ours"]
        assert keys(caller_of_user(stranger.user)) == ["theirs"]
        with pytest.raises(BadRequestError, match="no such tenant"):
            keys(caller_of_user(stranger.user), tenant="north")

    def test_above_tenants_all_are_seen_or_those_of_one(
        self, superuser: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        for whose in (tenant, other_tenant):
            vehicle(whose, "same", minutes_ago=1)
        root = caller_of_user(superuser.user)
        assert [str(asset.tenant) for asset in asked(root, sort="soc").assets(now=NOON)] == ["north", "south"]
        assert [str(asset.tenant) for asset in asked(root, tenant="south").assets(now=NOON)] == ["south"]
        assert asked(root, tenant="south").query() == "tenant=south"

    def test_nobody_sees_nothing(self) -> None:
        with pytest.raises(PermissionDenied):
            asked(NOBODY)


class TestLinks:
    def test_a_filter_says_its_parameters_and_no_more(self) -> None:
        parameters = {"search": " a&b ", "min_soc": "19.5", "max_speed": "0.50", "sort": "-at", "page": "3", "site": ""}
        found = asked(SOMEONE, **parameters)
        assert found.describe() == {"search": "a&b", "min_soc": "20", "max_speed": "0.5", "sort": "-at"}
        assert found.query() == "search=a%26b&min_soc=20&max_speed=0.5&sort=-at"
        assert found.query(sort="soc", search=None, page="2") == "min_soc=20&max_speed=0.5&sort=soc&page=2"
        assert asked(SOMEONE, sort="key").query() == ""


class TestStates:
    def test_a_page_and_its_states_are_one_question(
        self, fleet: Caller, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            page = list(asked(fleet, sort="-soc").assets(now=NOON)[:50])
            states = [state_of(asset, kind()) for asset in page]
        assert states[0] == {"at": page[0].vehicle_state.at, "speed": 30.5, "odometer": 1.0, "soc": 20,
                             "elevation": 0.0, "shift_state": None}  # fmt: skip
        assert states[-1] is None

    def test_above_tenants_whose_each_is_comes_with_the_page(
        self, fleet: Caller, superuser: Person, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        root = caller_of_user(superuser.user)
        with django_assert_num_queries(1):
            page = list(asked(root, sort="-soc").assets(now=NOON))
            assert [str(asset.tenant) for asset in page] == ["north"] * 5

    @pytest.mark.parametrize("parameters", [{"sort": "soc"}, {"sort": "-at"}, {"max_soc": "20", "sort": "soc"}])
    @pytest.mark.parametrize("above", [False, True])
    def test_a_large_fleet_is_sorted_in_the_order_in_which_it_lies(
        self, parameters: dict[str, str], above: bool, fleet: Caller, superuser: Person
    ) -> None:
        caller = caller_of_user(superuser.user) if above else fleet
        assert "asset_in_use" in asked(caller, **parameters).assets(now=NOON)[:50].explain()

    def test_the_states_channels_are_as_declared(self) -> None:
        assert [channel.name for channel in state_channels(kind())] == [
            "speed", "odometer", "soc", "elevation", "shift_state"
        ]  # fmt: skip


def texts_for(name: str) -> st.SearchStrategy[str]:
    numbers = st.one_of(st.floats().map(repr), st.integers().map(str))
    return st.one_of(st.text(), numbers, st.sampled_from(GOOD.get(name, ["1", "-2.5e3"])))


PARAMETERS = st.lists(
    st.one_of(st.sampled_from(NAMES), st.text()).flatmap(
        lambda name: st.tuples(st.just(name), st.lists(texts_for(name), max_size=2))
    ),
    max_size=6,
).map(dict)


@given(parameters=PARAMETERS)
def test_whatever_is_asked_is_understood_or_named(parameters: Mapping[str, Sequence[str]]) -> None:
    _understood(parameters)


@given(parameters=st.fixed_dictionaries({}, optional={name: st.lists(texts_for(name), max_size=1) for name in NAMES}))
def test_what_a_filter_says_of_itself_means_the_same(parameters: Mapping[str, Sequence[str]]) -> None:
    found = _understood(parameters)
    if found is not None:
        assert filter_of(parse_qs(found.query()), kind=kind(), caller=SOMEONE) == found


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parameters=st.fixed_dictionaries({}, optional={name: st.lists(texts_for(name), max_size=1) for name in NAMES}))
def test_what_is_understood_can_be_asked_of_the_database(parameters: Mapping[str, Sequence[str]], db: Any) -> None:
    found = _understood(parameters)
    if found is not None:
        assert list(found.assets(now=NOON)[:1]) == []


def _understood(parameters: Mapping[str, Sequence[str]]) -> Any:
    """The filter; None where it is refused, by a parameter's name."""
    try:
        return filter_of(parameters, kind=kind(), caller=SOMEONE)
    except BadRequestError as error:
        assert error.field in {name[:100] for name in parameters}
        return None
