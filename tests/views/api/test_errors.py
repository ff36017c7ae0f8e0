"""Every kind of failure has its answer, and an unknown one stays a 500."""

from __future__ import annotations

import errno
import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousFileOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from wattkeeper.base.core.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    HomeInUseError,
    OutOfSpaceError,
    WattkeeperError,
)


def answer_to(error: Exception) -> Response:
    class FailingView(APIView):
        permission_classes = ()
        authentication_classes = ()

        def get(self, request: Request) -> Response:
            raise error

    response = FailingView.as_view()(APIRequestFactory().get("/"))
    assert isinstance(response, Response)
    return response


def postgres(sqlstate: str) -> OperationalError:
    cause = Exception("said by the server")
    cause.sqlstate = sqlstate  # type: ignore[attr-defined]
    error = OperationalError("said by the server")
    error.__cause__ = cause
    return error


FULL, BUSY = {"detail": "The disk is full."}, {"detail": "The database is busy; try again."}
ANSWERS: list[tuple[Exception, int, Any]] = [
    (WattkeeperError("No."), 400, {"detail": "No."}),
    (BadRequestError("No."), 400, {"detail": "No."}),
    (BadRequestError("No such field.", field="ordering"), 400, {"ordering": ["No such field."]}),
    (ConflictError("Again?"), 409, {"detail": "Again?"}),
    (OutOfSpaceError("Full."), 507, {"detail": "Full."}),
    (BusyError("Wait.", retry_after_seconds=7), 503, {"detail": "Wait."}),
    (HomeInUseError("By 7."), 503, {"detail": "By 7."}),
    (OSError(errno.ENOSPC, "No space left on device"), 507, FULL),
    (OSError(errno.EDQUOT, "Quota exceeded"), 507, FULL),
    (TimeoutError(), 503, {"detail": "That took too long, and may have been done all the same: send it again."}),
    (OperationalError("database or disk is full"), 507, FULL),
    (OperationalError("database is locked"), 503, BUSY),
    (OperationalError("database table is locked: alerts"), 503, BUSY),
    (postgres("53100"), 507, FULL),
    (postgres("40P01"), 503, BUSY),
    (UnreadablePostError("gone"), 400, {"detail": "The request ended before its body did."}),
    (SuspiciousFileOperation("../x"), 400, {"detail": "This request cannot be read."}),
    (DjangoValidationError({"name": ["Too long."]}), 400, {"name": ["Too long."]}),
    (DjangoValidationError("Too long."), 400, {"non_field_errors": ["Too long."]}),
    (ValidationError({"name": ["Bad."]}), 400, {"name": ["Bad."]}),
    (ParseError("JSON"), 400, {"detail": "JSON"}),
    (Http404("No vehicle."), 404, {"detail": "No vehicle."}),
    (PermissionDenied("No."), 403, {"detail": "No."}),
]


@pytest.mark.parametrize(("error", "status", "body"), ANSWERS, ids=lambda one: repr(one)[:60])
def test_a_known_failure_is_answered(error: Exception, status: int, body: object) -> None:
    response = answer_to(error)
    assert response.status_code == status
    assert response.data == body


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        OSError(errno.EIO, "I/O error"),
        OperationalError("no such table: x"),
        RecursionError(),
    ],
    ids=repr,
)
def test_an_unknown_failure_stays_a_500(error: Exception) -> None:
    with pytest.raises(type(error)):
        answer_to(error)


def test_who_is_told_to_wait_is_told_how_long() -> None:
    assert answer_to(BusyError("Wait.", retry_after_seconds=7))["Retry-After"] == "7"
    assert answer_to(OperationalError("database is locked"))["Retry-After"] == "1"


def test_an_answer_may_repeat_half_a_character() -> None:
    answer = answer_to(BadRequestError("'\ud800' is none of them.", field="level"))
    assert json.loads(answer.render().content) == {"level": ["'\ud800' is none of them."]}
