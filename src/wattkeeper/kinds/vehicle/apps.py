from __future__ import annotations

from django.apps import AppConfig


class VehicleConfig(AppConfig):
    name = "wattkeeper.kinds.vehicle"
    label = "vehicle"
