from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from tests.people import PASSWORD, Person

LOGIN = json.dumps({"username": "owner", "password": PASSWORD})


def test_a_post_without_the_slash_is_answered_and_not_redirected(owner: Person) -> None:
    assert Client().post("/user/login", LOGIN, content_type="application/json").status_code == 200


def test_so_it_is_under_an_asynchronous_server(owner: Person) -> None:
    async def ask() -> Any:
        return await AsyncClient().post("/user/login", LOGIN, content_type="application/json")

    assert async_to_sync(ask)().status_code == 200


def test_what_exists_neither_way_is_a_404(db: None) -> None:
    for missing in ("/nowhere", "/nowhere/", "/user/login//", "/user", "/%00", "/%ff"):
        assert Client().get(missing).status_code == 404


def echo(request: HttpRequest, **kwargs: str) -> HttpResponse:
    return HttpResponse(f"{request.path} {request.get_full_path()} {kwargs}")


urlpatterns = [path("both", echo), path("both/", echo), path("thing/<str:id>/", echo)]


@pytest.mark.urls(__name__)
def test_a_path_that_exists_as_it_is_stays_as_it_is(client: Client) -> None:
    assert client.get("/both").content == b"/both /both {}"
    assert client.get("/both/").content == b"/both/ /both/ {}"


@pytest.mark.urls(__name__)
def test_the_query_and_the_parameters_stay(client: Client) -> None:
    assert client.get("/thing/7?a=b").content == b"/thing/7/ /thing/7/?a=b {'id': '7'}"
