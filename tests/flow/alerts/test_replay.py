"""Stretches through the machine: the same as second by second."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.alerts.machine import Step, Watch, advance, chatters
from wattkeeper.flow.alerts.replay import Delays, episodes_of, silences_of
from wattkeeper.flow.rules.verdicts import Verdict
from wattkeeper.flow.store.episodes import Run

UNTIL = 7_200
Opened = tuple[int, int | None]  # seconds


def at(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def runs_of(heard: Sequence[int], *, limit: int, delays: Delays) -> list[Run]:
    """As the store gives them, of an asset that was heard of at these seconds."""
    starts = [second for before, second in itertools.pairwise([-UNTIL, *heard]) if second - before > limit]
    found = []
    for start, following in itertools.pairwise([*starts, 2 * UNTIL]):
        own = [timedelta(seconds=second) for second in heard if start <= second < following]
        reached = [next((one for one in own if one - own[0] >= delay), None) for delay in delays.clear]
        micro = timedelta(microseconds=1)
        found.append(
            Run(1, False, own[0] // micro, own[-1] // micro, tuple(one and one // micro for one in reached), 0.0, 0.0)
        )
    return found


def second_by_second(heard: Sequence[int], *, last_seen: int | None, limit: int, delays: Delays) -> list[Opened]:
    """A clock that looks each second, as the pipeline's does less often."""
    watch: Watch | None = None
    last = last_seen if last_seen is not None and last_seen < 0 else None
    signs = {*heard, *([last_seen] if last_seen is not None else [])}
    openings: list[datetime] = []
    alerts: list[Opened] = []
    for second in range(UNTIL):
        if second in signs:
            last, verdict = second, Verdict.CLEAR
        elif last is not None and second - last >= limit:
            verdict = Verdict.BREACH
        else:
            continue
        watch, step = advance(watch, verdict, at(second), on_delay=delays.on, off_delay=delays.off)
        if step is Step.OPEN and watch is not None:
            watch = replace(watch, chattering=chatters(openings, at(second)))
            openings.append(at(second))
            alerts.append((second, None))
        elif step is Step.CLEAR:
            alerts[-1] = (alerts[-1][0], second)
    return alerts


@settings(deadline=None)
@given(
    heard=st.lists(st.integers(1, UNTIL - 1), max_size=60, unique=True).map(sorted),
    pause=st.none() | st.integers(1, 300),
    limit=st.sampled_from([10, 60, 600]),
    on=st.sampled_from([0, 5, 120]),
    off=st.sampled_from([0, 5, 120]),
)
def test_a_silence_is_the_one_that_a_clock_would_have_seen(
    heard: list[int], pause: int | None, limit: int, on: int, off: int
) -> None:
    """`pause`: so long after the last reading, or so long before the window, there was another sign of life."""
    delays = Delays(timedelta(seconds=on), timedelta(seconds=off))
    last_seen = None if pause is None else min(heard[-1] + pause, UNTIL - 1) if heard else -pause
    stretches = silences_of(
        runs_of(heard, limit=limit, delays=delays),
        last_seen=None if last_seen is None else at(last_seen),
        limit=timedelta(seconds=limit),
        since=at(0),
        until=at(UNTIL),
        delays=delays,
    )
    found = [
        (round((one.opened_at - EPOCH).total_seconds()), one.cleared_at and (one.cleared_at - EPOCH).total_seconds())
        for one in episodes_of(1, stretches, delays=delays, until=at(UNTIL))
    ]
    assert found == second_by_second(heard, last_seen=last_seen, limit=limit, delays=delays)
