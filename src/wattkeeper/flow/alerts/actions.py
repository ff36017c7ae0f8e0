"""The one door for changes to alerts: here what people do to one; `several.py`, `verdicts.py` and `endings.py` have the
rest.

Each change is conditional on what it changes, so of two who do the same at once one does it and the other hears that
nothing has changed (None); the alert in hand is then as it is now. Each is a transition: who, when, why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.models import User
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.flow.alerts.endings import asset_ended, rule_ended, shelf_end
from wattkeeper.flow.alerts.machine import AFTER_RESOLVING
from wattkeeper.flow.alerts.models import LONGEST_MESSAGE, LONGEST_TEXT, Alert, Happening, RuleState, Transition
from wattkeeper.flow.alerts.several import (
    LONGEST_SHELF,
    Acknowledged,
    Assigned,
    Shelved,
    alerts_acknowledge,
    alerts_assign,
    alerts_shelve,
    assignee_checked,
    reason_said,
    text_said,
    until_checked,
)
from wattkeeper.flow.alerts.transitions import iso, transition_of, transitions_add
from wattkeeper.flow.alerts.verdicts import verdicts_apply

__all__ = [
    "LONGEST_SHELF",
    "Acknowledged",
    "Assigned",
    "Shelved",
    "alert_acknowledge",
    "alert_assign",
    "alert_change",
    "alert_comment",
    "alert_hide",
    "alert_post",
    "alert_resolve",
    "alert_shelve",
    "alert_unshelve",
    "alerts_acknowledge",
    "alerts_assign",
    "alerts_shelve",
    "asset_ended",
    "rule_ended",
    "verdicts_apply",
]


@transaction.atomic
def alert_post(asset: Asset, *, alert_type: AlertType, level: Level, message: str, by: str) -> Alert:
    """An alert that nobody's rule has made. ValidationError by field."""
    _check_type(asset.kind, alert_type)
    now = clock.now()
    alert = Alert(
        tenant_id=asset.tenant_id,
        asset=asset,
        kind=asset.kind,
        alert_type=alert_type.value,
        level=level.value,
        message=text_said("message", message, longest=LONGEST_MESSAGE),
        created_at=now,
        updated_at=now,
        opened_at=now,
    )
    alert.full_clean(exclude=["tenant", "asset", "rule"])
    alert.save()
    _note(alert, Happening.OPENED, by=by, at=now, why=alert.message)
    return alert


@transaction.atomic
def alert_change(
    alert: Alert,
    *,
    by: str,
    message: str | None = None,
    alert_type: AlertType | None = None,
    level: Level | None = None,
) -> Transition | None:
    """Change what is given of an alert that people posted. ValidationError by field, also for all that a rule says;
    ConflictError where somebody else has changed the same."""
    given = {
        "message": message,
        "alert_type": alert_type and alert_type.value,
        "level": level and level.value,
    }
    if message is not None and message != alert.message:  # what stands there may be sent back
        given["message"] = text_said("message", message, longest=LONGEST_MESSAGE)
    wanted = {name: text for name, text in given.items() if text is not None and text != getattr(alert, name)}
    if wanted and alert.rule_id is not None:
        raise ValidationError(dict.fromkeys(wanted, "A rule says this; only alerts that people posted can be changed."))
    if alert_type is not None:
        _check_type(alert.kind, alert_type)
    now = clock.now()
    changed = row_change(alert, wanted, updated_at=now)
    return _note(alert, Happening.CHANGED, by=by, at=now, detail=changed) if changed else None


@transaction.atomic
def alert_acknowledge(alert: Alert, *, by: str) -> Transition | None:
    """Say that somebody knows of it. It stays acknowledged until it is over."""
    now = clock.now()
    if not _claim(alert, Q(acknowledged_at=None), acknowledged_at=now, acknowledged_by=by, updated_at=now):
        return None
    return _note(alert, Happening.ACKNOWLEDGED, by=by, at=now)


@transaction.atomic
def alert_assign(alert: Alert, *, user: User | None, by: str) -> Transition | None:
    """Give it to somebody who takes care of it; None: to nobody.

    ValidationError for who is not of its tenant, or may not log in, or not take care of alerts.
    """
    if user is not None:
        assignee_checked(user, tenant_ids={alert.tenant_id})
    now = clock.now()
    before = alert.assigned_to_id
    pk = user.pk if user else None
    if not _claim(alert, ~Q(assigned_to=pk), assigned_to_id=pk, updated_at=now):
        return None
    alert.assigned_to = user
    detail = {"from": before, "to": pk, "name": user.get_username() if user else None}
    return _note(alert, Happening.ASSIGNED, by=by, at=now, detail=detail)


@transaction.atomic
def alert_comment(alert: Alert, text: str, *, by: str) -> Transition:
    """Say something about it. ValidationError where that is nothing, or too much."""
    return _note(alert, Happening.COMMENTED, by=by, at=clock.now(), why=text_said("text", text, longest=LONGEST_TEXT))


@transaction.atomic
def alert_shelve(alert: Alert, *, reason: str, until: datetime, by: str) -> Transition | None:
    """Have nobody told of it until then, for at most LONGEST_SHELF, nor of what its rule finds anew meanwhile.

    ValidationError by field; ConflictError where it is over.
    """
    now = clock.now()
    reason = reason_said(reason)
    until_checked(until, now)
    if not _claim(
        alert,
        Q(resolved_at=None) & ~Q(shelved_until=until, shelve_reason=reason),
        shelved_until=until,
        shelve_reason=reason,
        shelved_by=by,
        updated_at=now,
    ):
        if alert.is_resolved:
            raise ConflictError("This alert is over: there is nothing to shelve.")
        return None
    return _note(alert, Happening.SHELVED, by=by, at=now, why=reason, detail={"until": iso(until)})


@transaction.atomic
def alert_unshelve(alert: Alert, *, by: str) -> Transition | None:
    """End its shelf before its time, and those of its rule's earlier alerts of the asset, from which it may have it.

    It is announced if it is still open.
    """
    which = Q(pk=alert.pk) if alert.rule_id is None else Q(rule_id=alert.rule_id, asset_id=alert.asset_id)
    ended = [one for one in shelf_end(which, by=by, why="") if one.alert_id == alert.pk]
    _refresh(alert)
    return ended[0] if ended else None


@transaction.atomic
def alert_resolve(alert: Alert, *, by: str, why: str = "") -> Transition | None:
    """End it. What is still in breach opens again only after it has been clear."""
    now = clock.now()
    if not _claim(alert, Q(resolved_at=None), resolved_at=now, resolved_by=by, updated_at=now):
        return None
    # In one statement: between two, a verdict could take the state from the one phase to the other.
    after = [When(phase=phase.value, then=Value(after.value)) for phase, after in AFTER_RESOLVING.items()]
    RuleState.objects.filter(alert=alert).update(phase=Case(*after, default=F("phase")))
    return _note(alert, Happening.RESOLVED, by=by, at=now, why=text_said("why", why, longest=LONGEST_TEXT, empty=True))


@transaction.atomic
def alert_hide(alert: Alert, *, by: str) -> Transition | None:
    """Take it out of everybody's sight, with its history kept. It is resolved first: nothing open is out of sight."""
    alert_resolve(alert, by=by)
    now = clock.now()
    if not _claim(alert, Q(), hidden_at=now, updated_at=now):
        return None
    return _note(alert, Happening.HIDDEN, by=by, at=now)


def _claim(alert: Alert, when: Q, **to: Any) -> bool:
    """Whether the alert is one that nobody has hidden, for which `when` holds; then it is given these values."""
    if Alert.objects.filter(when, pk=alert.pk, hidden_at=None).update(**to):
        for name, value in to.items():
            setattr(alert, name, value)
        return True
    _refresh(alert)
    return False


def _refresh(alert: Alert) -> None:
    alert.refresh_from_db(from_queryset=Alert.objects.select_related("asset", "assigned_to"))


def _note(
    alert: Alert,
    kind: Happening,
    *,
    by: str,
    at: datetime,
    why: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Transition:
    (added,) = transitions_add([transition_of(alert, kind, by=by, at=at, why=why, detail=detail)])
    return added


def _check_type(kind: str, alert_type: AlertType) -> None:
    known = registry.kind(kind).alert_types
    if alert_type not in known:
        raise ValidationError({"alert_type": f"{alert_type.value} is none of a {kind}'s: {', '.join(known)}."})
