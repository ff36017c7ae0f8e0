"""One meter's use and messages each as a page, and which meter it replaces."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as told
from django.core.paginator import Paginator
from django.forms import CharField, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter.actions import meter_replace
from wattkeeper.kinds.meter.badges import STATUS_BADGES
from wattkeeper.kinds.meter.dashboard.decoded import DecodedMessage, decoded
from wattkeeper.kinds.meter.panels import consumption_context, meter_context
from wattkeeper.kinds.meter.queries import messages_meant, messages_of, meter_by_id
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.views.dashboard.forms import done
from wattkeeper.views.dashboard.guard import page

ROWS = 20


class ReplacesForm(Form):
    """Which meter hung there before."""

    replaces = CharField(max_length=200, required=False, help_text="Its key, or a part that only one has.")


@page()
def use(request: HttpRequest, caller: Caller, asset_id: int) -> HttpResponse:
    """The use alone; the page of the meter puts it in its place."""
    meter = _mine(caller, asset_id)
    context = {"asset": meter, "panel": consumption_context(meter, request.GET.dict())}
    return render(request, "meter/use_page.html", context)


@page()
def messages(request: HttpRequest, caller: Caller, asset_id: int) -> HttpResponse:
    """A page of its messages, the newest first."""
    meter = _mine(caller, asset_id)
    found: Any = _Messages(meter)
    shown = Paginator(found, ROWS).get_page(request.GET.get("page"))
    context = {
        "asset": meter,
        "page": shown,
        "telegrams": list(shown.object_list),
        "status_badges": STATUS_BADGES,
        "zone": site_zones(meter.tenant_id).of(meter.site),
    }
    return render(request, "meter/messages_page.html", context)


@page(read=Action.ASSET_EDIT, write=Action.ASSET_EDIT)
def replaces(request: HttpRequest, caller: Caller, asset_id: int) -> HttpResponse:
    """POST says which meter it replaces; with what is wrong a page of its own comes back."""
    meter = _mine(caller, asset_id)
    form = ReplacesForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and done(
        form, lambda: meter_replace(meter.meter, said=form.cleaned_data["replaces"], actor=caller.identity)
    ):
        told.success(request, "Saved.")
        return redirect("asset-meter", asset_id)
    context = {"asset": meter, "form": form, **meter_context(meter)}
    return render(request, "meter/replaces_page.html", context, status=422 if form.is_bound else 200)


class _Messages:
    """A meter's messages as a Paginator asks for them: how many, and a slice."""

    def __init__(self, meter: Asset) -> None:
        self._meter = meter

    def count(self) -> int:
        return store().count(MESSAGE, messages_meant(self._meter))

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, wanted: slice) -> list[DecodedMessage]:
        rows = messages_of(self._meter, offset=wanted.start, limit=wanted.stop - wanted.start)
        return [decoded(row) for row in rows]


def _mine(caller: Caller, asset_id: int) -> Asset:
    found = meter_by_id(asset_id, tenant_id=caller.tenant_id)
    if found is None:
        raise NotFoundError("There is no such meter, or it is not yours.")
    return found
