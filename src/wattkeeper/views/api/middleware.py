"""A trailing slash may be missing."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.decorators import sync_only_middleware


@sync_only_middleware
def optional_slash(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Take a path that only exists with a trailing slash as if it had one; a redirect would lose a POST."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        _add_slash(request)
        return get_response(request)

    return answer


def _add_slash(request: HttpRequest) -> None:
    if request.path_info.endswith("/") or _exists(request.path_info):
        return
    if _exists(request.path_info + "/"):
        request.path_info += "/"
        request.path += "/"


def _exists(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
