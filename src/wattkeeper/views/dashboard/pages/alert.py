"""One alert: all that is known of it, what has happened to it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.flow.alerts.models import Alert, Happening, Transition
from wattkeeper.flow.alerts.queries import alert_by_id, transitions_of
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.live import live_address
from wattkeeper.views.dashboard.pages.alert_rows import SHELF_MINUTES, People, alert_rows, people_for
from wattkeeper.views.dashboard.whom import whom_to_ask

AROUND = timedelta(hours=1)  # of the window in which its thing is shown: before it opened, and after it was over
SHOWN_MOST = timedelta(days=7)
HISTORY_SHOWN = 500

_ICONS = {
    Happening.OPENED: "bell-alert",
    Happening.CLEARED: "check-circle",
    Happening.RESOLVED: "check-circle",
    Happening.ACKNOWLEDGED: "check",
    Happening.ASSIGNED: "user-plus",
    Happening.COMMENTED: "pencil-square",
    Happening.CHANGED: "pencil-square",
    Happening.SHELVED: "pause-circle",
    Happening.UNSHELVED: "arrow-uturn-left",
    Happening.ANNOUNCED: "bell-alert",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, in words; `why`: what was said of it. `event_at` where the reading's time is another."""

    at: datetime
    event_at: datetime | None
    words: str
    why: str
    icon: str


@page()
def alert(request: HttpRequest, caller: Caller, alert_id: int) -> HttpResponse:
    """The page of one alert."""
    found = alert_by_id(alert_id, tenant_id=caller.tenant_id)
    rows = alert_rows([found]) if found else []
    if found is None or not rows:
        raise NotFoundError("There is no such alert, or it is not yours.")
    may_act, may_resolve = caller.may(Action.ALERT_ACT), caller.may(Action.ALERT_RESOLVE)
    context: dict[str, Any] = {
        "alert": found,
        "row": rows[0],
        "thing": f"{reverse(rows[0].thing_address, args=[found.asset_id])}?{urlencode(_window(found))}",
        "history": moments_of(list(transitions_of(found)[:HISTORY_SHOWN])),
        "notifications": _notifications(found, caller),
        "may_act": may_act,
        "may_resolve": may_resolve,
        "who_resolves": "" if may_resolve else whom_to_ask(caller, Action.ALERT_RESOLVE, tenant_id=found.tenant_id),
        "live": live_address(kind=found.kind),
        "act": reverse("alerts-act"),
        "alerts": {  # what the menus of a list need
            "people": _people(found, caller) if may_act else None,
            "me": caller.user_id,
            "shelf_minutes": list(SHELF_MINUTES.items()),
        },
    }
    return render(request, "wattkeeper/alert.html", context)


def _people(found: Alert, caller: Caller) -> People:
    slug = found.tenant.slug if caller.above_tenants else ""
    return people_for(caller, tenant_id=found.tenant_id, tenant=slug)


def moments_of(history: Sequence[Transition]) -> list[Moment]:
    """A history as people read it, in its order."""
    names = names_of(one.by for one in history)
    return [
        Moment(
            at=one.at,
            event_at=one.event_at if abs(one.event_at - one.at) >= timedelta(seconds=1) else None,
            words=_words(one, names[one.by]),
            why=one.why,
            icon=_ICONS.get(Happening(one.kind), "information-circle"),
        )
        for one in history
    ]


def _words(one: Transition, who: str) -> str:
    detail = one.detail
    match Happening(one.kind):
        case Happening.OPENED:
            return "Opened by its rule" if one.by == "rule" else f"Posted by {who}"
        case Happening.CLEARED:
            return "Cleared"
        case Happening.RESOLVED:
            return f"Resolved by {who}"
        case Happening.ACKNOWLEDGED:
            return f"Acknowledged by {who}"
        case Happening.ASSIGNED if one.by == f"user:{detail.get('to')}":
            return f"Taken by {who}"
        case Happening.ASSIGNED:
            return f"Assigned to {detail.get('name') or 'nobody'} by {who}"
        case Happening.COMMENTED:
            return f"{who} said"
        case Happening.CHANGED:
            return f"{who} changed {_changes(detail)}"
        case Happening.SHELVED:
            until = parse_datetime(str(detail.get("until", "")))
            return f"Shelved by {who}" + (f" until {localtime(until):%Y-%m-%d %H:%M}" if until else "")
        case Happening.UNSHELVED:
            return "The shelf ended" if one.by == "clock" else f"Taken off the shelf by {who}"
        case Happening.ANNOUNCED:
            return "Announced anew: it is still open"
        case Happening.HIDDEN:
            return f"Hidden by {who}"


def _changes(detail: dict[str, Any]) -> str:
    """`level from INFO to ERROR, message`: what is long is left out."""
    said = [
        f"{name.replace('_', ' ')} from {values[0]} to {values[1]}" if name != "message" else "the message"
        for name, values in detail.items()
    ]
    return ", ".join(said) or "it"


def _window(found: Alert) -> dict[str, str]:
    """The time around it, for the page of its thing; of what lasts long its beginning."""
    end = found.cleared_at or found.resolved_at or now()
    until = min(max(end, found.opened_at), found.opened_at + SHOWN_MOST) + AROUND
    return {"since": (found.opened_at - AROUND).isoformat(), "until": until.isoformat()}


def _notifications(found: Alert, caller: Caller) -> str:
    """Where it stands who was told of it; empty for whom that is not for."""
    if not caller.may(Action.NOTIFY_EDIT):
        return ""
    return f"{reverse('notification-messages')}?{urlencode({'alert': found.pk})}"
