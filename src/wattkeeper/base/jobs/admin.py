"""Runs to look at; nothing of them is for hands to change."""

from __future__ import annotations

from django.contrib import admin

from wattkeeper.base.accounts.admin import ReadOnly
from wattkeeper.base.jobs.models import Run


@admin.register(Run)
class RunAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # Django's own is not generic at run time
    list_display = ("name", "key", "state", "done_of_total", "owner", "attempts", "created_at", "finished_at")
    list_filter = ("state", "name", "created_at")
    search_fields = ("id", "name", "key", "owner", "error", "worker")
    date_hierarchy = "created_at"
    show_full_result_count = False

    @admin.display(description="progress")
    def done_of_total(self, run: Run) -> str:
        return f"{run.progress_done} / {'?' if run.progress_total is None else run.progress_total}"
