from __future__ import annotations

from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "wattkeeper.flow.rules"
    label = "rules"
