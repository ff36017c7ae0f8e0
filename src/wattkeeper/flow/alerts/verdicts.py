"""What the rules' verdicts come to: pairs of rule and asset move, and alerts open and close with them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from wattkeeper.base.core.errors import BusyError
from wattkeeper.flow.alerts.machine import CHATTER_WITHIN, Phase, Step, Watch, advance, chatters
from wattkeeper.flow.alerts.models import (
    LONGEST_LIMIT,
    LONGEST_MESSAGE,
    LONGEST_VALUE,
    Alert,
    Happening,
    RuleState,
    Transition,
)
from wattkeeper.flow.alerts.queries import Pair, watched_of
from wattkeeper.flow.alerts.statements import rows_delete, rows_update
from wattkeeper.flow.alerts.transitions import BY_RULE, iso, transition_of, transitions_add
from wattkeeper.flow.alerts.wording import CHATTERS, limit_of, message_opened, value_of, why_cleared
from wattkeeper.flow.rules.verdicts import Judged, Verdict

log = logging.getLogger(__name__)

_ATTEMPTS = 5
_ROWS_A_STATEMENT = 1_000
_WITH_ALERT = frozenset({Phase.OPEN, Phase.CLEARING})
_AS_READ = ("asset_id", "rule_id", "at", "phase")  # a row that has these is still what it was
_STATE = ("phase", "since", "at", "chattering", "alert_id")


def verdicts_apply(judged: Sequence[Judged], *, watched: Mapping[Pair, Watch], now: datetime) -> list[Transition]:
    """Move the pairs by what was judged, in its order; gives what happened to alerts.

    `watched` is what `watched_of` said of their assets; `now` is the clock's. Where another process was quicker, what
    it made of them is read again; BusyError where it is quicker again and again.
    """
    if not judged:
        return []
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                if attempt:
                    watched = watched_of((one.asset_id for one in judged), lock=True)
                return _Course(judged, watched, now).run()
        except (IntegrityError, _OvertakenError) as error:
            log.info("Verdicts are applied again: %s", error)
    raise BusyError("Others change the same alerts; try again.")


class _OvertakenError(Exception):
    """What was read has been changed by somebody else."""


@dataclass(slots=True)
class _Pair:
    """One pair's way through a call. `alert` is open and has opened in this call."""

    before: Watch | None
    watch: Watch | None
    newest: datetime | None = None  # a pair that is clear keeps no time of its own
    alert: Alert | None = None


@dataclass(slots=True)
class _Past:
    """What is known of a pair's earlier alerts: when they opened, of late, and what the newest shelved one inherits."""

    openings: list[datetime] = field(default_factory=list)
    shelf: Mapping[str, Any] = field(default_factory=dict)


class _Course:
    """All pairs' ways through one call, and what is to be written of them."""

    def __init__(self, judged: Sequence[Judged], watched: Mapping[Pair, Watch], now: datetime) -> None:
        self._judged, self._watched, self._now = judged, watched, now
        self._pairs: dict[Pair, _Pair] = {}
        self._pasts: dict[Pair, _Past] | None = None
        self._opened: list[Alert] = []
        self._closed: dict[int, datetime] = {}  # when, in event time, by alert
        self._said: dict[int, Judged] = {}  # the newest that has a value, by alert
        self._transitions: list[Transition] = []

    def run(self) -> list[Transition]:
        for one in self._judged:
            self._follow(one)
        # In the order in which people's actions lock too: alerts, then states; and none opens before its pair's last
        # one is closed.
        self._write_alerts()
        Alert.objects.bulk_create(self._opened, batch_size=_ROWS_A_STATEMENT)
        self._write_states()
        return transitions_add(self._transitions)

    def _follow(self, one: Judged) -> None:
        rule = one.rule
        assert rule.id is not None, "a rule that is only tried opens no alert"
        key = (rule.id, one.asset_id)
        pair = self._pairs.get(key)
        if pair is None:
            before = self._watched.get(key)
            pair = self._pairs[key] = _Pair(before, before)
        if pair.newest is not None and one.at <= pair.newest:
            return
        watch, step = advance(pair.watch, one.verdict, one.at, on_delay=rule.on_delay, off_delay=rule.off_delay)
        if watch is pair.watch:
            return
        if pair.watch is not None and pair.watch.phase in _WITH_ALERT:
            self._refresh(pair, one)
        if step is Step.OPEN and watch is not None:
            watch = self._open(pair, watch, one, self._past_of(key))
        elif step is Step.CLEAR:
            self._close(pair, one)
        pair.watch, pair.newest = watch, one.at

    def _open(self, pair: _Pair, watch: Watch, one: Judged, past: _Past) -> Watch:
        rule, message = one.rule, message_opened(one)
        value, limit = _said(one)
        alert = Alert(
            tenant_id=rule.tenant_id,
            asset_id=one.asset_id,
            rule_id=rule.id,
            kind=rule.kind,
            alert_type=rule.alert_type,
            level=rule.level.value,
            message=message[:LONGEST_MESSAGE],
            value=value,
            limit=limit,
            created_at=self._now,
            updated_at=self._now,
            opened_at=one.at,
            **past.shelf,
        )
        chattering = chatters(past.openings, one.at)
        past.openings.append(one.at)
        pair.alert = alert
        self._opened.append(alert)
        since = pair.watch.since if pair.watch else one.at
        detail = {"value": one.value, "limit": limit, "since": iso(since)}
        why = f"{message}. {CHATTERS}" if chattering else message
        self._note(alert, Happening.OPENED, one.at, why, detail)
        if past.shelf:
            detail = {"until": iso(past.shelf["shelved_until"])}
            self._note(alert, Happening.SHELVED, one.at, past.shelf["shelve_reason"], detail)
        return replace(watch, chattering=chattering)

    def _close(self, pair: _Pair, one: Judged) -> None:
        assert pair.watch is not None
        why = why_cleared(one)
        if pair.alert is not None:
            pair.alert.cleared_at, pair.alert.resolved_at, pair.alert.resolved_by = one.at, self._now, BY_RULE
            self._note(pair.alert, Happening.CLEARED, one.at, why, {"value": one.value})
            pair.alert = None
        elif pair.watch.alert_id is not None:
            self._closed[pair.watch.alert_id] = one.at
            self._note(pair.watch.alert_id, Happening.CLEARED, one.at, why, {"value": one.value})

    def _refresh(self, pair: _Pair, one: Judged) -> None:
        """Keep what the alert says of its value up to date."""
        if one.value is None:
            return
        if pair.alert is not None:
            pair.alert.value, pair.alert.limit = _said(one)
        elif pair.watch is not None and pair.watch.alert_id is not None:
            self._said[pair.watch.alert_id] = one

    def _note(self, alert: Alert | int, kind: Happening, at: datetime, why: str, detail: Mapping[str, Any]) -> None:
        self._transitions.append(
            transition_of(alert, kind, by=BY_RULE, at=self._now, event_at=at, why=why, detail=detail)
        )

    def _past_of(self, key: Pair) -> _Past:
        if self._pasts is None:
            breaches = [one for one in self._judged if one.verdict is Verdict.BREACH]
            first = min(one.at for one in breaches)
            self._pasts = _pasts((one.asset_id for one in breaches), since=first - CHATTER_WITHIN, now=self._now)
        return self._pasts.setdefault(key, _Past())

    def _write_alerts(self) -> None:
        said = [(alert_id, *_said(one), self._now) for alert_id, one in self._said.items()]
        unresolved = "resolved_at IS NULL"
        rows_update(Alert, said, keys=("id",), to=("value", "limit", "updated_at"), where=unresolved)
        closed = [(alert_id, at, self._now, self._now, BY_RULE) for alert_id, at in self._closed.items()]
        to = ("cleared_at", "resolved_at", "updated_at", "resolved_by")
        rows_update(Alert, closed, keys=("id",), to=to, where=unresolved)

    def _write_states(self) -> None:
        made: list[RuleState] = []
        moved: list[tuple[Any, ...]] = []
        gone: list[tuple[Any, ...]] = []
        for (rule_id, asset_id), pair in self._pairs.items():
            before, watch = pair.before, pair.watch
            as_read = () if before is None else (asset_id, rule_id, before.at, before.phase.value)
            if watch is None:
                if before is not None:
                    gone.append(as_read)
                continue
            alert_id = pair.alert.pk if pair.alert is not None else watch.alert_id
            state = (watch.phase.value, watch.since, watch.at, watch.chattering, alert_id)
            if before is None:
                made.append(_state(asset_id, rule_id, state))
            elif watch != before:
                moved.append((*as_read, *state))
        RuleState.objects.bulk_create(made, batch_size=_ROWS_A_STATEMENT)
        written = rows_update(RuleState, moved, keys=_AS_READ, to=_STATE)
        written += rows_delete(RuleState, gone, keys=_AS_READ)
        if written != len(moved) + len(gone):
            raise _OvertakenError("a rule's state has moved in the meantime")


def _said(one: Judged) -> tuple[str, str]:
    """Value and limit as an alert keeps them."""
    return value_of(one)[:LONGEST_VALUE], limit_of(one)[:LONGEST_LIMIT]


def _state(asset_id: int, rule_id: int, state: Iterable[Any]) -> RuleState:
    return RuleState(asset_id=asset_id, rule_id=rule_id, **dict(zip(_STATE, state, strict=True)))


def _pasts(asset_ids: Iterable[int], *, since: datetime, now: datetime) -> dict[Pair, _Past]:
    """What is known of the assets' alerts by rule that opened after `since`, or are shelved."""
    pasts: dict[Pair, _Past] = {}
    ids = sorted(set(asset_ids))
    recent = Alert.objects.filter(Q(opened_at__gt=since) | Q(shelved_until__gt=now), rule__isnull=False).order_by("pk")
    for start in range(0, len(ids), _ROWS_A_STATEMENT):
        for alert in recent.filter(asset_id__in=ids[start : start + _ROWS_A_STATEMENT]):
            assert alert.rule_id is not None
            past = pasts.setdefault((alert.rule_id, alert.asset_id), _Past())
            past.openings.append(alert.opened_at)
            if alert.shelved_until is not None and alert.shelved_until > now:
                past.shelf = {name: getattr(alert, name) for name in ("shelved_until", "shelve_reason", "shelved_by")}
    return pasts
