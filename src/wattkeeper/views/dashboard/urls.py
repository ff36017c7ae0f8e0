"""The pages' paths."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from wattkeeper.views.dashboard import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("login/", LoginView.as_view(template_name="wattkeeper/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("assets/<str:kind>/", pages.assets, name="assets"),
]
