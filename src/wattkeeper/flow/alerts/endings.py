"""What ends without a person who takes care of the alert: with its rule, with its asset, by the clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import F, Q, QuerySet

from wattkeeper.base.catalog.kinds import STALE_AFTER
from wattkeeper.base.core import clock
from wattkeeper.base.jobs.registry import periodic
from wattkeeper.flow.alerts.machine import CHATTER_CLEAR, Phase
from wattkeeper.flow.alerts.models import Alert, Happening, RuleState, Transition
from wattkeeper.flow.alerts.transitions import BY_CLOCK, transition_of, transitions_add

_ROWS_A_STATEMENT = 5_000

T = TypeVar("T")

# Why what follows from a rule is over, though nobody has said so: a flush was judged by the rule as it was before.
_MISSED: Mapping[str, Q] = {
    "rule removed": Q(rule__removed_at__isnull=False),
    "rule disabled": Q(rule__enabled=False),
    "asset archived": Q(asset__archived_at__isnull=False),
    "asset is of another type": Q(rule__type__gt="") & ~Q(rule__type=F("asset__type")),
}


def rule_ended(rule_ids: Collection[int], *, by: str, why: str) -> list[Transition]:
    """Clear the open alerts of the rules, and forget where they stand. For the transaction that ends them."""
    return _end(Q(rule_id__in=rule_ids), by=by, why=why)


def asset_ended(asset_id: int, *, by: str, why: str) -> list[Transition]:
    """Clear the open alerts of the asset, those too that people posted. For the transaction that archives it."""
    return _end(Q(asset_id=asset_id), by=by, why=why)


@periodic(minutes=1)
def missed_end() -> int:
    """Clear what a rule or an asset that is over has left open; gives how many alerts."""
    anything = Q()
    for which in _MISSED.values():
        anything |= which
    if not (_unresolved(anything).exists() or RuleState.objects.filter(anything).exists()):
        return 0
    return sum(len(_end(which, by=BY_CLOCK, why=why)) for why, which in _MISSED.items())


@periodic(minutes=1)
def shelves_end() -> int:
    """End the shelves whose time is over, and announce what is still open; gives how many."""
    over = Q(shelved_until__lte=clock.now())
    if not Alert.objects.filter(over).exists():
        return 0
    transitions = shelf_end(over, by=BY_CLOCK, why="the shelf's time is over")
    return sum(one.kind == Happening.UNSHELVED for one in transitions)


@periodic(minutes=1)
@transaction.atomic
def quiet_end() -> int:
    """Clear what was clear when its asset was last heard of, where no reading comes to say so again; gives how many.

    Delays run on the readings' time. Of an asset that has gone quiet, the clock's counts once it is stale.
    """
    now = clock.now()
    quiet = RuleState.objects.filter(phase__in=(Phase.CLEARING, Phase.LEAVING), since__lt=now - STALE_AFTER).filter(
        Q(asset__last_seen=None) | Q(asset__last_seen__lt=now - STALE_AFTER)
    )
    over = [
        (pk, alert_id if phase == Phase.CLEARING else None)
        for pk, alert_id, phase, since, chattering, off_delay in quiet.values_list(
            "pk", "alert_id", "phase", "since", "chattering", "rule__off_delay_seconds"
        )
        if now - since >= max(timedelta(seconds=off_delay), CHATTER_CLEAR if chattering else STALE_AFTER)
    ]
    return sum(len(_quiet_cleared(pairs, now)) for pairs in _chunks(over))


def _quiet_cleared(pairs: Sequence[tuple[int, int | None]], now: datetime) -> list[Transition]:
    alerts = list(_unresolved(Q(pk__in=[alert_id for _, alert_id in pairs if alert_id])).select_for_update())
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(
        cleared_at=now, resolved_at=now, resolved_by=BY_CLOCK, updated_at=now
    )
    RuleState.objects.filter(pk__in=[pk for pk, _ in pairs]).delete()
    why = "clear when last heard of"
    return transitions_add(transition_of(alert, Happening.CLEARED, by=BY_CLOCK, at=now, why=why) for alert in alerts)


@transaction.atomic
def shelf_end(which: Q, *, by: str, why: str) -> list[Transition]:
    """End the shelves of those alerts that have one: what is still open is announced, as if it had just opened."""
    now = clock.now()
    shelved = list(Alert.objects.select_for_update().filter(which, shelved_until__isnull=False).order_by("pk"))
    for rows in _chunks(shelved):
        Alert.objects.filter(pk__in=[alert.pk for alert in rows]).update(
            shelved_until=None, shelve_reason="", shelved_by="", updated_at=now
        )
    transitions = []
    for alert in shelved:
        transitions.append(transition_of(alert, Happening.UNSHELVED, by=by, at=now, why=why))
        if not alert.is_resolved:
            transitions.append(transition_of(alert, Happening.ANNOUNCED, by=by, at=now, why=alert.message))
    return transitions_add(transitions)


@transaction.atomic
def _end(which: Q, *, by: str, why: str) -> list[Transition]:
    now = clock.now()
    # The rule may be absent: PostgreSQL locks no row that a join may not have.
    ended = list(_unresolved(which).select_for_update(of=("self",)).order_by("pk"))
    for rows in _chunks(ended):
        Alert.objects.filter(pk__in=[alert.pk for alert in rows]).update(
            cleared_at=now, resolved_at=now, resolved_by=by, updated_at=now
        )
    RuleState.objects.filter(which).delete()
    return transitions_add(transition_of(alert, Happening.CLEARED, by=by, at=now, why=why) for alert in ended)


def _unresolved(which: Q) -> QuerySet[Alert]:
    return Alert.objects.filter(which, resolved_at=None)


def _chunks(alerts: Sequence[T]) -> Iterator[Sequence[T]]:
    return (alerts[start : start + _ROWS_A_STATEMENT] for start in range(0, len(alerts), _ROWS_A_STATEMENT))
