"""What the pages' forms have in common: an action says what is wrong, the form shows it beside its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, QueryDict


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was sent, also where that was nothing; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None


def done(form: Form, act: Callable[[], Any]) -> bool:
    """Whether the form was in order and `act` took it; what an action refuses becomes the form's errors."""
    if not form.is_valid():
        return False
    try:
        act()
    except ValidationError as error:
        told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for field, messages in told.items():
            form.add_error(field if field in form.fields else None, messages)
        return False
    return True
