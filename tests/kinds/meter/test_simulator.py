"""The simulated building: messages as gateways send them, plausible, repeatable, and a few meters in trouble."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any

import pytest

from wattkeeper.flow.readings.reading import Row
from wattkeeper.kinds.meter import demo
from wattkeeper.kinds.meter.simulator.building import PLACES, places
from wattkeeper.kinds.meter.simulator.meters import ZONE, Delivery, Meter
from wattkeeper.kinds.meter.simulator.troubles import HISTORY_DAYS, TROUBLED, Trouble
from wattkeeper.kinds.meter.simulator.uses import Medium, share_until
from wattkeeper.kinds.meter.telegram_times import CLOCK_OFF, NO_TIME

ORIGIN = datetime(2024, 3, 2, 8, 30, 0, 250_000, tzinfo=UTC)
NOW = ORIGIN + timedelta(days=HISTORY_DAYS)
# Of what the others are not.
STRANGE = {Trouble.EXCHANGED, Trouble.RESET}

# --- Builders ---


def meters(trouble: Trouble | None = None, *, origin: datetime = ORIGIN) -> list[Meter]:
    """The meters of the places that have this trouble, or none."""
    street = list(places(PLACES, seed=demo.SEED, origin=origin))
    return [
        meter for number, place in enumerate(street, 1) if TROUBLED.get(number) is trouble for meter in place.meters
    ]


def messages(of: Meter, *, since: datetime = ORIGIN, until: datetime = NOW, hourly: bool = False) -> list[Delivery]:
    end = until.timestamp()
    heard = of.deliveries(since=since, hourly_from=since if hourly else until)
    return list(takewhile(lambda one: one.second < end, heard))


def rows(*, since: datetime = NOW - timedelta(days=10), until: datetime = NOW, size: int = PLACES) -> list[Row]:
    return list(demo.history_rows(size=size, origin=ORIGIN, since=since, until=until))


def counted(delivery: Delivery) -> float:
    """What stands in the first number of storage 0."""
    records: Sequence[dict[str, Any]] = json.loads(delivery.raw)["data"]
    return next(one["value"] for one in records if one["storagenr"] == 0 and not isinstance(one["value"], str))


def month_of(of: Meter, month: int) -> float:
    first, after = datetime(2025, month, 1, tzinfo=ZONE), datetime(2025, month + 1, 1, tzinfo=ZONE)
    return of.shown(int(after.timestamp())) - of.shown(int(first.timestamp()))


# --- What it sends ---


def test_the_same_origin_gives_the_same_messages() -> None:
    assert rows(size=8) == rows(size=8)


def test_a_larger_street_begins_with_a_smaller_one() -> None:
    small, large = ({row.asset_key for row in rows(size=size)} for size in (12, 70))
    assert small < large
    assert len({place.site for place in places(70, seed=demo.SEED, origin=ORIGIN)}) == 2


def test_a_building_has_sixty_meters_of_four_media_and_no_two_are_one() -> None:
    street = list(places(PLACES, seed=demo.SEED, origin=ORIGIN))
    keys = [meter.identity.key for place in street for meter in place.meters]
    assert len(keys) == len(set(keys)) == PLACES + 1
    assert len({place.name for place in street}) == PLACES
    media = Counter(meter.identity.type for place in street for meter in place.meters[-1:])
    assert media[4] == media[6] == media[7] + media[22] == media[2] == PLACES / 4


def test_every_message_is_understood_to_its_last_word() -> None:
    assert not [row.values["unknown"] for row in rows() if row.values["unknown"]]
    assert all(row.values["main_value"] is not None and row.values["due_value"] is not None for row in rows())


def test_messages_are_daily_before_and_hourly_in_the_last_three_days() -> None:
    well = meters()[0].identity.key
    times = [row.values["received_at"] for row in rows() if row.asset_key == well]
    gaps = Counter(after - before for before, after in pairwise(times))
    assert gaps[timedelta(hours=1)] >= 70
    assert gaps[timedelta(days=1)] >= 5


def test_each_meter_sends_at_its_own_minute() -> None:
    minutes = {messages(meter, since=NOW - timedelta(days=1))[0].second % 3600 for meter in meters()}
    assert len(minutes) > 45


def test_what_is_sent_daily_and_hourly_agrees_where_it_meets() -> None:
    meter, since = meters()[0], NOW - timedelta(days=5)
    daily, hourly = messages(meter, since=since), messages(meter, since=since, hourly=True)
    assert len(daily) == 5
    assert set(daily) < set(hourly)


def test_present_goes_on_where_history_ended_without_a_gap_and_without_doubles() -> None:
    """Cut where it may, the parts are the whole."""
    cut = NOW - timedelta(hours=7, minutes=13)
    whole = rows(since=NOW - timedelta(hours=12))
    before = rows(since=NOW - timedelta(hours=12), until=cut)
    live = demo.present(size=PLACES, origin=ORIGIN, since=cut)
    after = list(takewhile(lambda row: row.values["received_at"] < NOW, live))
    assert [*before, *after] == whole
    assert len(whole) > PLACES * 11


def test_messages_come_in_the_order_of_their_reception() -> None:
    times = [row.values["received_at"] for row in rows()]
    assert times == sorted(times)


# --- What it counts ---


def test_no_counter_ever_falls() -> None:
    for meter in (one for trouble in {None, *Trouble} - STRANGE for one in meters(trouble)):
        values = [meter.shown(int(ORIGIN.timestamp()) + hour * 3600) for hour in range(0, 9_000, 7)]
        assert values == sorted(values)


def test_winter_is_heated_and_summer_is_not() -> None:
    heat = [meter for meter in meters() if meter.identity.type == 4]
    assert all(month_of(meter, 1) > 8 * month_of(meter, 7) for meter in heat)
    assert all(100 < month_of(meter, 1) < 1_500 for meter in heat)


def test_water_and_electricity_are_used_all_the_year_round() -> None:
    others = [meter for meter in meters() if meter.identity.type != 4]
    assert all(0.5 < month_of(meter, 1) / month_of(meter, 7) < 2 for meter in others)


@pytest.mark.parametrize("medium", list(Medium))
def test_a_day_is_used_up_at_its_end(medium: Medium) -> None:
    shares = [share_until(medium, second) for second in range(0, 86_400, 600)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert share_until(medium, 86_399) == pytest.approx(1, abs=1e-4)


def test_the_due_date_is_the_end_of_the_year_and_its_value_is_what_was_shown_then() -> None:
    found = rows()
    (due,) = {row.values["due_date"] for row in found if row.values["due_value"] != "0"}
    assert due == f"{date(NOW.year - 1, 12, 31)} 00:00:00"
    assert {row.values["due_storage"] for row in found} == {1, 32}


# --- What is wrong with some ---


def test_a_meter_is_exchanged_in_the_second_year() -> None:
    old, new = meters(Trouble.EXCHANGED)
    last, first = messages(old)[-1], messages(new)[0]
    assert 0 < first.second - last.second <= 2 * 86_400
    assert counted(first) < counted(last) / 10
    assert '"2000-00-00' in first.raw.decode()


def test_a_counter_begins_anew() -> None:
    (meter,) = meters(Trouble.RESET)
    falls = [after for before, after in pairwise(map(counted, messages(meter))) if after < before]
    assert len(falls) == 1


def test_a_clock_stands() -> None:
    (meter,) = meters(Trouble.CLOCK_STANDS)
    of_it = [row for row in rows() if row.asset_key == meter.identity.key]
    assert of_it
    assert all(row.flags == (CLOCK_OFF,) and row.at == row.values["received_at"] for row in of_it)


def test_a_meter_says_no_time() -> None:
    (meter,) = meters(Trouble.NO_TIME)
    assert all(row.flags == (NO_TIME,) for row in rows() if row.asset_key == meter.identity.key)


def test_all_other_clocks_are_right() -> None:
    flagged = {row.asset_key for row in rows() if row.flags}
    assert flagged == {meters(trouble)[0].identity.key for trouble in (Trouble.CLOCK_STANDS, Trouble.NO_TIME)}


def test_a_battery_is_low_since_a_month() -> None:
    (meter,) = meters(Trouble.BATTERY_LOW)
    low = [json.loads(one.raw)["device"]["status"] == 4 for one in messages(meter)]
    assert low[-28:] == [True] * 28
    assert not any(low[:-32])


def test_errors_and_alarms_come_and_go() -> None:
    (meter,) = meters(Trouble.ERRORS)
    said = Counter(json.loads(one.raw)["device"]["status"] for one in messages(meter, since=NOW - timedelta(days=90)))
    assert said[0] > said[16] > said[3] > 0


def test_a_meter_is_silent_since_a_week() -> None:
    (meter,) = meters(Trouble.SILENT)
    last = messages(meter)[-1].second
    assert 7 <= (NOW.timestamp() - last) / 86_400 < 9


def test_a_toilet_leaks_since_some_days() -> None:
    (meter,) = meters(Trouble.LEAKS)
    end = int(NOW.timestamp())
    days = [meter.shown(end - back * 86_400) - meter.shown(end - (back + 1) * 86_400) for back in range(40)]
    assert min(days[:3]) > 2 * max(days[7:])


def test_some_messages_come_a_day_late() -> None:
    (meter,) = meters(Trouble.LATE)
    first = rows(since=ORIGIN, until=ORIGIN + timedelta(days=60), size=47)
    late = [row for row in first if row.values["received_at"] - row.at > timedelta(hours=20)]
    assert {row.asset_key for row in late} == {meter.identity.key}
    assert 4 <= len(late) <= 7


def test_a_meter_is_heard_by_two_gateways() -> None:
    (meter,) = meters(Trouble.TWICE)
    raws = Counter(one.raw for one in messages(meter, since=NOW - timedelta(days=5)))
    assert set(raws.values()) == {2}
