"""The meters' own pages, mounted at `/meters/`."""

from __future__ import annotations

from django.urls import path

from wattkeeper.kinds.meter.dashboard.pages import messages, replaces, use
from wattkeeper.kinds.meter.dashboard.settings import settings, storage_end, zone_end

urlpatterns = [
    path("settings/", settings, name="meter-settings"),
    path("settings/zones/<int:zone_id>/remove/", zone_end, name="meter-zone-end"),
    path("settings/storages/<int:storage_id>/remove/", storage_end, name="meter-storage-end"),
    path("<int:asset_id>/consumption/", use, name="meter-consumption"),
    path("<int:asset_id>/messages/", messages, name="meter-messages"),
    path("<int:asset_id>/replaces/", replaces, name="meter-replaces"),
]
