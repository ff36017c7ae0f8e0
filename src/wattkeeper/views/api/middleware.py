"""A trailing slash may be missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def optional_slash(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Take a path that only exists with a trailing slash as if it had one; a redirect would lose a POST."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            _add_slash(request)
            waiting: Awaitable[HttpResponseBase] = get_response(request)
            return await waiting

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        _add_slash(request)
        response: HttpResponseBase = get_response(request)
        return response

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
