"""The place that knows all of the house, and joins its parts."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "wattkeeper.config"
    label = "config"
