"""Runs to look at; nothing of them is for hands to change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wattkeeper.base.jobs.models import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's own is not generic at run time
    list_display = ("name", "key", "state", "done_of_total", "owner", "attempts", "created_at", "finished_at")
    list_filter = ("state", "name", "created_at")
    search_fields = ("id", "name", "key", "owner", "error", "worker")
    date_hierarchy = "created_at"
    show_full_result_count = False

    @admin.display(description="progress")
    def done_of_total(self, run: Run) -> str:
        return f"{run.progress_done} / {'?' if run.progress_total is None else run.progress_total}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
