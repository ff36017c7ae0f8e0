from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import ReadOnlyAdmin, TenantAdmin
from wattkeeper.base.core.clock import now
from wattkeeper.flow.rules.actions import plans_outdate
from wattkeeper.kinds.battery.models import Battery, BatteryState, Device

if TYPE_CHECKING:
    _DeviceForm = ModelForm[Device]
else:  # Django's form knows no type parameter when it runs
    _DeviceForm = ModelForm


@admin.register(Battery)
class BatteryAdmin(TenantAdmin[Battery]):
    """The nameplate. Serial number and type are the asset's; a battery is registered through the API."""

    tenant_lookup = "asset__tenant"
    list_display = ("asset", "capacity", "voltage_nominal", "max_discharge_current", "max_charge_current")
    list_filter = (("asset__archived_at", admin.EmptyFieldListFilter),)  # types would name other tenants'
    list_select_related = ("asset",)
    search_fields = ("asset__key", "asset__name", "asset__type")
    readonly_fields = ("asset",)
    ordering = ("asset__key",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Battery | None = None) -> bool:
        return False  # archived, never deleted

    def save_model(self, request: HttpRequest, obj: Battery, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        plans_outdate(obj.asset.tenant_id)


@admin.register(BatteryState)
class BatteryStateAdmin(ReadOnlyAdmin[BatteryState]):  # readings change it, and what is written through the API
    tenant_lookup = "asset__tenant"
    list_display = ("asset", "at", "current_status", "current_charge", "current_voltage", "current_temperature")
    list_filter = ("current_status",)
    list_select_related = ("asset",)
    search_fields = ("asset__key", "asset__name")


class DeviceForm(_DeviceForm):
    def clean(self) -> dict[str, Any]:
        """A device holds batteries of its own tenant, whoever says so."""
        cleaned = super().clean() or {}
        tenant = cleaned.get("tenant") or (self.instance.tenant_id and self.instance.tenant)
        held: Any = cleaned.get("batteries")
        if tenant and held is not None and held.exclude(asset__tenant=tenant).exists():
            raise ValidationError({"batteries": "A device holds batteries of its own tenant."})
        return cleaned


@admin.register(Device)
class DeviceAdmin(TenantAdmin[Device]):
    form = DeviceForm
    list_display = ("device_name", "device_type", "serial_number", "location", "tenant", "is_active", "last_checked")
    list_filter = ("device_type", "is_active", "tenant")
    search_fields = ("device_name", "serial_number", "location")
    readonly_fields = ("created_at", "last_checked")
    autocomplete_fields = ("batteries",)  # asks for a few at a time: there may be a hundred thousand

    def formfield_for_manytomany(
        self, db_field: models.ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "batteries":
            mine: QuerySet[Battery] = admin.site._registry[Battery].get_queryset(request)
            kwargs["queryset"] = mine.filter(asset__archived_at=None)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:
        obj.last_checked = now()
        super().save_model(request, obj, form, change)
