from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from wattkeeper.base.accounts.admin import TenantAdmin
from wattkeeper.kinds.vehicle.models import VehicleState


@admin.register(VehicleState)
class VehicleStateAdmin(TenantAdmin[VehicleState]):
    tenant_lookup = "asset__tenant"
    list_display = ("asset", "at", "speed", "odometer", "soc", "elevation", "shift_state")
    list_filter = ("shift_state",)
    search_fields = ("asset__key", "asset__name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: VehicleState | None = None) -> bool:
        return False  # only readings change it
