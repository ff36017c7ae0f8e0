"""The log: what was sent to whom, and what became of each attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.base.core.ids import is_whole
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.models import Delivery, Notification, NotificationState
from wattkeeper.flow.notify.queries import alert_counts_of, channels_of, notification_by_id, notifications_of
from wattkeeper.views.dashboard.pages.notifications import EDIT, channel_rows
from wattkeeper.views.dashboard.scope import scope_of
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge

ROWS = 50
_ID_MOST = 10**12
_S = NotificationState
BADGES: Mapping[str, StateBadge] = {
    _S.GATHERING: StateBadge("Gathering", Level.QUIET, "inbox"),
    _S.WAITING: StateBadge("Waiting", Level.QUIET, "clock"),
    _S.SENDING: StateBadge("Sending", Level.QUIET, "arrow-path"),
    _S.SENT: StateBadge("Delivered", Level.FINE, "check-circle"),
    _S.FAILED: StateBadge("Failed", Level.ERROR, "exclamation-circle"),
    _S.DROPPED: StateBadge("Dropped", Level.QUIET, "no-symbol"),
}
OUTCOMES: Mapping[str, StateBadge] = {
    Outcome.DELIVERED: StateBadge("Delivered", Level.FINE, "check-circle"),
    Outcome.LATER: StateBadge("Not now", Level.WARNING, "clock"),
    Outcome.REFUSED: StateBadge("Refused", Level.ERROR, "x-circle"),
}
# How long a page goes on asking what has become of a test, and how often: at first each second, then seldom.
_ASKS = ((timedelta(seconds=20), 1), (timedelta(minutes=10), 5))


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt as its line shows it."""

    attempt: Delivery
    badge: StateBadge

    @property
    def words(self) -> str:
        """What the other side said, with its status where that does not stand in it."""
        status, detail = str(self.attempt.status or ""), self.attempt.detail
        return detail if status in detail else f"{status} {detail}".strip()


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as its row shows it. `asked_by`: who wanted a test."""

    message: Notification
    badge: StateBadge
    attempts: list[AttemptRow]
    alerts: int
    asked_by: str

    @property
    def title(self) -> str:
        if self.message.title:
            return self.message.title
        return "A test" if self.message.is_test else f"News of {self.alerts} alert{'' if self.alerts == 1 else 's'}"

    @property
    def is_finished(self) -> bool:
        return self.message.state in (_S.SENT, _S.FAILED, _S.DROPPED)

    @property
    def why(self) -> str:
        """Of what has not arrived yet the newest reason, without a full stop."""
        return (self.message.why or (self.attempts[-1].attempt.detail if self.attempts else "")).rstrip(".")

    @property
    def asks_after(self) -> int:
        """In so many seconds a page asks once more; 0: not any more."""
        age = now() - self.message.created_at
        return 0 if self.is_finished else next((seconds for most, seconds in _ASKS if age < most), 0)


@EDIT
def messages(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The newest first, filtered by channel, state and alert."""
    scope = scope_of(request, caller)
    channel_id, alert_id, state = _id(request, "channel"), _id(request, "alert"), request.GET.get("state", "")
    if state and state not in BADGES:
        raise BadRequestError(f"{state[:40]!r} is not a state of messages.", field="state")
    found = notifications_of(scope.tenant_id, channel_id=channel_id, state=state, alert_id=alert_id)
    shown = Paginator(found, ROWS).get_page(request.GET.get("page"))
    rows = message_rows(list(shown.object_list))
    names = {channel.pk: channel.name for channel in channels_of(scope.tenant_id)}
    if channel_id and rows:
        names.setdefault(channel_id, rows[0].message.channel.name)  # one that is removed
    context = {
        "page": shown,
        "rows": rows,
        "channels": names.items(),
        "channel_id": channel_id,
        "alert_id": alert_id,
        "state": state,
        "states": [(value, badge.word) for value, badge in BADGES.items()],
        "show_tenant": scope.tenant_id is None,
    }
    return render(request, "wattkeeper/notifications/messages.html", context)


@EDIT
def message(request: HttpRequest, caller: Caller, message_id: int) -> HttpResponse:
    """What has become of a message, for a page that is there already; else the log of its channel."""
    found = notification_by_id(message_id, tenant_id=caller.tenant_id)
    if found is None:
        raise NotFoundError("There is no such message, or it is not yours.")
    if "HX-Request" in request.headers:
        row = message_row(found)
        channels = channel_rows([found.channel] if row.is_finished and found.channel.removed_at is None else [])
        context = {"row": row, "channel": channels[0] if channels else None}
        return render(request, "wattkeeper/notifications/outcome.html", context)
    return redirect(f"{reverse('notification-messages')}?channel={found.channel_id}")


def message_row(found: Notification) -> MessageRow:
    return message_rows([found])[0]


def message_rows(found: Sequence[Notification]) -> list[MessageRow]:
    """What stands in the rows of these messages."""
    counts = alert_counts_of([one.pk for one in found])
    names = names_of(one.requested_by for one in found if one.requested_by)
    return [
        MessageRow(
            one,
            BADGES[one.state],
            [AttemptRow(attempt, OUTCOMES[attempt.outcome]) for attempt in one.deliveries.all()],
            counts.get(one.pk, 0),
            names.get(one.requested_by, ""),
        )
        for one in found
    ]


def _id(request: HttpRequest, name: str) -> int | None:
    said = request.GET.get(name, "")
    if not said:
        return None
    if not (is_whole(said) and 0 < int(said) < _ID_MOST):
        raise BadRequestError(f"{said[:40]!r} is not a number of one.", field=name)
    return int(said)
