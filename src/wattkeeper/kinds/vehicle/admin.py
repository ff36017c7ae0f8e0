from __future__ import annotations

from django.contrib import admin

from wattkeeper.kinds.vehicle.models import VehicleState


@admin.register(VehicleState)
class VehicleStateAdmin(admin.ModelAdmin[VehicleState]):
    list_display = ("asset", "at", "speed", "odometer", "soc", "elevation", "shift_state")
    list_filter = ("shift_state", "asset__tenant")
    search_fields = ("asset__key", "asset__name")

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False  # only readings change it

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False
