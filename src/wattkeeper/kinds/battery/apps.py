from __future__ import annotations

from django.apps import AppConfig


class BatteryConfig(AppConfig):
    name = "wattkeeper.kinds.battery"
    label = "battery"

    def ready(self) -> None:
        from wattkeeper.base.catalog.kinds import Kind, UnknownAsset
        from wattkeeper.base.catalog.registry import register
        from wattkeeper.kinds.battery.actions import state_apply
        from wattkeeper.kinds.battery.badges import BADGES
        from wattkeeper.kinds.battery.live import batteries_shown
        from wattkeeper.kinds.battery.panels import DEVICES
        from wattkeeper.kinds.battery.queries import nameplates_of
        from wattkeeper.kinds.battery.rules import ALERT_TYPES, DEFAULT_RULES
        from wattkeeper.kinds.battery.streams import NAMEPLATE, STATUS, WRITTEN
        from wattkeeper.views.dashboard import state_badges
        from wattkeeper.views.live import shown

        register(
            Kind(
                name="battery",
                label="Battery",
                label_plural="Batteries",
                icon="battery-50",
                streams=(STATUS,),
                unknown_asset=UnknownAsset.REFUSE,
                apply_state=state_apply,
                state_relation="battery_state",
                written=WRITTEN,
                nameplate=NAMEPLATE,
                nameplate_of=nameplates_of,
                alert_types=ALERT_TYPES,
                default_rules=DEFAULT_RULES,
                panels=(DEVICES,),
                dashboard_url="battery-dashboard",
            )
        )
        shown.register(STATUS.kind, batteries_shown)
        state_badges.register(STATUS.kind, BADGES)
