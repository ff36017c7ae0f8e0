"""What verdicts, one after the other, make of one pair of rule and asset. Pure.

           breach                  breach, for the on-delay          clear                clear, for the off-delay
    None ----------> PENDING ------------------------------> OPEN ----------> CLEARING --------------------------> None
                                      Step.OPEN               |                  |               Step.CLEAR
                                                a person resolves            a person resolves
                                                              v       clear      v
                                                          RESOLVED ---------> LEAVING ---------------------------> None

A clear verdict ends PENDING; a breach takes CLEARING back to OPEN, and LEAVING to RESOLVED.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wattkeeper.flow.rules.verdicts import Verdict

# A pair that opens so often within so long chatters: from then on it is over only after it has been clear for longer
# than any delay of its rule, so that no value that swings about its limit floods anybody.
CHATTER_OPENINGS = 4
CHATTER_WITHIN = timedelta(hours=1)
CHATTER_CLEAR = timedelta(hours=1)


class Phase(StrEnum):
    """Where a pair is that is not clear."""

    PENDING = "pending"  # in breach, not yet for the on-delay
    OPEN = "open"
    CLEARING = "clearing"  # open, but clear, not yet for the off-delay
    RESOLVED = "resolved"  # a person has resolved the alert, and the breach goes on: it must be clear before it opens
    LEAVING = "leaving"  # resolved, but clear, not yet for the off-delay


class Step(StrEnum):
    """What people hear of."""

    OPEN = "open"
    CLEAR = "clear"


AFTER_RESOLVING: Mapping[Phase, Phase] = {Phase.OPEN: Phase.RESOLVED, Phase.CLEARING: Phase.LEAVING}

_WHEN_CLEAR: Mapping[Phase, Phase] = {Phase.OPEN: Phase.CLEARING, Phase.RESOLVED: Phase.LEAVING}
_WHEN_BREACHED: Mapping[Phase, Phase] = {clear: breached for breached, clear in _WHEN_CLEAR.items()}


@dataclass(frozen=True, slots=True)
class Watch:
    """A pair that is not clear: since when it is in its phase, and its newest verdict's time, both in event time.

    `alert_id` is that of its alert, None before there is one.
    """

    phase: Phase
    since: datetime
    at: datetime
    chattering: bool = False
    alert_id: int | None = None


def advance(
    watch: Watch | None, verdict: Verdict, at: datetime, *, on_delay: timedelta, off_delay: timedelta
) -> tuple[Watch | None, Step | None]:
    """What the pair is after one verdict more, None being clear, and what people hear of it.

    A verdict that is unsure, or not newer than the newest, changes nothing: the same `watch` comes back.
    """
    if watch is None:
        return _pending(Watch(Phase.PENDING, at, at), on_delay) if verdict is Verdict.BREACH else (None, None)
    if at <= watch.at or verdict is Verdict.UNSURE:
        return watch, None
    watch = replace(watch, at=at)
    if verdict is Verdict.BREACH:
        if watch.phase is Phase.PENDING:
            return _pending(watch, on_delay)
        return _moved(watch, _WHEN_BREACHED), None
    if watch.phase is Phase.PENDING:
        return None, None
    return _clear(_moved(watch, _WHEN_CLEAR), off_delay)


def chatters(openings: Iterable[datetime], at: datetime) -> bool:
    """Whether a pair that has opened at these times chatters when it opens again at `at`."""
    return sum(at - one < CHATTER_WITHIN for one in openings) + 1 >= CHATTER_OPENINGS


def _pending(watch: Watch, on_delay: timedelta) -> tuple[Watch, Step | None]:
    if watch.at - watch.since < on_delay:
        return watch, None
    return replace(watch, phase=Phase.OPEN, since=watch.at), Step.OPEN


def _clear(watch: Watch, off_delay: timedelta) -> tuple[Watch | None, Step | None]:
    if watch.chattering:
        off_delay = max(off_delay, CHATTER_CLEAR)
    if watch.at - watch.since < off_delay:
        return watch, None
    return None, Step.CLEAR if watch.phase is Phase.CLEARING else None


def _moved(watch: Watch, ways: Mapping[Phase, Phase]) -> Watch:
    """In the phase that its own leads to, if it leads to one."""
    phase = ways.get(watch.phase)
    return watch if phase is None else replace(watch, phase=phase, since=watch.at)
