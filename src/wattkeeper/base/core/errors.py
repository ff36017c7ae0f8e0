"""Failures that a caller can do something about. A refusal of data is a value, not one of these."""

from __future__ import annotations


class WattkeeperError(Exception):
    """Base of all: `str(error)` is one sentence fit for a user; `extra` is what a program may want to read."""

    status = 400

    def __init__(self, message: str, **extra: object) -> None:
        super().__init__(message)
        self.extra = extra


class BadRequestError(WattkeeperError):
    """What was asked cannot be understood; `field` names the part that is wrong."""

    def __init__(self, message: str, *, field: str | None = None, **extra: object) -> None:
        super().__init__(message, **extra)
        self.field = field


class NotFoundError(WattkeeperError):
    """There is no such thing, or it is another tenant's."""

    status = 404


class ConflictError(WattkeeperError):
    """The thing is in a state in which this cannot be done."""

    status = 409


class TooLargeError(WattkeeperError):
    """More than is accepted in one piece."""

    status = 413


class OutOfSpaceError(WattkeeperError):
    """The disk is full, or so near to it that writing more would break the server."""

    status = 507


class BusyError(WattkeeperError):
    """Too much is waiting already; try again after `retry_after_seconds`."""

    status = 503

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class HomeInUseError(WattkeeperError):
    """Another process holds this home; the message says which."""

    status = 503
