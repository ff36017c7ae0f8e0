"""One pair of rule and asset, verdict by verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.flow.alerts.machine import (
    AFTER_RESOLVING,
    CHATTER_OPENINGS,
    CHATTER_WITHIN,
    Phase,
    Step,
    Watch,
    advance,
    chatters,
)
from wattkeeper.flow.rules.verdicts import Verdict

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BREACH, CLEAR, UNSURE = Verdict.BREACH, Verdict.CLEAR, Verdict.UNSURE

Judged = tuple[int, Verdict]  # seconds after noon
Heard = list[tuple[int, Step]]


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def run(
    judged: Iterable[Judged], watch: Watch | None = None, *, on: int = 0, off: int = 0
) -> tuple[Watch | None, Heard]:
    """What the verdicts make of the pair, and what people hear of it, by the second."""
    heard: Heard = []
    for second, verdict in judged:
        watch, step = advance(
            watch, verdict, at(second), on_delay=timedelta(seconds=on), off_delay=timedelta(seconds=off)
        )
        if step is not None:
            heard.append((second, step))
    return watch, heard


def phase_after(judged: Iterable[Judged], watch: Watch | None = None, **delays: int) -> Phase | None:
    left, _ = run(judged, watch, **delays)
    return left and left.phase


def resolved(watch: Watch | None) -> Watch:
    assert watch is not None
    return replace(watch, phase=AFTER_RESOLVING[watch.phase])


class TestOpening:
    def test_a_breach_opens_at_once_without_a_delay(self) -> None:
        assert run([(0, BREACH)]) == (Watch(Phase.OPEN, at(0), at(0)), [(0, Step.OPEN)])

    def test_a_breach_opens_after_the_on_delay_and_not_before(self) -> None:
        watch, heard = run([(0, BREACH), (9, BREACH), (10, BREACH), (11, BREACH)], on=10)
        assert heard == [(10, Step.OPEN)]
        assert watch == Watch(Phase.OPEN, at(10), at(11))

    def test_one_clear_verdict_begins_the_on_delay_anew(self) -> None:
        assert run([(0, BREACH), (9, CLEAR), (10, BREACH), (19, BREACH)], on=10)[1] == []
        assert run([(0, BREACH), (9, CLEAR), (10, BREACH), (20, BREACH)], on=10)[1] == [(20, Step.OPEN)]

    def test_what_nobody_knows_neither_begins_nor_ends_a_breach(self) -> None:
        assert run([(0, UNSURE), (1, CLEAR)]) == (None, [])
        assert run([(0, BREACH), (5, UNSURE), (10, BREACH)], on=10)[1] == [(10, Step.OPEN)]
        assert phase_after([(0, BREACH), (50, UNSURE)], on=10) is Phase.PENDING


class TestClearing:
    def test_it_clears_at_once_without_a_delay(self) -> None:
        assert run([(0, BREACH), (1, CLEAR)]) == (None, [(0, Step.OPEN), (1, Step.CLEAR)])

    def test_it_clears_after_the_off_delay_and_not_before(self) -> None:
        assert run([(0, BREACH), (1, CLEAR), (10, CLEAR)], off=10)[1] == [(0, Step.OPEN)]
        assert run([(0, BREACH), (1, CLEAR), (11, CLEAR)], off=10) == (None, [(0, Step.OPEN), (11, Step.CLEAR)])

    def test_one_breach_begins_the_off_delay_anew_without_a_second_alert(self) -> None:
        watch, heard = run([(0, BREACH), (1, CLEAR), (5, BREACH), (6, CLEAR), (15, CLEAR)], off=10)
        assert heard == [(0, Step.OPEN)]
        assert watch == Watch(Phase.CLEARING, at(6), at(15))

    def test_a_value_in_the_deadband_neither_clears_nor_keeps_open(self) -> None:
        assert phase_after([(0, BREACH), (1, UNSURE)]) is Phase.OPEN
        assert run([(0, BREACH), (1, CLEAR), (5, UNSURE), (11, CLEAR)], off=10)[1][-1] == (11, Step.CLEAR)


class TestResolvedByAPerson:
    def test_it_stays_quiet_while_the_breach_goes_on(self) -> None:
        watch, _ = run([(0, BREACH)])
        assert run([(1, BREACH), (2, UNSURE), (3, BREACH)], resolved(watch))[1] == []

    def test_it_opens_again_only_after_it_has_been_clear_for_the_off_delay(self) -> None:
        watch, _ = run([(0, BREACH)], off=10)
        too_short = [(1, CLEAR), (5, BREACH), (6, CLEAR), (15, CLEAR), (16, BREACH)]
        assert run(too_short, resolved(watch), off=10)[1] == []
        enough = [(1, CLEAR), (11, CLEAR), (12, BREACH)]
        assert run(enough, resolved(watch), off=10)[1] == [(12, Step.OPEN)], "and nobody is told of the clearing"

    def test_what_was_clear_already_counts(self) -> None:
        watch, _ = run([(0, BREACH), (1, CLEAR)], off=10)
        assert phase_after([], resolved(watch)) is Phase.LEAVING
        assert run([(11, CLEAR)], resolved(watch), off=10) == (None, [])


verdicts = st.sampled_from(Verdict)
delays = st.sampled_from([0, 1, 7, 30])
courses = st.lists(st.tuples(st.integers(1, 20), verdicts), max_size=40).map(
    lambda steps: [(sum(gap for gap, _ in steps[: n + 1]), verdict) for n, (_, verdict) in enumerate(steps)]
)


@given(courses, delays, delays, st.data())
def test_late_and_repeated_verdicts_never_change_anything(
    course: Sequence[Judged], on: int, off: int, data: st.DataObject
) -> None:
    watch: Watch | None = None
    for judged in course:
        watch, _ = run([judged], watch, on=on, off=off)
        if watch is not None:
            newest = int((watch.at - at(0)).total_seconds())  # what was unsure has no time of its own
            late = data.draw(st.integers(-100, newest)), data.draw(verdicts)
            assert run([late], watch, on=on, off=off) == (watch, [])


@given(courses, delays, delays, st.integers(0, 40))
def test_verdicts_in_two_batches_come_to_what_they_come_to_in_one(
    course: Sequence[Judged], on: int, off: int, cut: int
) -> None:
    whole, heard = run(course, on=on, off=off)
    first, before = run(course[:cut], on=on, off=off)
    second, after = run(course[cut:], first, on=on, off=off)
    assert (second, before + after) == (whole, heard)


@given(courses, delays, delays)
def test_nothing_opens_twice_without_having_cleared(course: Sequence[Judged], on: int, off: int) -> None:
    steps = [step for _, step in run(course, on=on, off=off)[1]]
    assert steps[::2] == [Step.OPEN] * len(steps[::2])
    assert steps[1::2] == [Step.CLEAR] * len(steps[1::2])


@given(courses, delays, delays)
def test_an_alert_is_open_as_long_as_the_last_that_was_heard_says(course: Sequence[Judged], on: int, off: int) -> None:
    watch, heard = run(course, on=on, off=off)
    is_open = watch is not None and watch.phase in {Phase.OPEN, Phase.CLEARING}
    assert is_open == (bool(heard) and heard[-1][1] is Step.OPEN)


@given(courses, delays, delays)
def test_what_a_person_has_resolved_is_heard_of_again_only_after_a_clear_verdict(
    course: Sequence[Judged], on: int, off: int
) -> None:
    watch = Watch(Phase.RESOLVED, at(0), at(0))
    for second, verdict in course:
        left, heard = run([(second, verdict)], watch, on=on, off=off)
        assert heard == []
        if left is None:
            assert verdict is CLEAR
            return
        watch = left


@given(st.lists(st.tuples(st.integers(1, 1500), verdicts), max_size=200), st.sampled_from([0, 60]))
def test_a_value_that_swings_about_its_limit_opens_no_more_than_four_times_an_hour(
    steps: Sequence[Judged], off: int
) -> None:
    watch: Watch | None = None
    second, opened = 0, list[datetime]()
    for gap, verdict in steps:
        second += gap
        watch, heard = run([(second, verdict)], watch, off=off)
        if heard and heard[0][1] is Step.OPEN:
            assert watch is not None
            watch = replace(watch, chattering=chatters(opened, at(second)))
            opened.append(at(second))
    for one in opened:
        assert sum(one - CHATTER_WITHIN < other <= one for other in opened) <= CHATTER_OPENINGS
