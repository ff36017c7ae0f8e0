"""The dashboard's page, mounted at `/dashboard/`."""

from __future__ import annotations

from django.urls import path

from wattkeeper.kinds.battery.dashboard.page import dashboard, figures_alone

urlpatterns = [
    path("", dashboard, name="battery-dashboard"),
    path("figures/", figures_alone, name="battery-dashboard-figures"),
]
