"""What was used in a day and in a month, whatever the counter and its messages did."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.counters import counted, days_by_hand
from tests.support.stores import AssetBook
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.meter.consumption import (
    Per,
    Use,
    consumption,
    midnight,
    periods_of,
    uses,
    uses_of_chain,
)
from wattkeeper.kinds.meter.streams import MESSAGE

BERLIN = ZoneInfo("Europe/Berlin")
Samples = list[tuple[datetime, float]]


def at(day: int, hour: float = 12, month: int = 5) -> datetime:
    """A local time of 2026, in UTC."""
    return datetime(2026, month, day, tzinfo=BERLIN).astimezone(UTC) + timedelta(hours=hour)


def daily(samples: Samples, since: date, until: date) -> list[Use]:
    return uses(days_by_hand(1, samples, BERLIN), periods_of(Per.DAY, since, until, zone=BERLIN))


def amounts(found: list[Use]) -> list[float | None]:
    return [use.amount for use in found]


def test_a_midnight_stands_on_the_line_between_its_neighbours() -> None:
    samples = [(at(1, 0), 0.0), (at(1, 18), 18.0), (at(2, 6), 30.0), (at(3, 0), 66.0)]
    assert amounts(daily(samples, date(2026, 5, 1), date(2026, 5, 3))) == pytest.approx([24.0, 42.0])
    assert not any(use.estimated for use in daily(samples, date(2026, 5, 1), date(2026, 5, 3)))


def test_the_days_of_the_clock_change_have_23_and_25_hours() -> None:
    for month, day, hours in ((3, 29, 23), (10, 25, 25)):
        start = datetime(2026, month, day - 2, tzinfo=BERLIN).astimezone(UTC)
        samples = [(start + timedelta(hours=6 * step), 6.0 * step) for step in range(20)]
        (use,) = daily(samples, date(2026, month, day), date(2026, month, day + 1))
        assert (use.amount, (use.until - use.since) / timedelta(hours=1)) == (pytest.approx(hours), hours)


def test_a_midnight_in_a_gap_of_more_than_36_hours_is_estimated() -> None:
    for hours, is_estimated in ((36, False), (36.1, True)):
        samples = [(at(1, 0), 0.0), (at(1, 20), 10.0), (at(1, 20 + hours), 46.0), (at(4, 0), 50.0)]
        first, second, third = daily(samples, date(2026, 5, 1), date(2026, 5, 4))
        assert (first.estimated, second.estimated, third.estimated) == (is_estimated, is_estimated, is_estimated)
        assert sum(amounts([first, second, third])) == pytest.approx(50.0)  # type: ignore[arg-type]


def test_what_is_not_known_is_none_and_what_is_known_in_part_is_estimated() -> None:
    samples = [(at(2, 6), 5.0), (at(2, 18), 8.0), (at(3, 6), 9.0)]
    found = daily(samples, date(2026, 5, 1), date(2026, 5, 5))
    assert amounts(found) == [None, pytest.approx(3.5), pytest.approx(0.5), None]
    assert [use.estimated for use in found] == [False, True, True, False]
    assert amounts(daily(samples[:1], date(2026, 5, 1), date(2026, 5, 4))) == [None, None, None]
    assert amounts(daily([], date(2026, 5, 1), date(2026, 5, 2))) == [None]


def test_a_counter_that_begins_anew_is_marked_where_that_was_seen_and_counts_from_0() -> None:
    samples = [(at(1, 0), 900.0), (at(2, 0), 905.0), (at(3, 0), 4.0), (at(4, 0), 9.0)]
    found = daily(samples, date(2026, 5, 1), date(2026, 5, 4))
    assert amounts(found) == pytest.approx([5.0, 4.0, 5.0])
    assert [use.reset for use in found] == [False, True, False]


def test_a_counter_that_runs_over_loses_nothing() -> None:
    samples = [(at(1, 0), 99_990.0), (at(1, 12), 99_999.0), (at(1, 18), 3.0), (at(2, 0), 5.0)]
    (use,) = daily(samples, date(2026, 5, 1), date(2026, 5, 2))
    assert (use.amount, use.reset) == (pytest.approx(15.0), True)


def test_a_little_backwards_is_no_new_beginning() -> None:
    samples = [(at(1, 0), 500.0), (at(2, 0), 499.5), (at(3, 0), 501.0)]
    found = daily(samples, date(2026, 5, 1), date(2026, 5, 3))
    assert not any(use.reset for use in found)
    assert all(use.amount is not None and 0 <= use.amount < 2 for use in found)


def test_an_exchange_counts_the_old_meter_to_its_end_and_then_the_new_one() -> None:
    old = [(at(1, 0), 700.0), (at(2, 0), 710.0), (at(2, 10), 714.0)]
    new = [(at(2, 12), 1.0), (at(3, 0), 7.0), (at(4, 0), 9.0)]
    chain = [days_by_hand(1, old, BERLIN), days_by_hand(2, new, BERLIN)]
    found = uses_of_chain(chain, periods_of(Per.DAY, date(2026, 5, 1), date(2026, 5, 4), zone=BERLIN))
    assert amounts(found) == pytest.approx([10.0, 10.0, 2.0])
    assert [(use.exchange, use.reset, use.estimated) for use in found] == [
        (False, False, False),
        (True, False, True),  # what was used from the old one's last message to the new one's first is lost
        (False, False, False),
    ]


def test_days_without_any_meter_are_unknown_and_those_beside_them_estimated() -> None:
    old, new = [(at(1, 0), 1.0), (at(1, 12), 2.0)], [(at(5, 12), 1.0), (at(6, 0), 2.0)]
    chain = [days_by_hand(1, old, BERLIN), days_by_hand(2, new, BERLIN)]
    found = uses_of_chain(chain, periods_of(Per.DAY, date(2026, 5, 1), date(2026, 5, 6), zone=BERLIN))
    assert amounts(found) == [1.0, None, None, None, 1.0]
    assert (found[0].estimated, found[4].estimated) == (True, True)


@pytest.mark.parametrize("zone", [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")])
def test_periods_are_whole_months_and_local_days(zone: ZoneInfo) -> None:
    months = periods_of(Per.MONTH, date(2025, 12, 15), date(2026, 2, 2), zone=zone)
    edges = [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    assert months == [(midnight(a, zone), midnight(b, zone)) for a, b in itertools.pairwise(edges)]
    assert len(periods_of(Per.DAY, date(2026, 2, 27), date(2026, 3, 2), zone=zone)) == 3
    assert periods_of(Per.DAY, date(2026, 2, 2), date(2026, 2, 2), zone=zone) == []


_steps = st.lists(st.tuples(st.floats(0.01, 90), st.floats(0, 1e5)), min_size=2, max_size=60)


def _laid_out(steps: list[tuple[float, float]]) -> Samples:
    moment, samples = at(20, 0, month=3), []
    for hours, value in steps:
        moment += timedelta(hours=hours)
        samples.append((moment, value))
    return samples


@given(_steps)
def test_no_use_is_ever_negative_and_days_add_up_to_their_months(steps: list[tuple[float, float]]) -> None:
    samples = _laid_out(steps)
    days = days_by_hand(1, samples, BERLIN)
    since, until = date(2026, 3, 1), date(2026, 12, 1)
    by_day = uses(days, periods_of(Per.DAY, since, until, zone=BERLIN))
    by_month = uses(days, periods_of(Per.MONTH, since, until, zone=BERLIN))
    assert all(use.amount is None or use.amount >= 0 for use in [*by_day, *by_month])
    for month in by_month:
        inside = [use.amount for use in by_day if month.since <= use.since < month.until and use.amount is not None]
        assert (month.amount is None) == (not inside)
        assert sum(inside) == pytest.approx(month.amount or 0.0, abs=1e-3)


@given(_steps)
def test_a_counter_that_only_rises_loses_nothing(steps: list[tuple[float, float]]) -> None:
    samples = _laid_out(list(zip([hours for hours, _ in steps], sorted(value for _, value in steps), strict=True)))
    days = days_by_hand(1, samples, BERLIN)
    found = uses(days, periods_of(Per.DAY, date(2026, 3, 1), date(2026, 12, 1), zone=BERLIN))
    assert sum(use.amount or 0.0 for use in found) == pytest.approx(samples[-1][1] - samples[0][1], abs=1e-3)
    assert not any(use.reset for use in found)


def test_the_store_is_asked_for_the_samples_around_the_window_too(embedded_store: Store, tenant: Tenant) -> None:
    old, new = AssetBook().register(["A", "B"]).values()
    months = [(old, 1, 100.0), (old, 2, 131.0), (old, 3, 159.0), (new, 3, 0.0), (new, 4, 31.0), (new, 5, 61.0)]
    embedded_store.write(
        MESSAGE, [counted(tenant.pk, one, at(1, 0, month=month), energy=value) for one, month, value in months]
    )
    found = consumption(
        tenant_id=tenant.pk,
        asset_ids=[old, new],
        channel="energy",
        per=Per.DAY,
        since=date(2026, 2, 20),
        until=date(2026, 3, 10),
        zone=BERLIN,
    )
    assert amounts(found) == pytest.approx([1.0] * 18, rel=1e-2)
    assert [use.since.astimezone(BERLIN).date() for use in found if use.exchange] == [date(2026, 3, 1)]
