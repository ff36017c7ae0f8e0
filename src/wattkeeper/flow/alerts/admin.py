from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import TenantAdmin
from wattkeeper.flow.alerts.models import Alert, RuleState, Transition

M = TypeVar("M", bound=models.Model)


class _ReadOnlyAdmin(TenantAdmin[M]):
    """Alerts move by their actions alone, which note each move."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


@admin.register(Alert)
class AlertAdmin(_ReadOnlyAdmin[Alert]):
    list_display = ("asset", "tenant", "level", "alert_type", "message", "opened_at", "resolved_at", "acknowledged_at")
    list_filter = (
        "kind",
        "level",
        "alert_type",
        ("resolved_at", admin.EmptyFieldListFilter),
        ("hidden_at", admin.EmptyFieldListFilter),
        "tenant",
    )
    list_select_related = ("asset", "tenant")
    search_fields = ("asset__key", "message")
    date_hierarchy = "created_at"


@admin.register(RuleState)
class RuleStateAdmin(_ReadOnlyAdmin[RuleState]):
    tenant_lookup = "rule__tenant"
    list_display = ("rule", "asset", "phase", "since", "at", "chattering")
    list_filter = ("phase", "chattering")
    list_select_related = ("rule", "asset")
    search_fields = ("rule__name", "asset__key")


@admin.register(Transition)
class TransitionAdmin(_ReadOnlyAdmin[Transition]):
    tenant_lookup = "alert__tenant"
    list_display = ("at", "alert", "kind", "by", "why")
    list_filter = ("kind", "at")
    list_select_related = ("alert",)
    search_fields = ("alert__asset__key", "by", "why")
