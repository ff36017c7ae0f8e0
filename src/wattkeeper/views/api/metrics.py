"""What Prometheus asks for. No figure of it is a tenant's own, so that whoever may read anything may read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from wattkeeper.base.accounts.permissions import Action


@extend_schema(exclude=True)
class MetricsView(APIView):
    """GET the counters of this process, as text."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        return super().perform_content_negotiation(request, force=True)  # a scraper asks for formats of its own

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
