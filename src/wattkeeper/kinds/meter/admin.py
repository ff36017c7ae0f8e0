from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import ReadOnlyAdmin, TenantAdmin
from wattkeeper.kinds.meter.actions import storages_tell
from wattkeeper.kinds.meter.models import DueStorage, FrozenMonth, Meter, MeterState


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin[Meter]):  # messages make it, and its page says which one it replaces
    tenant_lookup = "asset__tenant"
    list_display = ("asset", "manufacturer", "identnr", "version", "device_type", "replaces")
    list_filter = ("device_type",)
    list_select_related = ("asset", "replaces")
    search_fields = ("asset__key", "asset__name", "identnr")
    ordering = ("asset__key",)


@admin.register(MeterState)
class MeterStateAdmin(ReadOnlyAdmin[MeterState]):
    tenant_lookup = "asset__tenant"
    list_display = ("asset", "at", "main_dimension", "main_value", "status")
    list_filter = ("status",)
    list_select_related = ("asset",)
    search_fields = ("asset__key", "asset__name")
    ordering = ("asset__key",)


@admin.register(DueStorage)
class DueStorageAdmin(TenantAdmin[DueStorage]):
    list_display = ("manufacturer", "device_type", "version", "storage", "tenant")
    list_filter = ("device_type",)
    search_fields = ("=manufacturer", "=storage")
    ordering = ("manufacturer", "device_type", "version")

    def save_model(self, request: HttpRequest, obj: DueStorage, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        storages_tell(obj.tenant_id)

    def delete_model(self, request: HttpRequest, obj: DueStorage) -> None:
        super().delete_model(request, obj)
        storages_tell(obj.tenant_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DueStorage]) -> None:
        tenants = set(queryset.values_list("tenant_id", flat=True))
        super().delete_queryset(request, queryset)
        for tenant_id in tenants:
            storages_tell(tenant_id)


@admin.register(FrozenMonth)
class FrozenMonthAdmin(ReadOnlyAdmin[FrozenMonth]):
    list_display = ("month", "tenant", "frozen_at", "frozen_by", "devices", "rows")
    list_filter = ("month",)
    search_fields = ("frozen_by",)
    ordering = ("-month",)
