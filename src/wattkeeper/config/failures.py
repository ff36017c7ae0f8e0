"""What Django refuses before a view sees it: JSON for programs, pages for people."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

# Where programs ask, and no person reads pages: see urls.py.
API_PATHS = ("/api/", "/csv/", "/vehicle_data/", "/user/")

Handler = Callable[[HttpRequest, Exception], HttpResponse]


def _told_by(page: Handler, detail: str, *, status: int) -> Handler:
    def answer(request: HttpRequest, exception: Exception) -> HttpResponse:
        if request.path.startswith(API_PATHS):
            return JsonResponse({"detail": detail}, status=status)
        return page(request, exception)

    return answer


not_found = _told_by(defaults.page_not_found, "Not found.", status=404)
bad_request = _told_by(defaults.bad_request, "This request cannot be read.", status=400)  # such as an unknown host
