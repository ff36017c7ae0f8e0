from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.test import AsyncClient
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from tests.people import PASSWORD, Person, client_with

LOGIN, REFRESH = "/user/login/", "/user/token/refresh/"


def login(client: APIClient | None = None, name: str = "owner", password: str = PASSWORD, **extra: Any) -> Any:
    credentials = {"username": name, "password": password}
    return (client or APIClient()).post(LOGIN, credentials, format="json", **extra)


def test_a_name_and_a_password_become_tokens_that_open_the_api(owner: Person, settings: Any) -> None:
    path = f"/right/{owner.user.tenant_id}/"
    response = login()
    assert response.status_code == 200
    tokens = response.json()
    assert set(tokens) == {"access", "refresh"}
    settings.ROOT_URLCONF = "tests.access.leaky_urls"
    assert client_with(f"Bearer {tokens['access']}").get(path).status_code == 200
    assert client_with(f"Bearer {tokens['refresh']}").get(path).status_code == 401


def test_a_login_by_token_opens_no_session(owner: Person) -> None:
    response = login()
    assert not response.cookies
    assert not Session.objects.exists()
    owner.user.refresh_from_db()
    assert owner.user.last_login is not None


def test_forms_are_understood_as_well(owner: Person) -> None:
    response = APIClient().post(LOGIN, {"username": "owner", "password": PASSWORD}, format="multipart")
    assert response.status_code == 200


def test_a_wrong_password_an_unknown_name_and_a_deactivated_person_look_the_same(
    owner: Person, colleague: Person
) -> None:
    colleague.user.is_active = False
    colleague.user.save()
    answers = [login(password="wrong"), login(name="nobody"), login(name="colleague")]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert set(answers[0].json()) == {"detail"}


@pytest.mark.parametrize("password", [" leading-space-77 ", "ümläut-passwörd-€"])
def test_a_password_is_taken_as_it_is(owner: Person, password: str) -> None:
    owner.user.set_password(password)
    owner.user.save()
    assert login(password=password).status_code == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"username", "password"}),
        ({"username": "owner"}, {"password"}),
        ({"username": "", "password": ""}, {"username", "password"}),
        ({"username": None, "password": None}, {"username", "password"}),
        ({"username": ["owner"], "password": {"a": 1}}, {"username", "password"}),
        ({"username": True, "password": "x"}, {"username"}),
        ({"username": "a\0b", "password": "c\0d"}, {"username", "password"}),
        ({"username": "a" * 151, "password": "b" * 4097}, {"username", "password"}),
        ({"username": "\ud800", "password": "\udfff"}, {"username", "password"}),
        ([], {"non_field_errors"}),
        ("text", {"non_field_errors"}),
        (7, {"non_field_errors"}),
    ],
)
def test_malformed_credentials_are_a_400_that_names_the_fields(body: object, fields: set[str], db: None) -> None:
    response = APIClient().post(LOGIN, json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert set(response.json()) == fields


BROKEN = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"null", "application/json", 400),
    (b'{"username": NaN}', "application/json", 400),
    (b'{"username": "\xff\xfe"}', "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b'{"username": ' + b"9" * 10_000 + b"}", "application/json", 400),
    (b"{}", "application/json; charset=nonsense", 400),
    (b"{}", "application/json; charset=utf-16", 400),
    (b'"' + b"x" * (6 << 20) + b'"', "application/json", 413),
    (b"username=%00&password=%ff", "application/x-www-form-urlencoded", 400),
    (b"&".join(b"a%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded", 400),
    (b"username=" + b"x" * (6 << 20), "application/x-www-form-urlencoded", 413),
    (b"nonsense", "multipart/form-data", 400),
    (b"nonsense", "multipart/form-data; boundary=x", 400),
    (b"<a/>", "text/xml", 415),
    (b"x", "", 415),
]


@pytest.mark.parametrize(("body", "content_type", "status"), BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("path", [LOGIN, REFRESH])
def test_nothing_that_is_sent_is_a_500(path: str, body: bytes, content_type: str, status: int, db: None) -> None:
    response = APIClient().generic("POST", path, body, content_type=content_type)
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", [LOGIN, REFRESH])
def test_other_methods_are_a_405(path: str, db: None) -> None:
    for method in ("get", "put", "patch", "delete"):
        assert getattr(APIClient(), method)(path).status_code == 405


def test_wrong_credentials_in_the_header_do_not_stop_a_login(owner: Person) -> None:
    assert login(client_with("Bearer old.and.wrong")).status_code == 200
    assert login(client_with("Api-Key revoked")).status_code == 200


class TestTooMany:
    def guess(self, times: int, **how: Any) -> list[int]:
        return [login(password="wrong", **how).status_code for _ in range(times)]

    def test_the_tenth_wrong_password_is_a_429_and_the_right_one_waits_too(self, owner: Person) -> None:
        assert self.guess(10) == [401] * 9 + [429]
        response = login()
        assert response.status_code == 429
        assert set(response.json()) == {"detail"}
        assert 890 <= int(response["Retry-After"]) <= 900

    def test_trying_on_does_not_prolong_it(self, owner: Person) -> None:
        self.guess(10)
        AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=10))
        assert self.guess(3) == [429] * 3
        assert int(login()["Retry-After"]) <= 300
        AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=6))
        assert login().status_code == 200

    def test_another_name_and_another_address_go_on(self, owner: Person, colleague: Person) -> None:
        self.guess(10)
        assert login(name="colleague").status_code == 200
        assert login(REMOTE_ADDR="192.0.2.7").status_code == 200

    def test_a_header_does_not_make_another_address(self, owner: Person) -> None:
        for n in range(10):
            login(password="wrong", HTTP_X_FORWARDED_FOR=f"192.0.2.{n}", HTTP_USER_AGENT=f"agent {n}")
        assert login().status_code == 429

    def test_a_success_forgives(self, owner: Person) -> None:
        assert self.guess(9) == [401] * 9
        assert login().status_code == 200
        assert self.guess(9) == [401] * 9

    def test_all_doors_count_together(self, owner: Person) -> None:
        form = {"username": "owner", "password": "wrong", "next": "/admin/"}
        for _ in range(5):
            assert APIClient().post("/admin/login/", form, format="multipart").status_code == 200
        assert self.guess(5) == [401] * 4 + [429]
        page = APIClient().post("/admin/login/", {**form, "password": PASSWORD}, format="multipart")
        assert page.status_code == 429
        assert page["Content-Type"].startswith("text/plain")
        assert int(page["Retry-After"]) > 0

    def test_it_is_the_same_under_an_asynchronous_server(self, owner: Person) -> None:
        self.guess(10)

        async def ask() -> Any:
            body = json.dumps({"username": "owner", "password": PASSWORD})
            return await AsyncClient().post(LOGIN, body, content_type="application/json")

        response = async_to_sync(ask)()
        assert response.status_code == 429
        assert set(response.json()) == {"detail"}
        assert int(response["Retry-After"]) > 0


def refresh(token: object) -> Any:
    return APIClient().post(REFRESH, {"refresh": token}, format="json")


def test_a_refresh_token_becomes_an_access_token(owner: Person) -> None:
    response = refresh(login().json()["refresh"])
    assert response.status_code == 200
    assert set(response.json()) == {"access"}
    assert AccessToken(response.json()["access"])["user_id"] == str(owner.user.pk)


def test_a_bad_token_is_a_401(owner: Person) -> None:
    stale = RefreshToken.for_user(owner.user)
    stale.set_exp(lifetime=-timedelta(seconds=1))
    access = AccessToken.for_user(owner.user)
    good = str(RefreshToken.for_user(owner.user))
    for bad in (
        "x",
        "a.b.c",
        good[:-2],
        good + "x",
        str(stale),
        str(access),
        5,
        "é",
        "eyJhbGciOiJub25lIn0.e30.",
    ):
        response = refresh(bad)
        assert response.status_code == 401, bad
        assert set(response.json()) == {"detail"}


@pytest.mark.parametrize("bad", [None, "", [], {}, True, "x" * 5000, "a\0b", "\ud800"])
def test_what_is_no_token_at_all_is_a_400(bad: object, db: None) -> None:
    response = APIClient().post(REFRESH, json.dumps({"refresh": bad}), content_type="application/json")
    assert response.status_code == 400
    assert set(response.json()) == {"refresh"}


def test_the_token_of_who_is_deactivated_or_gone_is_a_401(owner: Person, colleague: Person) -> None:
    theirs, mine = (str(RefreshToken.for_user(person.user)) for person in (colleague, owner))
    colleague.user.is_active = False
    colleague.user.save()
    owner.user.delete()
    assert refresh(theirs).status_code == 401
    assert refresh(mine).status_code == 401


@pytest.mark.urls("tests.access.leaky_urls")
def test_a_new_password_ends_the_old_ones_tokens(owner: Person) -> None:
    client, path = owner.jwt, f"/right/{owner.user.tenant_id}/"
    assert client.get(path).status_code == 200
    owner.user.set_password("another-horse-77")
    owner.user.save()
    assert client.get(path).status_code == 401
