from __future__ import annotations

from django.apps import AppConfig


class VehicleConfig(AppConfig):
    name = "wattkeeper.kinds.vehicle"
    label = "vehicle"

    def ready(self) -> None:
        from wattkeeper.base.catalog.kinds import Kind, UnknownAsset
        from wattkeeper.base.catalog.registry import register
        from wattkeeper.kinds.vehicle.actions import state_apply
        from wattkeeper.kinds.vehicle.rules import DEFAULT_RULES
        from wattkeeper.kinds.vehicle.streams import TELEMETRY

        register(
            Kind(
                name="vehicle",
                label="Vehicle",
                label_plural="Vehicles",
                icon="truck",
                streams=(TELEMETRY,),
                unknown_asset=UnknownAsset.REGISTER,
                apply_state=state_apply,
                state_relation="vehicle_state",
                default_rules=DEFAULT_RULES,
            )
        )
