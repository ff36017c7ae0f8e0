"""The people of a tenant: who they are, what they may, and whether they still do."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import BooleanField, CharField, ChoiceField, EmailField, Form, PasswordInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from wattkeeper.base.accounts.actions import check_may_change, password_set, user_add_by, user_change
from wattkeeper.base.accounts.callers import Caller, caller_of_user, roles_given_by, tenant_for_write
from wattkeeper.base.accounts.matrix import Action, Role
from wattkeeper.base.accounts.models import User
from wattkeeper.base.accounts.queries import audit_of, names_of, user_by_id, users_of
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.views.dashboard.forms import done, posted
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.scope import scope_of

ROWS = 50
TRAIL_SHOWN = 20
MANAGE = page(read=Action.OPERATOR_ADD, write=Action.OPERATOR_ADD)
ROLE_MEANS = {
    Role.VIEWER: "looks",
    Role.OPERATOR: "looks, and works at what is assigned to them",
    Role.MANAGER: "imports, edits, adds viewers and operators",
    Role.ADMIN: "may all in the tenant: people, API keys, settings",
}


class PersonForm(Form):
    """Of someone who is there. The roles are those that the caller may give."""

    first_name = CharField(max_length=150, required=False)
    last_name = CharField(max_length=150, required=False)
    email = EmailField(required=False)
    role = ChoiceField()
    is_active = BooleanField(required=False, label="May log in")

    def __init__(self, *args: Any, caller: Caller, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = roles_given_by(caller)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.value, f"{role.label}: {ROLE_MEANS[role]}") for role in Role if role in given
        ]


class NewPersonForm(PersonForm):
    """Of someone new."""

    field_order = ("username", "password", "role", "email")
    username = CharField(max_length=150)
    password = CharField(widget=PasswordInput(attrs={"autocomplete": "new-password"}), strip=False)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    is_active = None  # type: ignore[assignment]


class NewPasswordForm(Form):
    """For somebody else."""

    new = CharField(
        label="New password",
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="Ends their sessions. Tell it to them on a way that you trust.",
    )


@MANAGE
def people(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The list; POST adds someone, from the dialog."""
    form = NewPersonForm(posted(request), caller=caller, initial={"role": Role.VIEWER.value})

    def add() -> None:
        tenant = tenant_for_write(caller, request.GET.get("tenant"))
        told = form.cleaned_data
        user_add_by(
            caller,
            tenant=tenant,
            name=told["username"],
            password=told["password"],
            role=Role(told["role"]),
            email=told["email"],
        )

    if request.method == "POST" and done(form, add):
        messages.success(request, f"{form.cleaned_data['username']} is added and can log in.")
        return redirect(request.get_full_path())
    scope, search = scope_of(request, caller), request.GET.get("search", "").replace("\0", "").strip()
    found = users_of(caller, tenant_id=scope.tenant_id, search=search)
    context = {
        "page": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "search": search.replace("\0", "").strip(),
        "show_tenant": caller.above_tenants,
        "form": form,
    }
    return render(request, "wattkeeper/people.html", context, status=422 if form.is_bound else 200)


@MANAGE
def person(request: HttpRequest, caller: Caller, user_id: int) -> HttpResponse:
    """One of them; POST changes them."""
    user = _known(caller, user_id)
    check_may_change(caller, user)
    told = {name: getattr(user, name) for name in ("first_name", "last_name", "email", "role", "is_active")}
    form = PersonForm(posted(request), caller=caller, initial=told)
    if caller.identity == caller_of_user(user).identity:
        for name in ("role", "is_active"):
            form.fields[name].disabled = True
            form.fields[name].help_text = "Nobody changes this for themselves."

    def change() -> None:
        values = {**form.cleaned_data, "role": Role(form.cleaned_data["role"])}
        user_change(user, by=caller, **values)

    if request.method == "POST" and done(form, change):
        messages.success(request, "Saved.")
        return redirect(request.path)
    return _person_page(request, caller, user, form=form, password=NewPasswordForm())


@MANAGE
def person_password(request: HttpRequest, caller: Caller, user_id: int) -> HttpResponse:
    """POST gives someone a new password."""
    user = _known(caller, user_id)
    form = NewPasswordForm(posted(request))
    if request.method != "POST" or done(form, lambda: password_set(user, new=form.cleaned_data["new"], by=caller)):
        if request.method == "POST":
            messages.success(request, f"{user.username} has a new password.")
        return redirect("person", user_id)
    told = {name: getattr(user, name) for name in ("first_name", "last_name", "email", "role", "is_active")}
    return _person_page(request, caller, user, form=PersonForm(caller=caller, initial=told), password=form)


def _known(caller: Caller, user_id: int) -> User:
    user = user_by_id(user_id, caller=caller)
    if user is None:
        raise NotFoundError("There is no such person.")
    return user


def _person_page(
    request: HttpRequest, caller: Caller, user: User, *, form: PersonForm, password: NewPasswordForm
) -> HttpResponse:
    trail = list(audit_of(caller, about=f"user:{user.pk}")[:TRAIL_SHOWN])
    names = names_of(entry.actor for entry in trail)
    context = {
        "person": user,
        "form": form,
        "password_form": password,
        "is_self": caller.identity == caller_of_user(user).identity,
        "trail": [(entry, names[entry.actor]) for entry in trail],
    }
    status = 422 if form.is_bound or password.is_bound else 200
    return render(request, "wattkeeper/person.html", context, status=status)
