from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.base.assets.rhythm import usual_interval_next

gaps = st.floats(min_value=0.001, max_value=1e6)


def learnt(sequence: list[float]) -> float:
    usual: float | None = None
    for count, gap in enumerate([None, *sequence]):
        usual = usual_interval_next(usual, count, gap)
    assert usual is not None
    return usual


@given(gaps, st.integers(12, 300))
def test_a_steady_thing_has_its_own_interval(gap: float, count: int) -> None:
    assert learnt([gap] * count) == pytest.approx(gap)


def test_an_outage_of_a_day_at_most_doubles_it_and_is_soon_forgotten() -> None:
    assert learnt([60.0] * 50 + [86_400.0]) == 120
    assert learnt([60.0] * 50 + [86_400.0] + [60.0] * 70) == pytest.approx(60)


def test_a_burst_of_ten_every_ten_minutes_is_usual_at_ten_minutes() -> None:
    burst = [0.05] * 9 + [600.0]
    assert 500 < learnt(burst * 20) <= 600


def test_a_thing_that_sends_more_often_than_before_is_learnt_anew() -> None:
    assert learnt([60.0] * 20 + [1.0] * 500) == pytest.approx(1)


@given(st.lists(gaps, min_size=1, max_size=60))
def test_it_is_never_longer_than_the_longest_gap(sequence: list[float]) -> None:
    assert 0 < learnt(sequence) <= max(sequence)


def test_readings_of_one_moment_say_nothing() -> None:
    assert usual_interval_next(5.0, 20, 0.0) == 5.0
    assert usual_interval_next(5.0, 20, -3.0) == 5.0


def test_while_it_is_learnt_the_longest_gap_counts() -> None:
    assert learnt(list(itertools.islice(itertools.cycle([1.0, 9.0]), 9))) == 9.0
