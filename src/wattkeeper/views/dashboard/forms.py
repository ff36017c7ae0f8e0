"""What the pages' forms have in common: an action says what is wrong, the form shows it beside its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from wattkeeper.base.core.errors import ConflictError


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was sent, also where that was nothing; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None


def gone_to(request: HttpRequest, address: str) -> HttpResponse:
    """The way to another page once a form is taken, also by htmx, which would show a redirect's page in its place."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def done(form: Form, act: Callable[[], Any], *, tells_conflicts: bool = False) -> bool:
    """Whether the form was in order and `act` took it; what an action refuses becomes the form's errors.

    That somebody was quicker is a page of its own, unless the form `tells_conflicts`, too.
    """
    if not form.is_valid():
        return False
    try:
        act()
    except ConflictError as error:
        if not tells_conflicts:
            raise
        form.add_error(None, str(error))
        return False
    except ValidationError as error:
        told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for field, messages in told.items():
            form.add_error(field if field in form.fields else None, messages)
        return False
    return True
