"""The door of every page: who may open it, and what they read where something is wrong."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page

from wattkeeper.base.accounts.callers import Caller, caller_of_user
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import User
from wattkeeper.base.accounts.queries import zone_of
from wattkeeper.base.core.errors import BusyError, WattkeeperError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Caller, P], HttpResponseBase]

_TITLES = {
    400: "This address says something that cannot be understood",
    403: "This page is not for your role",
    404: "There is no such page",
    409: "Someone was quicker",
    503: "The server is busy",
    507: "The server's disk is full",
}


def page(
    *, read: Action = Action.READ, write: Action | None = None
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Open a page to people who may `read`, and its form, where it has one, to those who may `write`.

    The view is called with the request and the Caller. What the house refuses becomes a page that says so.
    """

    actions = {"GET": read, "HEAD": read} | ({"POST": write} if write else {})

    def guarded(view: View[P]) -> Callable[..., HttpResponseBase]:
        @never_cache  # what a person saw is not for whoever uses the browser after them
        @gzip_page
        @login_required
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            assert isinstance(request.user, User)
            caller = caller_of_user(request.user)
            if request.method not in actions:
                return HttpResponseNotAllowed(list(actions))
            if not caller.may(actions[request.method]):
                raise PermissionDenied
            with timezone.override(zone_of(caller)):
                try:
                    return view(request, caller, *args, **kwargs)
                except WattkeeperError as error:
                    return told(request, str(error), error=error)

        answer.actions = actions  # type: ignore[attr-defined]  # as the API's views say theirs
        return answer

    return guarded


def told(request: HttpRequest, sentence: str, *, error: WattkeeperError, title: str = "") -> HttpResponse:
    """A page that says what is wrong, with the failure's status. `title`: in place of what is usual of that."""
    context = {"title": title or _TITLES.get(error.status, "This did not work"), "sentence": sentence}
    response = render(request, "wattkeeper/error.html", context, status=error.status)
    if isinstance(error, BusyError):
        response["Retry-After"] = str(error.retry_after_seconds)
    return response
