"""The paths of the accounts."""

from __future__ import annotations

from django.urls import path

from wattkeeper.views.api.accounts import LoginView, TokenRefreshView

urlpatterns = [
    path("user/login/", LoginView.as_view(), name="api-login"),
    path("user/token/refresh/", TokenRefreshView.as_view(), name="api-token-refresh"),
]
