"""The matrix, walked: everyone who can knock, at every action."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import NOBODY, Caller, roles_given_by
from wattkeeper.base.accounts.permissions import MATRIX, Action, Role, Scope

A = Action
EVERYTHING_IN_A_TENANT = {
    A.READ,
    A.INGEST,
    A.STATUS_UPDATE,
    A.FOLLOW,
    A.ASSET_EDIT,
    A.ALERT_ACT,
    A.ALERT_RESOLVE,
    A.RULE_EDIT,
    A.NOTIFY_EDIT,
    A.CHANNEL_EDIT,
    A.OPERATOR_ADD,
    A.ACCOUNT_MANAGE,
    A.KEY_MANAGE,
}
#  who, above tenants -> what they may
MAY: dict[tuple[Role | Scope, bool], set[Action]] = {
    (Role.VIEWER, False): {A.READ, A.FOLLOW},
    (Role.OPERATOR, False): {A.READ, A.STATUS_UPDATE, A.FOLLOW, A.ALERT_ACT},
    (Role.MANAGER, False): EVERYTHING_IN_A_TENANT - {A.CHANNEL_EDIT, A.ACCOUNT_MANAGE, A.KEY_MANAGE},
    (Role.ADMIN, False): EVERYTHING_IN_A_TENANT,
    (Scope.READ, False): {A.READ, A.FOLLOW},
    (Scope.INGEST, False): {A.INGEST, A.STATUS_UPDATE, A.FOLLOW},
    (Scope.ADMIN, False): EVERYTHING_IN_A_TENANT,
    (Role.ADMIN, True): {*EVERYTHING_IN_A_TENANT, A.SYNC_LAKE},  # a superuser
    (Scope.READ, True): {A.READ, A.FOLLOW},
    (Scope.INGEST, True): {A.INGEST, A.STATUS_UPDATE, A.FOLLOW, A.SYNC_LAKE},
    (Scope.ADMIN, True): {*EVERYTHING_IN_A_TENANT, A.SYNC_LAKE},
}


def caller(who: Role | Scope, *, above: bool) -> Caller:
    return Caller(
        tenant_id=None if above else 1,
        above_tenants=above,
        identity="test:1",
        name="test",
        role=who if isinstance(who, Role) else None,
        scope=who if isinstance(who, Scope) else None,
    )


def ask(view: type[APIView], someone: Caller | None, method: str = "POST") -> int:
    request = APIRequestFactory().generic(method, "/")
    if someone is not None:
        force_authenticate(request, user=None, token=someone)  # type: ignore[arg-type]
    status: int = view.as_view()(request).status_code
    return status


def view_with(actions: dict[str, Action] | None, *methods: str) -> type[APIView]:
    def answer(self: APIView, request: Request) -> Response:
        return Response()

    body: dict[str, Any] = {method.lower(): answer for method in methods}
    if actions is not None:
        body["actions"] = actions
    return type("TestView", (APIView,), body)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("who", "above"), MAY, ids=lambda one: f"{type(one).__name__}-{one}")
def test_everyone_may_exactly_what_the_matrix_says(who: Role | Scope, above: bool, action: Action) -> None:
    allowed = action in MAY[who, above]
    assert caller(who, above=above).may(action) is allowed
    assert ask(view_with({"POST": action}, "POST"), caller(who, above=above)) == (200 if allowed else 403)


EVERYONE = set(Role)
BELOW_MANAGERS = {Role.VIEWER, Role.OPERATOR}
#  who, above tenants -> the roles that they may give, and of whom they may change things
GIVES: dict[tuple[Role | Scope, bool], set[Role]] = {
    (Role.MANAGER, False): BELOW_MANAGERS,
    (Role.ADMIN, False): EVERYONE,
    (Scope.ADMIN, False): EVERYONE,
    (Role.ADMIN, True): EVERYONE,
    (Scope.ADMIN, True): EVERYONE,
}


@pytest.mark.parametrize(("who", "above"), MAY, ids=lambda one: f"{type(one).__name__}-{one}")
def test_everyone_gives_exactly_the_roles_that_they_may(who: Role | Scope, above: bool) -> None:
    assert roles_given_by(caller(who, above=above)) == GIVES.get((who, above), set())


def test_nobody_gives_no_role() -> None:
    assert roles_given_by(NOBODY) == set()


def test_every_action_has_its_row() -> None:
    assert set(MATRIX) == set(Action)
    assert set(MAY) >= {(one, False) for one in (*Role, *Scope)}


@pytest.mark.parametrize("action", Action)
def test_nobody_may_nothing(action: Action) -> None:
    assert not NOBODY.may(action)
    assert ask(view_with({"POST": action}, "POST"), None) == 401


def test_a_view_that_declares_nothing_is_closed() -> None:
    superuser = caller(Role.ADMIN, above=True)
    assert ask(view_with(None, "GET", "POST"), superuser, "GET") == 403
    assert ask(view_with({}, "GET", "POST"), superuser, "POST") == 403
    assert ask(view_with({"GET": Action.READ}, "GET", "POST"), superuser, "POST") == 403


def test_head_and_options_are_like_get() -> None:
    view = view_with({"GET": Action.READ, "POST": Action.INGEST}, "GET", "POST")
    for method in ("GET", "HEAD", "OPTIONS"):
        assert ask(view, caller(Role.VIEWER, above=False), method) == 200
        assert ask(view, caller(Scope.INGEST, above=False), method) == 403


def test_a_method_that_no_one_has_is_405_to_who_is_known_and_401_to_others() -> None:
    view = view_with({"GET": Action.READ}, "GET")
    assert ask(view, caller(Role.VIEWER, above=False), "DELETE") == 405
    assert ask(view, None, "DELETE") == 401


def test_a_view_can_let_an_ingest_key_read_what_it_sent() -> None:
    view = view_with({"GET": Action.INGEST}, "GET")
    assert ask(view, caller(Scope.INGEST, above=False), "GET") == 200
    assert ask(view, caller(Scope.READ, above=False), "GET") == 403
