"""Whoever came first has the lower number."""

from __future__ import annotations

from wattkeeper.flow.store.arrivals import ArrivalClock


def test_no_number_is_given_twice() -> None:
    clock = ArrivalClock()
    counts = [1, 5, 1, 100_000, 1, 1]
    firsts = [clock.reserve(count) for count in counts]
    assert all(later >= first + count for first, later, count in zip(firsts, firsts[1:], counts, strict=False))


def test_numbers_go_on_rising_after_a_restart_and_with_a_clock_that_is_set_back() -> None:
    ahead = ArrivalClock().reserve() + 10**15
    clock = ArrivalClock(newest_seen=ahead)
    assert clock.reserve() == ahead + 1
    assert clock.reserve() == ahead + 2


def test_a_load_comes_after_the_readings_that_are_acknowledged_while_it_runs() -> None:
    clock = ArrivalClock()
    load = clock.reserve_for_load(1_000)
    assert clock.reserve(2_000) + 2_000 < load
    assert clock.reserve_for_load(1) >= load + 1_000
