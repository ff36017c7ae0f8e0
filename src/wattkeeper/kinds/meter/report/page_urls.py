"""The report's page, mounted at `/reports/`."""

from __future__ import annotations

from django.urls import path

from wattkeeper.kinds.meter.report.page import freeze, missing, report, unfreeze

urlpatterns = [
    path("", report, name="meter-report"),
    path("missing/", missing, name="meter-report-missing"),
    path("freeze/", freeze, name="meter-report-freeze"),
    path("unfreeze/", unfreeze, name="meter-report-unfreeze"),
]
