"""Every page says what a browser may load and run with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.access import url_map
from tests.people import Person

PAGES = sorted({one.path() for one in url_map.endpoints() if not one.samples})
POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "connect-src": {"'self'"},
    "font-src": {"'self'"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
    "manifest-src": {"'self'"},
}


def policy_of(answer: Any) -> dict[str, set[str]]:
    directives = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {name: set(sources) for name, *sources in directives}


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_policy(path: str, superuser: Person, vehicle_store: object) -> None:
    for client in (Client(), superuser.session):
        policy = policy_of(client.get(path))
        assert policy["script-src"] == {"'self'"}
        assert "'unsafe-inline'" not in set().union(*policy.values())
        assert policy == POLICY


@pytest.mark.parametrize("path", ["/nothing/", "/api/nothing/"])
def test_so_does_an_answer_that_there_is_nothing(path: str, db: None) -> None:
    assert policy_of(Client().get(path)) == POLICY


def test_so_does_a_refusal_of_the_host(db: None) -> None:
    answer = Client().get("/login/", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, policy_of(answer)) == (400, POLICY)
