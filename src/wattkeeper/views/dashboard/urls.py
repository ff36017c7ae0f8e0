"""The pages' paths."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from wattkeeper.base.catalog import registry
from wattkeeper.views.dashboard import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("login/", LoginView.as_view(template_name="wattkeeper/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    *(
        path(f"{kind.label_plural.lower()}/", pages.assets, {"kind": kind}, name=f"assets-{kind.name}")
        for kind in registry.kinds()
    ),
]
