"""One channel: where it leads, how it has been doing, and the form that changes it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller, tenant_for_write
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.core.errors import BadRequestError, ConflictError, NotFoundError
from wattkeeper.flow.notify.actions import channel_add, channel_change, channel_enable, channel_remove, channel_test
from wattkeeper.flow.notify.channel_settings import type_of
from wattkeeper.flow.notify.channels.declared import ChannelType, SettingField, Settings
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.models import NotifyChannel
from wattkeeper.flow.notify.queries import channel_by_id, notifications_of, routes_of
from wattkeeper.views.dashboard.forms import done, gone_to, posted
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.messages import message_row, message_rows
from wattkeeper.views.dashboard.pages.notifications import (
    CHANNEL_EDIT,
    EDIT,
    channel_rights,
    channel_rows,
    listed,
    route_rows,
    routes_page,
    switched,
)
from wattkeeper.views.dashboard.pages.notify_forms import ChannelForm

NEWEST = 5  # messages on the page of a channel


@page(read=Action.CHANNEL_EDIT, write=Action.CHANNEL_EDIT)
def notify_channel_new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The empty form of the type that the address names; POST adds the channel."""
    kind, tenant = _kind(request), tenant_for_write(caller, request.GET.get("tenant"))
    form = ChannelForm(posted(request), tenant_id=tenant.pk, kind=kind)
    made: list[NotifyChannel] = []

    def add() -> None:
        name, settings = form.cleaned_data["name"], form.settings()
        made.append(channel_add(tenant=tenant, type=kind.name, name=name, settings=settings, actor=caller.identity))

    if request.method == "POST" and done(form, add, tells_conflicts=True):
        messages.success(request, f"{made[0].name} is added. Send a test, to see whether it arrives.")
        return gone_to(request, reverse("notify-channel", args=[made[0].pk]))
    context = {"form": form, "kind": kind, "save_url": request.get_full_path()}
    return render(request, "wattkeeper/notifications/channel.html", context, status=422 if form.is_bound else 200)


@CHANNEL_EDIT
def notify_channel(request: HttpRequest, caller: Caller, channel_id: int) -> HttpResponse:
    """The channel, with its form for whom that is; POST changes it."""
    found = channel_known(caller, channel_id)
    form = ChannelForm(posted(request), tenant_id=found.tenant_id, kind=type_of(found.type), channel=found)

    def change() -> None:
        settings = form.settings() if type_of(found.type) else None
        channel_change(found, name=form.cleaned_data["name"], settings=settings, actor=caller.identity)

    if request.method == "POST" and done(form, change, tells_conflicts=True):
        messages.success(request, "Saved.")
        return gone_to(request, reverse("notify-channel", args=[channel_id]))
    newest = notifications_of(found.tenant_id, channel_id=found.pk)[:NEWEST]
    routes = routes_page(request, routes_of(found.tenant_id, channel_id=found.pk))
    context: dict[str, Any] = {
        "form": form,
        "known": _known_of(found),
        "kind": type_of(found.type),
        "page": routes,
        "row": channel_rows([found])[0],
        "newest": message_rows(list(newest)),
        "routes": route_rows(list(routes.object_list)),
        "save_url": reverse("notify-channel", args=[found.pk]),
        **channel_rights(caller, tenant_id=found.tenant_id),
    }
    return render(request, "wattkeeper/notifications/channel.html", context, status=422 if form.is_bound else 200)


@CHANNEL_EDIT
def notify_channel_switch(request: HttpRequest, caller: Caller, channel_id: int) -> HttpResponse:
    """POST `enabled=on` or `enabled=off`; a list gets the channel's line and the routes, a page itself anew."""
    found = channel_known(caller, channel_id)
    if request.method != "POST":
        return redirect("notify-channel", channel_id)
    channel_enable(found, enabled=switched(request), actor=caller.identity)
    if "HX-Request" in request.headers:
        rights = channel_rights(caller, tenant_id=found.tenant_id)
        context = {"row": channel_rows([found])[0], **rights, **listed(request, caller)}
        return render(request, "wattkeeper/notifications/switched.html", context)
    messages.success(request, f"{found.name} is switched {request.POST['enabled']}.")
    return redirect("notify-channel", channel_id)


@EDIT
def notify_channel_test(request: HttpRequest, caller: Caller, channel_id: int) -> HttpResponse:
    """POST has a test sent; the answer is what becomes of it, which asks for itself anew until that is known."""
    found = channel_known(caller, channel_id)
    if request.method != "POST":
        return redirect("notify-channel", channel_id)
    try:
        test = channel_test(found, by=caller.identity)
    except ConflictError as error:
        if "HX-Request" not in request.headers:
            raise
        return render(request, "wattkeeper/notifications/outcome.html", {"trouble": str(error)})
    if "HX-Request" in request.headers:
        return render(request, "wattkeeper/notifications/outcome.html", {"row": message_row(test)})
    messages.success(request, "A test is on its way: it stands below as soon as something is known of it.")
    return redirect("notify-channel", channel_id)


@CHANNEL_EDIT
def notify_channel_end(request: HttpRequest, caller: Caller, channel_id: int) -> HttpResponse:
    """POST takes the channel away, with its routes."""
    found = channel_known(caller, channel_id)
    if request.method != "POST":
        return redirect("notify-channel", channel_id)
    channel_remove(found, actor=caller.identity)
    messages.success(request, f"{found.name} is removed, with the routes that led there.")
    return redirect("notifications")


def channel_known(caller: Caller, channel_id: int) -> NotifyChannel:
    """The channel, if the caller may know of it; else NotFoundError."""
    channel = channel_by_id(channel_id, tenant_id=caller.tenant_id)
    if channel is None:
        raise NotFoundError("There is no such channel, or it is not yours.")
    return channel


def _known_of(channel: NotifyChannel) -> list[tuple[str, list[str]]]:
    """What it knows, for who may only look: each setting's label and values; of a secret whether it is set."""
    kind = type_of(channel.type)
    return [(declared.label, _said(declared, channel.settings)) for declared in kind.fields] if kind else []


def _said(declared: SettingField, kept: Settings) -> list[str]:
    value = kept.get(declared.name)
    if not value:
        return []
    if declared.is_secret:
        return ["It is set"]
    return list(value) if declared.is_list else [dict(declared.choices).get(value, str(value))]


def _kind(request: HttpRequest) -> ChannelType:
    """The type that the address names; the first where it names none."""
    name = request.GET.get("type", "")
    kind = type_of(name) if name else next(iter(channel_types().values()))
    if kind is None:
        raise BadRequestError(f"{name[:40]!r} is not a type of channel.", field="type")
    return kind
