from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "wattkeeper.views.api"
    label = "api"

    def ready(self) -> None:
        from wattkeeper.views.api import schema  # noqa: F401  registers itself
