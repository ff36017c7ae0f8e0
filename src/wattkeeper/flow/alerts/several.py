"""What people do to several alerts at once: one transaction, a few statements, a transition for each that changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from wattkeeper.base.accounts.callers import caller_of_user
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import Tenant, User
from wattkeeper.base.core import clock
from wattkeeper.base.core.texts import lines_joined, text_trouble
from wattkeeper.flow.alerts.models import LONGEST_REASON, Alert, Happening
from wattkeeper.flow.alerts.transitions import iso, transition_of, transitions_add

LONGEST_SHELF = timedelta(hours=8)
_HOURS = LONGEST_SHELF // timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What became of alerts that were to be acknowledged at once, by id; `unknown`: the tenant has no such alert."""

    acknowledged: list[int]
    already: list[int]
    unknown: list[int]


@dataclass(frozen=True, slots=True)
class Assigned:
    """The same of alerts that were to be given to somebody; `already`: those that they had."""

    assigned: list[int]
    already: list[int]
    unknown: list[int]


@dataclass(frozen=True, slots=True)
class Shelved:
    """The same of alerts that were to be shelved; `already`: with that reason and that end; `over`: none to shelve."""

    shelved: list[int]
    already: list[int]
    unknown: list[int]
    over: list[int] = field(default_factory=list)


@transaction.atomic
def alerts_acknowledge(ids: Collection[int], *, tenant_id: int | None, by: str) -> Acknowledged:
    """Say of those of the tenant (None: of any) that somebody knows of them."""
    now = clock.now()
    found = _locked(ids, tenant_id, "acknowledged_at")
    new = [pk for pk, (acknowledged_at,) in found.items() if acknowledged_at is None]
    Alert.objects.filter(pk__in=new).update(acknowledged_at=now, acknowledged_by=by, updated_at=now)
    transitions_add(transition_of(pk, Happening.ACKNOWLEDGED, by=by, at=now) for pk in new)
    return Acknowledged(acknowledged=new, already=_without(found, new), unknown=_without(sorted(set(ids)), found))


@transaction.atomic
def alerts_assign(ids: Collection[int], *, user: User | None, tenant_id: int | None, by: str) -> Assigned:
    """Give those of the tenant (None: of any) to somebody; None: to nobody.

    ValidationError where one of them is of another tenant than the person, or the person may not log in, or not take
    care of alerts: then none is.
    """
    now = clock.now()
    found = _locked(ids, tenant_id, "assigned_to_id", "tenant_id")
    if user is not None:
        others = {whose for _, whose in found.values()} - {user.tenant_id}
        if tenant_id is None and user.is_active and others:
            raise ValidationError({"user": _of_others(user, others)})
        assignee_checked(user, tenant_ids=others)
    to = user.pk if user else None
    new = {pk: before for pk, (before, _) in found.items() if before != to}
    Alert.objects.filter(pk__in=new).update(assigned_to_id=to, updated_at=now)
    name = user.get_username() if user else None
    transitions_add(
        transition_of(pk, Happening.ASSIGNED, by=by, at=now, detail={"from": before, "to": to, "name": name})
        for pk, before in new.items()
    )
    return Assigned(assigned=list(new), already=_without(found, new), unknown=_without(sorted(set(ids)), found))


@transaction.atomic
def alerts_shelve(ids: Collection[int], *, reason: str, until: datetime, tenant_id: int | None, by: str) -> Shelved:
    """Have nobody told until then of those of the tenant (None: of any), as `alert_shelve`. ValidationError by field.

    What is over is left as it is.
    """
    now = clock.now()
    reason = reason_said(reason)
    until_checked(until, now)
    found = _locked(ids, tenant_id, "resolved_at", "shelved_until", "shelve_reason")
    is_open = {pk: shelf for pk, (resolved_at, *shelf) in found.items() if resolved_at is None}
    new = [pk for pk, shelf in is_open.items() if shelf != [until, reason]]
    Alert.objects.filter(pk__in=new).update(shelved_until=until, shelve_reason=reason, shelved_by=by, updated_at=now)
    detail = {"until": iso(until)}
    transitions_add(transition_of(pk, Happening.SHELVED, by=by, at=now, why=reason, detail=detail) for pk in new)
    return Shelved(
        shelved=new,
        already=_without(is_open, new),
        unknown=_without(sorted(set(ids)), found),
        over=_without(found, is_open),
    )


def reason_said(text: str) -> str:
    """Why something is shelved, in one line. ValidationError where that is nothing, or too much."""
    return text_said("reason", text, longest=LONGEST_REASON, lines=False)


def text_said(field: str, text: str, *, longest: int, empty: bool = False, lines: bool = True) -> str:
    """What somebody has written, in the words of the API where it cannot be taken. ValidationError by field."""
    text = lines_joined(text)
    if not (text or empty):
        raise ValidationError({field: "This field may not be blank."})
    if len(text) > longest:
        raise ValidationError({field: f"Ensure this field has no more than {longest} characters."})
    if "\0" in text:  # which PostgreSQL does not store
        raise ValidationError({field: "Null characters are not allowed."})
    if text and (trouble := text_trouble(text, lines=lines)):
        raise ValidationError({field: trouble})
    return text


def until_checked(until: datetime, now: datetime) -> None:
    """ValidationError where no shelf may last until then."""
    if not now < until <= now + LONGEST_SHELF:
        raise ValidationError({"until": f"A shelf ends in the future, and at most {_HOURS} hours from now."})


def assignee_checked(user: User, *, tenant_ids: Collection[int]) -> None:
    """ValidationError where alerts of these tenants are not for that person to take care of."""
    if set(tenant_ids) - {user.tenant_id} or not user.is_active:
        raise ValidationError({"user": "There is no such person in this tenant."})
    if not caller_of_user(user).may(Action.ALERT_ACT):
        name = user.get_username()
        raise ValidationError({"user": f"{name} is a {user.role}, and may not take care of alerts."})


def _of_others(user: User, tenant_ids: Collection[int]) -> str:
    """For who stands above tenants: why these alerts are not for that person."""
    names = Tenant.objects.filter(pk__in=tenant_ids).order_by("name").values_list("name", flat=True)
    theirs = user.tenant.name if user.tenant else "no tenant"
    return (
        f"{user.get_username()} is of {theirs}, but there are alerts of {', '.join(names)} among these: none is given."
    )


def _locked(ids: Collection[int], tenant_id: int | None, *columns: str) -> Mapping[int, list[Any]]:
    """Those columns of the alerts that the tenant has, by id; nobody else changes them until the commit."""
    visible = Alert.objects.filter(pk__in=ids, hidden_at=None)
    if tenant_id is not None:
        visible = visible.filter(tenant_id=tenant_id)
    return {pk: row for pk, *row in visible.select_for_update().order_by("pk").values_list("pk", *columns)}


def _without(ids: Iterable[int], others: Iterable[int]) -> list[int]:
    """Those of `ids` that are not among the others, in their order."""
    left_out = set(others)
    return [pk for pk in ids if pk not in left_out]
