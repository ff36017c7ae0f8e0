"""What is usual of a meter's use in a day is learnt, and a day that is not raises an alert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.meters import BERLIN, ENERGY, device, message, messages_store, meter_make
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.actions import asset_archive
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core.clock import now
from wattkeeper.flow import ingest
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.rules.queries import revisions
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.meter import usual
from wattkeeper.kinds.meter.models import Meter, MeterState
from wattkeeper.kinds.meter.usual import DAYS_LEAST, is_noticeable, uses_learn, usual_range

AMOUNTS = st.lists(st.floats(0, 1e6), min_size=DAYS_LEAST, max_size=60)
FLOORS = st.sampled_from([0.05, 0.5, 2.0])
TODAY = (now() - timedelta(days=1)).astimezone(BERLIN).date()  # as it was: no message is from the future

# --- The range ---


@given(AMOUNTS, FLOORS)
def test_a_range_is_never_below_nothing_and_has_the_middle_in_it(amounts: list[float], floor: float) -> None:
    found = usual_range(amounts, least_spread=floor)
    assert found is not None
    least, most = found
    middle = sorted(amounts)[len(amounts) // 2]
    assert 0 <= least <= middle <= most * (1 + 1e-9)


@given(st.floats(0, 1e6), FLOORS)
def test_days_that_are_all_alike_leave_room_for_a_little_more(amount: float, floor: float) -> None:
    found = usual_range([amount] * 20, least_spread=floor)
    assert found is not None
    assert found[1] >= amount + max(floor, 0.05 * amount) * (1 - 1e-9)
    assert found[0] <= max(amount - max(floor, 0.05 * amount), 0) * (1 + 1e-9)


@given(AMOUNTS, FLOORS, st.floats(0, 1e9))
def test_a_few_wild_days_move_it_no_further_than_the_tame_ones_reach(
    amounts: list[float], floor: float, wild: float
) -> None:
    """Of fifteen days two may be anything."""
    count = len(amounts) // 8
    assume(count)
    tame, mixed = usual_range(amounts, least_spread=floor), usual_range([*amounts, *[wild] * count], least_spread=floor)
    assert tame
    assert mixed
    assert mixed[1] <= 1.1 * (max(amounts) + max(usual._SPREAD * (max(amounts) - min(amounts)), max(amounts), floor))


@given(AMOUNTS, FLOORS)
def test_a_range_has_two_digits(amounts: list[float], floor: float) -> None:
    for bound in usual_range(amounts, least_spread=floor) or ():
        assert float(f"{bound:.1e}") == pytest.approx(bound, rel=1e-12)


def test_of_too_few_days_nobody_knows() -> None:
    assert usual_range([5.0] * (DAYS_LEAST - 1), least_spread=0.5) is None


@given(AMOUNTS, FLOORS)
def test_what_is_written_once_is_not_written_again(amounts: list[float], floor: float) -> None:
    found = usual_range(amounts, least_spread=floor)
    assert is_noticeable(found, None)
    assert not is_noticeable(found, found)
    assert not is_noticeable(None, found)


# --- The job ---


@pytest.fixture(autouse=True)
def _as_if_just_started() -> None:
    usual._judged.clear()


@pytest.fixture
def meter(vehicle_store: Store, tenant: Tenant) -> Asset:
    return meter_make(tenant)


def midnight(days_ago: int) -> datetime:
    """The beginning of that local day."""
    day = TODAY - timedelta(days=days_ago)
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)


def report(tenant: Tenant, values: Iterable[tuple[datetime, float]], dimension: str = ENERGY, **who: object) -> None:
    """Messages of those moments, each received a moment later."""
    said = ((message(at=at, value=round(value, 3), dimension=dimension, who=who), at) for at, value in values)
    messages_store(tenant, [(one, at + timedelta(seconds=5)) for one, at in said])


def days(amounts: Sequence[float], *, until: int = 0, start: float = 1_000.0) -> list[tuple[datetime, float]]:
    """A value at each midnight, the last of them `until` days ago: so much was used in the days between them."""
    counter, said = start, [(midnight(until + len(amounts)), start)]
    for number, amount in enumerate(amounts):
        counter += amount
        said.append((midnight(until + len(amounts) - 1 - number), counter))
    return said


def opened(asset: Asset) -> list[tuple[str, str]]:
    found = Alert.objects.filter(asset=asset, resolved_at=None, cleared_at=None)
    return list(found.values_list("alert_type", "message"))


def state_of(asset: Asset) -> MeterState:
    return MeterState.objects.get(pk=asset.pk)


USUAL = [10.0, 11.0, 9.0, 10.0, 12.0, 9.5, 10.5] * 4


def test_a_day_that_is_far_out_opens_an_alert_and_the_next_usual_one_clears_it(meter: Asset, tenant: Tenant) -> None:
    said = days([*USUAL, 60.0, 10.0])
    report(tenant, said[:-1])
    uses_learn()
    ((alert_type, text),) = opened(meter)
    assert alert_type == "UNUSUAL_USE"
    assert text.startswith("Use per day 60, outside ")
    report(tenant, said[-1:])
    uses_learn()
    assert opened(meter) == []
    assert state_of(meter).daily_use == 10.0


def test_a_day_without_any_use_is_unusual_where_there_always_is_some(meter: Asset, tenant: Tenant) -> None:
    report(tenant, days([*USUAL, 0.0]))
    uses_learn()
    assert [alert_type for alert_type, _ in opened(meter)] == ["UNUSUAL_USE"]


def test_usual_days_raise_nothing_and_say_what_is_usual(meter: Asset, tenant: Tenant) -> None:
    report(tenant, days(USUAL))
    uses_learn()
    known = Meter.objects.get(pk=meter.pk)
    assert known.usual_least is not None
    assert known.usual_most is not None
    assert 0 < known.usual_least < 9 < 12 < known.usual_most < 25
    assert (opened(meter), state_of(meter).daily_use) == ([], 10.5)


def test_before_a_fortnight_is_over_nothing_is_unusual(meter: Asset, tenant: Tenant) -> None:
    report(tenant, days([*USUAL[: DAYS_LEAST - 1], 500.0]))
    uses_learn()
    assert opened(meter) == []
    assert state_of(meter).daily_use == 500.0


def test_a_day_counts_when_a_message_from_after_its_end_has_come(meter: Asset, tenant: Tenant) -> None:
    said = days(USUAL)
    in_the_evening = (midnight(0) - timedelta(hours=2), said[-2][1] + 300.0)
    report(tenant, [*said[:-1], in_the_evening])
    uses_learn()
    assert opened(meter) == []
    report(tenant, [(midnight(0) + timedelta(minutes=1), said[-2][1] + 310.0)])
    uses_learn()
    assert [alert_type for alert_type, _ in opened(meter)] == ["UNUSUAL_USE"]


def test_what_is_estimated_is_not_judged(meter: Asset, tenant: Tenant) -> None:
    """After three days of silence nobody knows on which of them it was."""
    said = days([*USUAL, 0.0, 0.0, 90.0])
    report(tenant, [*said[:-3], said[-1]])
    uses_learn()
    assert opened(meter) == []
    assert state_of(meter).daily_use is None


def test_a_counter_that_began_anew_raises_nothing(meter: Asset, tenant: Tenant) -> None:
    said = days(USUAL)
    report(tenant, [*said[:-1], (said[-1][0], 4.0)])
    uses_learn()
    assert opened(meter) == []


def test_a_day_is_looked_at_once_and_again_after_a_restart_without_a_change(meter: Asset, tenant: Tenant) -> None:
    report(tenant, days([*USUAL, 60.0]))
    uses_learn()
    number, before = revisions()[tenant.pk], opened(meter)
    uses_learn()
    usual._judged.clear()
    uses_learn()
    assert (revisions()[tenant.pk], opened(meter)) == (number, before)
    assert Alert.objects.filter(asset=meter).count() == 1


def test_what_has_become_usual_is_judged_by_it(meter: Asset, tenant: Tenant) -> None:
    """A heat pump more: after some weeks nobody is told any more."""
    report(tenant, days([*USUAL, *[value + 40 for value in USUAL]]))
    uses_learn()
    assert opened(meter) == []


def test_rules_that_are_asked_again_say_the_same(meter: Asset, tenant: Tenant) -> None:
    report(tenant, days([*USUAL, 60.0]))
    uses_learn()
    before = opened(meter)
    ingest.rules_rejudge()
    assert opened(meter) == before != []


def test_a_channel_has_its_own_floor(vehicle_store: Store, tenant: Tenant) -> None:
    """A tap that drips is no leak; a toilet that runs is."""
    for number, litres, is_unusual in ((1, 140, False), (2, 900, True)):
        asset = meter_make(tenant, identnr=number, type=7)
        who, litres_a_day = {"identnr": number, "type": 7}, [100.0] * 28 + [litres]
        report(tenant, days(litres_a_day), dimension="Volume (m m^3)", **who)
        uses_learn()
        assert bool(opened(asset)) is is_unusual


def test_each_tenant_and_meter_is_judged_by_its_own(vehicle_store: Store, tenant: Tenant, other_tenant: Tenant) -> None:
    mine, theirs = meter_make(tenant), meter_make(other_tenant)
    report(tenant, days([*USUAL, 60.0]))
    report(other_tenant, days([*[value + 50 for value in USUAL], 60.0]))
    uses_learn()
    assert [len(opened(asset)) for asset in (mine, theirs)] == [1, 0]


def test_what_is_out_of_use_is_not_judged(meter: Asset, tenant: Tenant) -> None:
    report(tenant, days([*USUAL, 60.0]))
    asset_archive(meter, actor="test")
    uses_learn()
    assert opened(meter) == []


def test_a_meter_that_counts_nothing_is_left_alone(vehicle_store: Store, tenant: Tenant) -> None:
    asset = meter_make(tenant, type=27)
    messages_store(tenant, [({"data": [], "device": device(type=27)}, midnight(0))])
    uses_learn()
    assert state_of(asset).daily_use is None
