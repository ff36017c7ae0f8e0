"""One route: which alerts are told through which channel, and the form that changes it."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller, tenant_for_write
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.queries import sites_of
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.flow.notify.actions import route_add, route_change, route_remove
from wattkeeper.flow.notify.models import Route
from wattkeeper.flow.notify.queries import channels_of, route_by_id
from wattkeeper.flow.notify.route_fields import fields_of
from wattkeeper.views.dashboard.forms import done, posted
from wattkeeper.views.dashboard.pages.notifications import EDIT, listed, route_rows, switched
from wattkeeper.views.dashboard.pages.notify_forms import RouteForm


@EDIT
def route_new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The empty form; POST adds the route. Without a channel there is nowhere to lead to."""
    tenant = tenant_for_write(caller, request.GET.get("tenant"))
    if not channels_of(tenant.pk).exists():
        messages.info(request, "There is no channel yet: a route leads to one.")
        return redirect("notifications")
    form = _form(request, tenant)

    def add() -> None:
        route_add(tenant=tenant, fields=form.route_fields(enabled=True), actor=caller.identity)

    if request.method == "POST" and done(form, add):
        messages.success(request, "The route is added, and holds for what happens from now on.")
        return redirect("notifications")
    context = {"form": form, "save_url": request.get_full_path()}
    return render(request, "wattkeeper/notifications/route.html", context, status=422 if form.is_bound else 200)


@EDIT
def route(request: HttpRequest, caller: Caller, route_id: int) -> HttpResponse:
    """The route; POST changes it."""
    found = _known(caller, route_id)
    form = _form(request, found.tenant, route=found)

    def change() -> None:
        route_change(found, fields=form.route_fields(enabled=found.enabled), actor=caller.identity)

    if request.method == "POST" and done(form, change):
        messages.success(request, "Saved.")
        return redirect("route", route_id)
    context = {"form": form, "row": route_rows([found])[0], "save_url": reverse("route", args=[found.pk])}
    return render(request, "wattkeeper/notifications/route.html", context, status=422 if form.is_bound else 200)


@EDIT
def route_switch(request: HttpRequest, caller: Caller, route_id: int) -> HttpResponse:
    """POST `enabled=on` or `enabled=off`; a list gets the routes, a page of its own itself anew."""
    found = _known(caller, route_id)
    if request.method != "POST":
        return redirect("route", route_id)
    enabled = switched(request)
    if enabled != found.enabled:
        route_change(found, fields=replace(fields_of(found), enabled=enabled), actor=caller.identity)
    if "HX-Request" in request.headers:
        return render(request, "wattkeeper/notifications/routes.html", listed(request, caller))
    messages.success(request, f"The route is switched {request.POST['enabled']}.")
    return redirect("route", route_id)


@EDIT
def route_end(request: HttpRequest, caller: Caller, route_id: int) -> HttpResponse:
    """POST takes the route away."""
    found = _known(caller, route_id)
    if request.method != "POST":
        return redirect("route", route_id)
    route_remove(found, actor=caller.identity)
    messages.success(request, "The route is removed.")
    return redirect("notifications")


def _known(caller: Caller, route_id: int) -> Route:
    found = route_by_id(route_id, tenant_id=caller.tenant_id)
    if found is None:
        raise NotFoundError("There is no such route, or it is not yours.")
    return found


def _form(request: HttpRequest, tenant: Tenant, *, route: Route | None = None) -> RouteForm:
    """Bound to what is sent; else filled with the route, or leading to the channel that the address names."""
    return RouteForm(
        posted(request),
        channels=list(channels_of(tenant.pk)),
        sites=sites_of(tenant.pk),
        zone=tenant.time_zone,
        route=route,
        channel=request.GET.get("channel", ""),
    )
