"""The paths of the accounts, and of what the program says of itself."""

from __future__ import annotations

from django.urls import path

from wattkeeper.views.api.accounts import LoginView, TokenRefreshView
from wattkeeper.views.api.metrics import MetricsView

urlpatterns = [
    path("user/login/", LoginView.as_view(), name="api-login"),
    path("user/token/refresh/", TokenRefreshView.as_view(), name="api-token-refresh"),
    path("metrics", MetricsView.as_view(), name="metrics"),
]
