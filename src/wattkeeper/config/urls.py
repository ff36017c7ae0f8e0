"""Every path of the program."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("", include("wattkeeper.views.dashboard.urls")),
    path("", include("wattkeeper.views.exports.urls")),
    path("", include("wattkeeper.views.api.account_urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="wattkeeper/api_docs.html"),
        name="api-docs",
    ),
    path("dashboard/", include("wattkeeper.kinds.battery.dashboard.page_urls")),
    path("meters/", include("wattkeeper.kinds.meter.dashboard.page_urls")),
    path("api/alerts/", include("wattkeeper.views.api.alert_urls")),
    path("api/notifications/", include("wattkeeper.views.api.notification_urls")),
    path("api/rules/", include("wattkeeper.views.api.rule_urls")),
    path("vehicle_data/", include("wattkeeper.kinds.vehicle.urls")),
    path(
        "api/v1/vehicle_data/", include("wattkeeper.kinds.vehicle.urls")
    ),  # the last of two is the one that pages link to
    path("api/", include("wattkeeper.kinds.battery.urls")),
    path("reports/", include("wattkeeper.kinds.meter.report.page_urls")),
    path("", include("wattkeeper.kinds.meter.report.urls")),
    path("api/", include("wattkeeper.kinds.meter.urls")),
    path("api/v1/battery_status/", include("wattkeeper.kinds.battery.status_urls")),
]

handler400 = "wattkeeper.config.failures.bad_request"
handler404 = "wattkeeper.config.failures.not_found"
