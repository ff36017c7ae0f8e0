from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "wattkeeper.base.jobs"
    label = "jobs"
