"""One's own profile and password, and the settings of one's tenant."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.forms import CharField, EmailField, Form, PasswordInput, TextInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from wattkeeper.base.accounts.actions import password_change, profile_change, tenant_change
from wattkeeper.base.accounts.callers import Caller, tenant_named
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import Tenant, User, time_zones
from wattkeeper.base.accounts.queries import tenant_of, tenants_for
from wattkeeper.views.dashboard.forms import done, posted
from wattkeeper.views.dashboard.guard import page

OWN = page(read=Action.READ, write=Action.READ)


class ProfileForm(Form):
    """What people say of themselves."""

    first_name = CharField(max_length=150, required=False)
    last_name = CharField(max_length=150, required=False)
    email = EmailField(required=False)


class PasswordForm(Form):
    """Whoever gives themselves a new password knows the old one."""

    old = CharField(label="Old password", widget=PasswordInput(attrs={"autocomplete": "current-password"}), strip=False)
    new = CharField(
        label="New password",
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="At least eight characters; neither a common one, nor like your name, nor digits alone.",
    )


class TenantForm(Form):
    """What a tenant's admin decides for all its people."""

    name = CharField(max_length=200)
    time_zone = CharField(
        max_length=64,
        widget=TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        help_text="In which all times are shown, such as Europe/Berlin.",
    )


@OWN
def profile(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Who one is; POST changes it."""
    user = _self(request)
    told = {name: getattr(user, name) for name in ("first_name", "last_name", "email")}
    form = ProfileForm(posted(request), initial=told)
    change = lambda: profile_change(user, **form.cleaned_data, actor=caller.identity)  # noqa: E731
    if request.method == "POST" and done(form, change):
        messages.success(request, "Saved.")
        return redirect("profile")
    return _profile_page(request, form=form, password=PasswordForm())


@sensitive_post_parameters()
@OWN
def own_password(request: HttpRequest, caller: Caller) -> HttpResponse:
    """POST gives oneself a new password; this session goes on, all others end."""
    user, form = _self(request), PasswordForm(posted(request))
    change = lambda: password_change(user, **form.cleaned_data, actor=caller.identity)  # noqa: E731
    if request.method == "POST" and not done(form, change):
        return _profile_page(request, form=ProfileForm(initial=vars(user)), password=form)
    if request.method == "POST":
        update_session_auth_hash(request, user)
        messages.success(request, "Your password is changed. You are logged out everywhere else.")
    return redirect("profile")


@page(read=Action.ACCOUNT_MANAGE, write=Action.ACCOUNT_MANAGE)
def tenant_settings(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The tenant's settings; who stands above tenants chooses one first."""
    slug = request.GET.get("tenant", "")
    tenant: Tenant | None = tenant_named(caller, slug) if slug else tenant_of(caller)
    if tenant is None:
        return render(request, "wattkeeper/tenants.html", {"tenants": tenants_for(caller)})
    form = TenantForm(posted(request), initial={"name": tenant.name, "time_zone": tenant.time_zone})
    chosen = tenant
    change = lambda: tenant_change(chosen, **form.cleaned_data, actor=caller.identity)  # noqa: E731
    if request.method == "POST" and done(form, change):
        messages.success(request, "Saved.")
        return redirect(request.get_full_path())
    context = {"tenant": tenant, "form": form, "zones": sorted(time_zones())}
    return render(request, "wattkeeper/settings.html", context, status=422 if form.is_bound else 200)


def _self(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return User.objects.get(pk=request.user.pk)  # what stands in the request is a stand-in of it


def _profile_page(request: HttpRequest, *, form: ProfileForm, password: PasswordForm) -> HttpResponse:
    context = {"form": form, "password_form": password}
    status = 422 if form.is_bound or password.is_bound else 200
    return render(request, "wattkeeper/profile.html", context, status=status)
