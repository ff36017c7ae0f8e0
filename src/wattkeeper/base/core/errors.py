"""Failures that a caller can do something about. A refusal of data is a value, not one of these."""

from __future__ import annotations


class WattkeeperError(Exception):
    """Base of all: `str(error)` is one sentence fit for a user."""

    status = 400


class BadRequestError(WattkeeperError):
    """What was asked cannot be understood; `field` names the part that is wrong."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ConflictError(WattkeeperError):
    """The thing is in a state in which this cannot be done."""

    status = 409


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
