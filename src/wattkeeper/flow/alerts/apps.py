from __future__ import annotations

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "wattkeeper.flow.alerts"
    label = "alerts"

    def ready(self) -> None:
        from wattkeeper.flow.alerts import endings  # noqa: F401  registers its periodic functions
