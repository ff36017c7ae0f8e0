from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import TenantAdmin
from wattkeeper.flow.sources.csv_upload.models import Upload


@admin.register(Upload)
class UploadAdmin(TenantAdmin[Upload]):
    list_display = ("file_name", "asset_key", "stream", "state", "owner", "tenant", "created_at", "touched_at")
    list_filter = ("state", "stream")
    search_fields = ("file_name", "asset_key", "owner")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False
