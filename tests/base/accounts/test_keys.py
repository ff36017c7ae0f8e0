from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models.query import QuerySet

from tests.people import client_with, key_make
from wattkeeper.base.accounts import actions, keys
from wattkeeper.base.accounts.models import ApiKey, Tenant
from wattkeeper.base.core import clock

pytestmark = pytest.mark.urls("tests.access.leaky_urls")


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Set `monotonic["now"]` to move the time of the memory of keys."""
    time = {"now": 1000.0}
    monkeypatch.setattr(keys.time, "monotonic", lambda: time["now"])
    return time


def get(tenant: Tenant, authorization: str) -> Any:
    return client_with(authorization).get(f"/right/{tenant.pk}/")


def test_a_key_opens_its_tenant(tenant: Tenant) -> None:
    secret = key_make(tenant)
    assert get(tenant, f"Api-Key {secret}").json() == {"slug": "north"}
    assert get(tenant, f"api-key   {secret} ").status_code == 200, "schemes know no case"


def test_a_key_is_kept_as_a_digest_only(tenant: Tenant) -> None:
    secret = key_make(tenant)
    assert secret.startswith("wk_")
    key = ApiKey.objects.get()
    assert key.digest == keys.digest_of(secret)
    assert secret.startswith(key.prefix)
    assert not any(secret in str(value) for value in vars(key).values())


@pytest.mark.parametrize(
    "header",
    [
        "Api-Key",
        "Api-Key ",
        "Api-Key wk_",
        "Api-Key wk_" + "x" * 43,
        "Api-Key wk_" + "é" * 43,
        "Api-Key wk_" + "\0" * 43,
        "Api-Key " + "x" * 100_000,
        "Api-Key a b c",
    ],
)
def test_a_wrong_key_is_a_401_with_detail(header: str, tenant: Tenant) -> None:
    key_make(tenant)
    response = get(tenant, header)
    assert response.status_code == 401
    assert set(response.json()) == {"detail"}
    assert "Api-Key" in response["WWW-Authenticate"]


def test_a_key_that_differs_in_its_last_letter_is_wrong(tenant: Tenant) -> None:
    secret = key_make(tenant)
    twin = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    assert get(tenant, f"Api-Key {twin}").status_code == 401


def test_without_credentials_the_answer_is_401_and_not_403(tenant: Tenant) -> None:
    response = client_with("").get(f"/right/{tenant.pk}/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Api-Key")


def test_a_revoked_key_is_wrong_at_once_here(tenant: Tenant, django_capture_on_commit_callbacks: Any) -> None:
    secret = key_make(tenant)
    assert get(tenant, f"Api-Key {secret}").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        actions.key_revoke(key=ApiKey.objects.get(), actor="test")
    assert get(tenant, f"Api-Key {secret}").status_code == 401


def test_a_key_revoked_by_another_process_is_wrong_after_ten_seconds(
    tenant: Tenant, monotonic: dict[str, float]
) -> None:
    secret = key_make(tenant)
    assert get(tenant, f"Api-Key {secret}").status_code == 200
    ApiKey.objects.update(revoked_at=clock.now())
    monotonic["now"] += 9.9
    assert get(tenant, f"Api-Key {secret}").status_code == 200
    monotonic["now"] += 0.2
    assert get(tenant, f"Api-Key {secret}").status_code == 401


def test_a_remembered_key_asks_the_database_nothing(tenant: Tenant, django_assert_num_queries: Any) -> None:
    secret = key_make(tenant)
    assert keys.key_caller(secret) is not None
    with django_assert_num_queries(0):
        assert keys.key_caller(secret) is not None


def test_guesses_are_not_remembered(tenant: Tenant) -> None:
    for _ in range(100):
        assert keys.key_caller(keys.secret_new()) is None
    assert keys._remembered == {}


def test_the_last_use_is_written_at_most_once_a_minute(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = key_make(tenant)
    start = clock.now()
    seen = []
    for seconds in (0, 59, 61, 100):
        monkeypatch.setattr(clock, "now", lambda at=start + timedelta(seconds=seconds): at)
        keys.forget()
        assert keys.key_caller(secret)
        seen.append(ApiKey.objects.get().last_used_at)
    assert seen == [start, start, start + timedelta(seconds=61), start + timedelta(seconds=61)]


def test_a_database_that_cannot_be_written_turns_no_key_away(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> int:
        raise DatabaseError("database or disk is full")

    secret = key_make(tenant)
    monkeypatch.setattr(QuerySet, "update", full)
    assert keys.key_caller(secret) is not None
