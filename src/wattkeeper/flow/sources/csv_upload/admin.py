from __future__ import annotations

from django.contrib import admin

from wattkeeper.flow.sources.csv_upload.models import Upload


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin[Upload]):
    list_display = ("file_name", "asset_key", "stream", "state", "owner", "tenant", "created_at", "touched_at")
    list_filter = ("state", "stream", "tenant")
    search_fields = ("file_name", "asset_key", "owner")

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False
