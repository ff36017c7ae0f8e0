"""To look at only: channels and routes are set on pages and in an API of their own, which check and keep secrets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import ReadOnly, ReadOnlyAdmin
from wattkeeper.flow.notify.channel_settings import settings_shown, type_of
from wattkeeper.flow.notify.models import Delivery, GatherMark, NewsItem, Notification, NotifyChannel, Route


@admin.register(NotifyChannel)
class NotifyChannelAdmin(ReadOnlyAdmin[NotifyChannel]):
    list_display = ("name", "type", "tenant", "enabled", "updated_at", "removed_at")
    list_filter = ("type", "enabled", ("removed_at", admin.EmptyFieldListFilter), "tenant")
    search_fields = ("name",)
    fields = ("name", "type", "known", "tenant", "enabled", "created_at", "updated_at", "removed_at")

    @admin.display(description="settings")
    def known(self, channel: NotifyChannel) -> dict[str, Any]:
        """Without what is secret."""
        return settings_shown(type_of(channel.type), channel.settings)

    def get_readonly_fields(self, request: HttpRequest, obj: NotifyChannel | None = None) -> tuple[str, ...]:
        return self.fields


@admin.register(Route)
class RouteAdmin(ReadOnlyAdmin[Route]):
    list_display = ("__str__", "channel", "kind", "site", "least_level", "tenant", "enabled", "removed_at")
    list_filter = ("kind", "least_level", "enabled", ("removed_at", admin.EmptyFieldListFilter), "tenant")
    list_select_related = ("channel", "tenant")
    search_fields = ("name", "site", "channel__name")


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin[Notification]):
    list_display = ("created_at", "title", "channel", "tenant", "state", "is_test", "attempts", "finished_at", "why")
    list_filter = ("state", "is_test", "created_at", "tenant")
    list_select_related = ("channel", "tenant")
    search_fields = ("title", "channel__name", "why")
    date_hierarchy = "created_at"


@admin.register(NewsItem)
class NewsItemAdmin(ReadOnlyAdmin[NewsItem]):
    tenant_lookup = "notification__tenant"
    list_display = ("notification", "alert", "route", "repeat")
    list_filter = ("repeat",)
    list_select_related = ("notification__channel", "alert", "route__channel")
    search_fields = ("alert__asset__key", "route__name")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    tenant_lookup = "notification__tenant"
    list_display = ("at", "notification", "outcome", "status", "took_ms", "detail")
    list_filter = ("outcome", "at")
    list_select_related = ("notification__channel",)
    search_fields = ("notification__title", "notification__channel__name", "detail")


@admin.register(GatherMark)
class GatherMarkAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # of no tenant; Django's own is not generic
    list_display = ("name", "newest")
    list_filter = ("name",)
    search_fields = ("name",)
