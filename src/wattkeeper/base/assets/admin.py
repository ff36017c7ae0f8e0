from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import TenantAdmin
from wattkeeper.base.assets.actions import change_tell
from wattkeeper.base.assets.models import Asset


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
