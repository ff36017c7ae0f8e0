"""What a way of telling people declares of itself: forms, checks and the API are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One thing that has to be known of a channel. A secret is never shown again once it is written."""

    name: str
    label: str
    help: str = ""
    is_secret: bool = False
    is_list: bool = False  # several texts: in a form one a line
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()  # value and label; none: free text


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNews:
    """What happened to one alert, in the words that people read. Times are aware UTC."""

    alert_id: int
    what: str  # opened, announced, cleared, resolved, repeated
    level: str
    alert_type: str
    kind: str
    asset_key: str
    asset_name: str
    site: str
    message: str
    value: str  # the newest that was judged
    limit: str
    since: datetime
    address: str  # of the alert's page


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message with all the news that it brings. `event_id` is the same in every attempt to deliver it."""

    event_id: UUID
    tenant_name: str
    at: datetime
    title: str
    news: Sequence[AlertNews]
    is_test: bool = False
    zone: str = "UTC"  # the tenant's, in which people read times
    reached: frozenset[str] = frozenset()  # whom an earlier attempt has reached, of several: they are left out


class Outcome(StrEnum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    LATER = "later"  # it may work in a while: 429, 5xx, no answer
    REFUSED = "refused"  # it will not work as it is: 401, 404, 413, an address that is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: what became of it, in words without secrets, and when to come back where the other side says so.

    `may_have_arrived`: of one without an answer, that it was on its way already. What the other side has refused, or
    where there was no connection, has not arrived.
    """

    outcome: Outcome
    detail: str
    status: int | None = None  # HTTP's or SMTP's
    retry_after_seconds: float | None = None
    reached: tuple[str, ...] = ()  # of several addresses those that this attempt has reached
    may_have_arrived: bool = False

    @property
    def is_heard(self) -> bool:
        """Somebody has it, or may have it."""
        return self.outcome is Outcome.DELIVERED or bool(self.reached) or self.may_have_arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelType:
    """`check` gives the settings as they are kept; ValidationError by field. `whereto` names the place to people who
    may know of the channel, without secrets. `send` does not raise."""

    name: str
    label: str
    icon: str  # of heroicons
    fields: tuple[SettingField, ...]
    check: Callable[[Settings], dict[str, Any]]
    whereto: Callable[[Settings], str]
    send: Callable[[Settings, Message], Attempt]
    notes: Mapping[str, str] = field(default_factory=dict)
