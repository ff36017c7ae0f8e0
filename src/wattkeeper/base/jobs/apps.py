from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "wattkeeper.base.jobs"
    label = "jobs"

    def ready(self) -> None:
        from wattkeeper.base.jobs import actions  # noqa: F401  (registers its periodic functions)
