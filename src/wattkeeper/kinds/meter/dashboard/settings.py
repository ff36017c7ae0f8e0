"""What a tenant says of its meters: in which zones their clocks go, and where they keep the due date's values."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from django.contrib import messages
from django.forms import CharField, Form, IntegerField, TextInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller, tenant_named
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import Tenant, time_zones
from wattkeeper.base.accounts.queries import tenant_of, tenants_for
from wattkeeper.base.assets.actions import site_zone_remove, site_zone_set
from wattkeeper.base.assets.queries import sites_of
from wattkeeper.base.assets.zones import DEFAULT_ZONE, site_zone_by_id, site_zones, zones_said
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.kinds.meter.actions import due_storage_add, due_storage_remove
from wattkeeper.kinds.meter.codes import manufacturers, media
from wattkeeper.kinds.meter.pairs import DUE_STORAGE
from wattkeeper.kinds.meter.queries import due_storage_by_id, due_storages_said
from wattkeeper.views.dashboard.forms import done
from wattkeeper.views.dashboard.guard import page

_Said = TypeVar("_Said", contravariant=True)

EDIT = page(read=Action.ASSET_EDIT, write=Action.ASSET_EDIT)


class ZoneForm(Form):
    """Of a site."""

    site = CharField(
        max_length=200,
        required=False,
        widget=TextInput(attrs={"list": "sites", "autocomplete": "off"}),
        help_text="Empty: all sites that have no zone of their own.",
    )
    time_zone = CharField(
        max_length=64,
        widget=TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        help_text="Such as Europe/Berlin.",
    )


class StorageForm(Form):
    """Of a maker's meters."""

    manufacturer = CharField(max_length=20, help_text="Three letters, such as EFE, or their number.")
    device_type = IntegerField(
        label="Type", required=False, min_value=0, max_value=255, help_text="Empty: all. 4: heat."
    )
    version = IntegerField(required=False, min_value=0, max_value=255, help_text="Empty: all.")
    storage = IntegerField(min_value=1, max_value=2**31 - 1, help_text="Where they keep the values of the due date.")

    def clean_manufacturer(self) -> int:
        code = manufacturers.code_asked(self.cleaned_data["manufacturer"])
        if code is None:
            self.add_error("manufacturer", "Not a manufacturer's number or its three letters.")
            return 0
        return code


@page(write=Action.ASSET_EDIT)
def settings(request: HttpRequest, caller: Caller) -> HttpResponse:
    """All of it; POST adds one, of a site or (`what=storage`) of a maker."""
    tenant = _tenant(request, caller)
    if tenant is None:
        return render(request, "wattkeeper/tenants.html", {"tenants": tenants_for(caller)})
    of = request.POST.get("what", "") if request.method == "POST" else ""
    zone_form = ZoneForm(request.POST if of == "zone" else None)
    storage_form = StorageForm(request.POST if of == "storage" else None)
    added = False
    if of == "zone":
        added = done(zone_form, lambda: site_zone_set(tenant=tenant, **zone_form.cleaned_data, actor=caller.identity))
    elif of == "storage":
        added = done(
            storage_form, lambda: due_storage_add(tenant=tenant, **storage_form.cleaned_data, actor=caller.identity)
        )
    if added:
        return _changed(request)
    context = {
        "tenant": tenant,
        "zone_form": zone_form,
        "storage_form": storage_form,
        "may_edit": caller.may(Action.ASSET_EDIT),
        **_said(tenant),
    }
    return render(request, "meter/settings.html", context, status=422 if request.method == "POST" else 200)


@EDIT
def zone_end(request: HttpRequest, caller: Caller, zone_id: int) -> HttpResponse:
    """POST takes what is said of a site away."""
    return _ended(request, caller, site_zone_by_id(zone_id, tenant_id=caller.tenant_id), site_zone_remove)


@EDIT
def storage_end(request: HttpRequest, caller: Caller, storage_id: int) -> HttpResponse:
    """POST takes what is said of a maker's meters away."""
    return _ended(request, caller, due_storage_by_id(storage_id, tenant_id=caller.tenant_id), due_storage_remove)


class _Remove(Protocol[_Said]):
    def __call__(self, row: _Said, *, actor: str) -> None: ...


def _ended(request: HttpRequest, caller: Caller, row: _Said | None, remove: _Remove[_Said]) -> HttpResponse:
    if row is None:
        raise NotFoundError("There is no such setting.")
    if request.method != "POST":
        return redirect("meter-settings")
    remove(row, actor=caller.identity)
    return _changed(request)


def _changed(request: HttpRequest) -> HttpResponse:
    messages.success(request, "Saved. It counts for what comes from now on, and for every month that is not frozen.")
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(reverse("meter-settings") + query)


def _tenant(request: HttpRequest, caller: Caller) -> Tenant | None:
    slug = request.GET.get("tenant", "")
    return tenant_named(caller, slug) if slug else tenant_of(caller)


def _said(tenant: Tenant) -> dict[str, Any]:
    zones = zones_said(tenant.pk)
    return {
        "zones_said": zones,
        "default_zone": site_zones(tenant.pk).default.key,
        "has_default": any(not row.site for row in zones),
        "house_zone": DEFAULT_ZONE,
        "storages": [
            {
                "pk": row.pk,
                "manufacturer": manufacturers.words_of(row.manufacturer),
                "type": "all" if row.device_type is None else media.words_of(row.device_type),
                "version": "all" if row.version is None else row.version,
                "storage": row.storage,
            }
            for row in due_storages_said(tenant.pk)
        ],
        "usual_storage": DUE_STORAGE,
        "sites": sites_of(tenant.pk),
        "zones": sorted(time_zones()),
    }
