from __future__ import annotations

from django.contrib import admin

from wattkeeper.base.accounts.admin import ReadOnlyAdmin
from wattkeeper.flow.alerts.models import Alert, RuleState, Transition


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
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
class RuleStateAdmin(ReadOnlyAdmin[RuleState]):
    tenant_lookup = "rule__tenant"
    list_display = ("rule", "asset", "phase", "since", "at", "chattering")
    list_filter = ("phase", "chattering")
    list_select_related = ("rule", "asset")
    search_fields = ("rule__name", "asset__key")


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin[Transition]):
    tenant_lookup = "alert__tenant"
    list_display = ("at", "alert", "kind", "by", "why")
    list_filter = ("kind", "at")
    list_select_related = ("alert",)
    search_fields = ("alert__asset__key", "by", "why")
