from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import TenantAdmin
from wattkeeper.base.assets.actions import change_tell, zones_tell
from wattkeeper.base.assets.models import Asset, SiteZone


@admin.register(Asset)
class AssetAdmin(TenantAdmin[Asset]):
    list_display = ("key", "name", "kind", "type", "tenant", "site", "last_seen", "archived_at")
    list_filter = ("kind", "site")
    search_fields = ("key", "name", "site")
    readonly_fields = (
        "tenant",
        "kind",
        "key",
        "registered_by",
        "created_at",
        "last_seen",
        "last_changed",
        "usual_interval",
        "readings_seen",
    )

    def save_model(self, request: HttpRequest, obj: Asset, form: ModelForm[Asset], change: bool) -> None:
        super().save_model(request, obj, form, change)
        change_tell(obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # things appear at their first reading

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False  # archived, never deleted


@admin.register(SiteZone)
class SiteZoneAdmin(TenantAdmin[SiteZone]):
    list_display = ("site", "time_zone", "tenant")
    list_filter = ("time_zone",)
    search_fields = ("site", "time_zone")
    ordering = ("site",)

    def save_model(self, request: HttpRequest, obj: SiteZone, form: ModelForm[SiteZone], change: bool) -> None:
        super().save_model(request, obj, form, change)
        zones_tell(obj.tenant_id)

    def delete_model(self, request: HttpRequest, obj: SiteZone) -> None:
        super().delete_model(request, obj)
        zones_tell(obj.tenant_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SiteZone]) -> None:
        tenants = set(queryset.values_list("tenant_id", flat=True))
        super().delete_queryset(request, queryset)
        for tenant_id in tenants:
            zones_tell(tenant_id)
