"""The answer to who has guessed too many passwords, whichever door they guessed at."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.views import APIView

from wattkeeper.base.core import clock

MESSAGE = "Too many wrong passwords for this name. Try again later."


def answer(request: HttpRequest, *_: Any) -> HttpResponse:
    """429 with Retry-After: JSON where the API was asked, a sentence on a page.

    (What else django-axes hands over differs between its sync and its async way, and is not needed.)
    """
    response: HttpResponse
    if _is_api(request):
        response = JsonResponse({"detail": MESSAGE}, status=429)
    else:
        response = HttpResponse(MESSAGE, status=429, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = str(_seconds_left(request))
    return response


def _is_api(request: HttpRequest) -> bool:
    view = getattr(request.resolver_match, "func", None)
    return issubclass(getattr(view, "cls", object), APIView)


def _seconds_left(request: HttpRequest) -> int:
    """Until the newest counted attempt of this pair of name and address is forgotten."""
    cool_off: timedelta = get_cool_off(request)
    credentials = getattr(request, "axes_credentials", None) or {}
    attempts = AccessAttempt.objects.filter(
        username=credentials.get("username"), ip_address=getattr(request, "axes_ip_address", None)
    )
    newest: datetime = attempts.aggregate(newest=Max("attempt_time"))["newest"] or clock.now()
    return max(1, math.ceil((newest + cool_off - clock.now()).total_seconds()))
