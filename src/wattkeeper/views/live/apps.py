from __future__ import annotations

from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "wattkeeper.views.live"
    label = "live"

    def ready(self) -> None:
        from wattkeeper.views.live.process import listen

        listen()
