"""Django admin, whatever is registered there: with search, filters, and to each admin their own."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from tests.people import Person
from wattkeeper.base.accounts.admin import TenantAdmin

OURS = [model for model in apps.get_models() if model.__module__.startswith("wattkeeper.")]
REGISTERED = list(admin.site._registry)


def label(model: Any) -> str:
    return str(model._meta.label)


@pytest.mark.parametrize("model", OURS, ids=label)
def test_every_model_is_registered_with_search_and_filters(model: Any) -> None:
    model_admin = admin.site._registry[model]
    assert model_admin.search_fields
    assert model_admin.list_filter


@pytest.mark.parametrize("model", REGISTERED, ids=label)
def test_what_a_tenants_admin_may_open_is_limited_to_the_tenant(model: Any, owner: Person) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    may_open = owner.session.get(url).status_code == 200
    assert may_open == isinstance(admin.site._registry[model], TenantAdmin)


@pytest.mark.parametrize("model", REGISTERED, ids=label)
def test_a_superuser_may_open_and_search_everything(model: Any, superuser: Person) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert superuser.session.get(url, {"q": "north"}).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "operator", "manager"])
def test_only_admins_enter_django_admin(role: str, make_person: Any) -> None:
    response = make_person(role).session.get("/admin/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
