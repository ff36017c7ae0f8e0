"""API keys: how programs come in. A key's secret is shown once, on the page that follows its making."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import CharField, ChoiceField, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.actions import key_add, key_revoke
from wattkeeper.base.accounts.callers import Caller, tenant_for_write
from wattkeeper.base.accounts.matrix import Action, Scope
from wattkeeper.base.accounts.models import User
from wattkeeper.base.accounts.queries import key_by_id, keys_of
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.views.dashboard.forms import done, posted
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.scope import scope_of

ROWS = 50
MANAGE = page(read=Action.KEY_MANAGE, write=Action.KEY_MANAGE)
SCOPE_MEANS = {
    Scope.READ: "reads",
    Scope.INGEST: "sends readings and files",
    Scope.ADMIN: "may all that an admin may",
}


class KeyForm(Form):
    """Of a new key."""

    name = CharField(max_length=100, help_text="What it is for, such as “charging app”.")
    scope = ChoiceField(choices=[(scope.value, f"{scope.label}: {SCOPE_MEANS[scope]}") for scope in Scope])


@MANAGE
def keys(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The list; POST makes a key, and the page that answers shows its secret."""
    form = KeyForm(posted(request))
    made: dict[str, Any] = {}

    def add() -> None:
        assert isinstance(request.user, User)
        made["key"], made["secret"] = key_add(
            tenant=tenant_for_write(caller, request.GET.get("tenant")),
            name=form.cleaned_data["name"],
            scope=Scope(form.cleaned_data["scope"]),
            actor=caller.identity,
            created_by=request.user,
        )

    if request.method == "POST" and done(form, add):
        form = KeyForm()
    found = keys_of(caller, tenant_id=scope_of(request, caller).tenant_id)
    context = {
        **made,
        "page": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "show_tenant": caller.above_tenants,
        "form": form,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "wattkeeper/keys.html", context, status=422 if form.is_bound else 200)


@MANAGE
def key_end(request: HttpRequest, caller: Caller, key_id: int) -> HttpResponse:
    """POST revokes a key."""
    key = key_by_id(key_id, caller=caller)
    if key is None:
        raise NotFoundError("There is no such key.")
    if request.method == "POST":
        key_revoke(key=key, actor=caller.identity)
        messages.success(request, f"The key {key.name} is revoked: programs that use it are turned away.")
    return redirect(reverse("keys"))
