"""How what happens to alerts is noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from wattkeeper.base.core import bus
from wattkeeper.flow.alerts.events import AlertsMoved
from wattkeeper.flow.alerts.models import LONGEST_MESSAGE, Alert, Happening, Transition

BY_RULE, BY_CLOCK = "rule", "clock"  # beside people and keys: a rule's verdict, and time that has passed

_ROWS_A_STATEMENT = 1_000


def transition_of(
    alert: Alert | int,
    kind: Happening,
    *,
    by: str,
    at: datetime,
    event_at: datetime | None = None,
    why: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Transition:
    """One thing that happens to the alert, or to the alert of that id; not written yet."""
    whose: dict[str, Any] = {"alert_id": alert} if isinstance(alert, int) else {"alert": alert}
    return Transition(
        kind=kind,
        by=by,
        at=at,
        event_at=event_at or at,
        why=why[:LONGEST_MESSAGE],
        detail=dict(detail or {}),
        **whose,
    )


def transitions_add(transitions: Iterable[Transition]) -> list[Transition]:
    """Write them, in their order; whoever listens hears of them after the commit."""
    added = Transition.objects.bulk_create(transitions, batch_size=_ROWS_A_STATEMENT)
    if added:
        transaction.on_commit(partial(bus.tell, AlertsMoved(added)))
    return added


def iso(moment: datetime) -> str:
    """A time as it stands in a transition's detail."""
    return moment.isoformat().replace("+00:00", "Z")
