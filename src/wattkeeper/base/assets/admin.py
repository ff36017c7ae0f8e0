from __future__ import annotations

from django.contrib import admin

from wattkeeper.base.assets.models import Asset


@admin.register(Asset)
class AssetAdmin(admin.ModelAdmin[Asset]):
    list_display = ("key", "name", "kind", "type", "tenant", "site", "last_seen", "archived_at")
    list_filter = ("kind", "tenant", "site")
    search_fields = ("key", "name", "site")
    readonly_fields = ("tenant", "kind", "key", "registered_by", "created_at", "last_seen")

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False  # archived, never deleted
