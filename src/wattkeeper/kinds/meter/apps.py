from __future__ import annotations

from django.apps import AppConfig


class MeterConfig(AppConfig):
    name = "wattkeeper.kinds.meter"
    label = "meter"

    def ready(self) -> None:
        from wattkeeper.base.assets.events import AssetChanged, ZonesChanged
        from wattkeeper.base.catalog.kinds import Kind, KindPage, UnknownAsset
        from wattkeeper.base.catalog.registry import register
        from wattkeeper.base.core import bus
        from wattkeeper.kinds.meter import usual  # noqa: F401  (registers its periodic function)
        from wattkeeper.kinds.meter.actions import state_apply
        from wattkeeper.kinds.meter.badges import BADGES
        from wattkeeper.kinds.meter.events import StoragesChanged
        from wattkeeper.kinds.meter.known import meters
        from wattkeeper.kinds.meter.live import meters_shown
        from wattkeeper.kinds.meter.looks import LOOKS
        from wattkeeper.kinds.meter.panels import PANELS
        from wattkeeper.kinds.meter.queries import usual_of
        from wattkeeper.kinds.meter.rules import ALERT_TYPES, DEFAULT_RULES
        from wattkeeper.kinds.meter.streams import MESSAGE, NAMEPLATE, STALE_AFTER, WRITTEN
        from wattkeeper.views.dashboard import asset_looks, state_badges
        from wattkeeper.views.live import shown

        register(
            Kind(
                name="meter",
                label="Meter",
                label_plural="Meters",
                icon="calculator",
                streams=(MESSAGE,),
                unknown_asset=UnknownAsset.REGISTER,
                apply_state=state_apply,
                state_relation="meter_state",
                stale_after=STALE_AFTER,
                written=WRITTEN,
                nameplate=NAMEPLATE,
                nameplate_of=usual_of,
                alert_types=ALERT_TYPES,
                default_rules=DEFAULT_RULES,
                panels=PANELS,
                pages=(KindPage("Reports", "meter-report", "document-chart-bar"),),
            )
        )
        shown.register(MESSAGE.kind, meters_shown)
        state_badges.register(MESSAGE.kind, BADGES)
        asset_looks.register(MESSAGE.kind, LOOKS)
        bus.listen(AssetChanged, meters.forget)
        bus.listen(ZonesChanged, meters.forget_all)
        bus.listen(StoragesChanged, meters.forget_all)
