"""Endpoints with the faults that test_every_url is there to find."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import Http404, HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.accounts.permissions import Action


class TenantView(APIView):
    """Right: shows the caller's own tenant."""

    actions: ClassVar = {"GET": Action.READ}

    def get(self, request: Request, pk: int) -> Response:
        caller = caller_of(request)
        if not caller.above_tenants and caller.tenant_id != pk:
            raise Http404
        return Response({"slug": Tenant.objects.get(pk=pk).slug})


class OpenView(TenantView):
    """Wrong: asks for nothing."""

    permission_classes = (AllowAny,)


class LeakyView(TenantView):
    """Wrong: shows every tenant, and a second method has no action."""

    def get(self, request: Request, pk: int) -> Response:
        return Response({"slug": Tenant.objects.get(pk=pk).slug})

    def post(self, request: Request, pk: int) -> Response:
        return Response({})


def page(request: Any, id: str) -> HttpResponse:
    """Wrong: a page that asks nobody to sign in."""
    return HttpResponse("")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("right/<int:pk>/", TenantView.as_view()),
    path("open/<int:pk>/", OpenView.as_view()),
    path("leaky/<int:pk>/", LeakyView.as_view()),
    path("page/<uuid:id>/", page),
]
