from __future__ import annotations

from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "wattkeeper.base.assets"
    label = "assets"
