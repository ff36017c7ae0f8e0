"""Failures as answers: REST framework's own, and those that the house raises below it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError
from django.http import UnreadablePostError
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler as rest_framework_handler

from wattkeeper.base.core.errors import BadRequestError, BusyError, OutOfSpaceError, TooLargeError, WattkeeperError

log = logging.getLogger(__name__)

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
FULL = ("database or disk is full",)
LOCKED = ("database is locked", "database table is locked", "database schema is locked")
FULL_SQLSTATES = frozenset({"53100"})
LOCKED_SQLSTATES = frozenset({"40001", "40P01", "55P03"})


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to a failure; None leaves it a 500, which Django logs."""
    known = as_known(error)
    if known is None:
        return rest_framework_handler(error, context)
    if isinstance(known, WattkeeperError):
        if known.status >= 500:
            log.warning("%s: %s", type(known).__name__, known, exc_info=error)
        return _answer(known)
    return rest_framework_handler(known, context)


@contextmanager
def outside_names(names: Mapping[str, str]) -> Iterator[None]:
    """What is wrong is said of the fields as a caller knows them: `names` has those that are called so outside."""
    try:
        yield
    except DjangoValidationError as error:
        raise DjangoValidationError(
            {names.get(name, name): messages for name, messages in error.message_dict.items()}
        ) from None


def _answer(error: WattkeeperError) -> Response:
    body: Mapping[str, Any] = {"detail": str(error)}
    if isinstance(error, BadRequestError) and error.field:
        body = {error.field: [str(error)]}
    body = {**body, **error.extra}
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, BusyError) else None
    return Response(body, status=error.status, headers=headers)


def as_known(error: Exception) -> WattkeeperError | APIException | None:
    """What the house would have called this failure of Python, Django or the database."""
    if isinstance(error, WattkeeperError):
        return error
    if isinstance(error, DjangoValidationError):
        return ValidationError(as_serializer_error(error))
    if isinstance(error, UnreadablePostError):  # an OSError too: the client has gone
        return BadRequestError("The request ended before its body did.")
    if isinstance(error, RequestDataTooBig):
        return TooLargeError("The body of this request is too large.")
    if isinstance(error, SuspiciousOperation):
        return BadRequestError("This request cannot be read.")
    if isinstance(error, TimeoutError):
        return BusyError("That took too long, and may have been done all the same: send it again.")
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return OutOfSpaceError("The disk is full.")
    if isinstance(error, OperationalError):
        message, sqlstate = str(error), getattr(error.__cause__, "sqlstate", None)
        if sqlstate in FULL_SQLSTATES or any(sign in message for sign in FULL):
            return OutOfSpaceError("The disk is full.")
        if sqlstate in LOCKED_SQLSTATES or any(sign in message for sign in LOCKED):
            return BusyError("The database is busy; try again.")
    return None
