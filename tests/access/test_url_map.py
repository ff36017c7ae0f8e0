"""The guard is guarded: it finds what it is there to find."""

from __future__ import annotations

import pytest

from tests.access import url_map
from tests.access.url_map import Endpoint
from tests.people import Person

pytestmark = pytest.mark.urls("tests.access.leaky_urls")


@pytest.fixture
def leaky() -> dict[str, Endpoint]:
    return {one.route.split("/")[0]: one for one in url_map.endpoints() if not one.route.startswith("admin")}


def test_the_walk_fills_in_path_parameters(leaky: dict[str, Endpoint]) -> None:
    assert leaky["right"].path() == "/right/1/"
    assert leaky["right"].path(pk="7") == "/right/7/"
    assert leaky["page"].path() == "/page/00000000-0000-0000-0000-000000000001/"
    assert all(url_map.resolves_to_itself(one) for one in leaky.values())


def test_an_open_view_and_an_open_page_are_found(leaky: dict[str, Endpoint], tenant: object) -> None:
    assert url_map.faults_without_credentials(leaky["right"]) == []
    assert url_map.faults_without_credentials(leaky["page"])


def test_a_view_without_the_permission_or_an_action_is_found(leaky: dict[str, Endpoint]) -> None:
    assert url_map.faults_of_declaration(leaky["right"]) == []
    assert url_map.faults_of_declaration(leaky["open"]) == ["open/<int:pk>/: OpenView does not ask MayAct"]
    assert url_map.faults_of_declaration(leaky["leaky"]) == ["leaky/<int:pk>/: no action for POST"]


def test_an_object_that_is_shown_to_a_stranger_is_found(
    leaky: dict[str, Endpoint], owner: Person, stranger: Person
) -> None:
    pk = str(owner.user.tenant_id)
    right, wrong = leaky["right"], leaky["leaky"]
    assert owner.jwt.get(right.path(pk=pk)).status_code == 200
    assert url_map.faults_for_stranger(right, right.path(pk=pk), stranger.jwt) == []
    assert f"GET /leaky/{pk}/: 200" in url_map.faults_for_stranger(wrong, wrong.path(pk=pk), stranger.jwt)
