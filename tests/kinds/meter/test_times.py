"""When a telegram was made, and by which moment it counts: its own, unless its clock is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.meters import BERLIN, DATE, ENERGY, RECEIVED, TIME, message, reading_of, record
from wattkeeper.flow.readings.reading import Row
from wattkeeper.kinds.meter.telegram_times import (
    AHEAD,
    CLOCK_OFF,
    NO_TIME,
    TOLERANCE,
    counted_at,
    local_of,
    local_to_utc,
    moment_said,
)

MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(2126, 12, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
MINUTE, SECOND = timedelta(minutes=1), timedelta(microseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def row_of_times(
    *texts: tuple[str, str] | tuple[str, str, int], received_at: datetime = RECEIVED, zone: ZoneInfo = BERLIN
) -> Row:
    """The reading of a message with those time points: dimension, text, and the storage number unless it is 0."""
    data = [record(name, text, storagenr=more[0] if more else 0) for name, text, *more in texts]
    said = message([*data, record(ENERGY, 1)])
    return reading_of(said, tenant_id=1, asset_id=1, received_at=received_at, zone=zone).row


class TestATimeThatIsSaid:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2020-06-26T06:49:00.000000", datetime(2020, 6, 26, 6, 49)),
            ("2020-06-26 06:49:00", datetime(2020, 6, 26, 6, 49)),
            ("2020-06-26T06:49", datetime(2020, 6, 26, 6, 49)),
            (" 2020-06-26 ", datetime(2020, 6, 26)),
            ("2000-01-01T00:00:00.000000", datetime(2000, 1, 1)),  # a clock that has started anew; it says a time
            ("2024-02-29", datetime(2024, 2, 29)),
            ("2021-03-04T10:00:00Z", datetime(2021, 3, 4, 10, tzinfo=UTC)),
            ("2021-03-04T10:00:00+02:00", datetime(2021, 3, 4, 8, tzinfo=UTC)),
        ],
    )
    def test_is_a_local_one_unless_it_says_its_zone(self, text: str, moment: datetime) -> None:
        found = moment_said(text)
        assert found == moment
        assert found is not None and (found.tzinfo is None) == (moment.tzinfo is None)

    @pytest.mark.parametrize(
        "text",
        [
            "2000-00-00T00:00:00.000000", "2000-00-00", "1999-11-30T00:00:00.000000", "1999-11-30", "1900-01-01",
            "1900-01-00T00:00:00.000000", "2127-12-31T23:59:00.000000", "2127-15-31", "2135-01-01", "1969-12-31",
            "2021-02-29", "2021-04-31T10:00:00", "2021-13-01", "2021-01-01T24:61:00", "2021-01-01T25:00:00",
            "", "Value during error state", "2021", "2021-W01-1", "20210304T100000", "2021-3-4", "2021-03-04Tx",
            "2021-03-04T10:00:00+99:00", "٢٠٢١-٠٣-٠٤", "2021-03-04" + " " * 40, "2021-03-04T" + "1" * 900,
        ],
    )  # fmt: skip
    def test_is_none_where_nobody_has_set_it_or_it_is_no_time(self, text: str) -> None:
        assert moment_said(text) is None

    @given(text=st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].{0,20})?", fullmatch=True))
    def test_never_raises(self, text: str) -> None:
        said = moment_said(text)
        if said is not None:
            assert local_to_utc(said, BERLIN, received_at=RECEIVED).tzinfo is UTC
            assert local_of(said, BERLIN).tzinfo is None


class TestTheTelegramsOwnTime:
    def test_is_its_time_point_of_storage_zero(self) -> None:
        row = row_of_times(
            (TIME, "2021-09-01T00:00:00", 1), (TIME, "2021-09-07T10:30:00"), (TIME, "2021-09-07T09:00:00")
        )
        assert row.at == row.values["own_time"] == utc("2021-09-07T08:30:00")
        assert row.flags == ()

    def test_is_one_with_a_time_of_day_rather_than_a_date(self) -> None:
        assert row_of_times((DATE, "2021-09-07"), (TIME, "2021-09-07T10:30:00")).at == utc("2021-09-07T08:30:00")

    def test_may_be_a_date_which_is_its_first_moment(self) -> None:
        assert row_of_times((DATE, "2021-09-07")).at == utc("2021-09-06T22:00:00")

    def test_is_the_next_one_where_the_first_is_not_set(self) -> None:
        assert row_of_times((TIME, "2000-00-00"), (TIME, "2021-09-07T10:30:00")).at == utc("2021-09-07T08:30:00")

    def test_is_none_of_the_due_date(self) -> None:
        row = row_of_times((TIME, "2021-09-07T10:30:00", 1), (DATE, "2021-09-07", 3))
        assert (row.at, row.flags, row.values["own_time"]) == (RECEIVED, (NO_TIME,), None)

    def test_is_none_of_an_error_state_or_an_extreme(self) -> None:
        for function in ("Value during error state", "Maximum value"):
            said = message([record(TIME, "2021-09-07T10:30:00", function=function)])
            assert reading_of(said, tenant_id=1, asset_id=1).row.values["own_time"] is None

    def test_with_a_zone_names_a_moment_whatever_the_site(self) -> None:
        assert row_of_times((TIME, "2021-09-07T08:30:00Z")).at == utc("2021-09-07T08:30:00")
        assert row_of_times((TIME, "2021-09-07T04:00:00-04:30")).at == utc("2021-09-07T08:30:00")

    def test_without_one_is_the_sites(self) -> None:
        assert row_of_times((TIME, "2021-09-07T08:30:00"), zone=ZoneInfo("UTC")).at == utc("2021-09-07T08:30:00")
        assert row_of_times((TIME, "2021-09-07T04:30:00"), zone=ZoneInfo("America/New_York")).at == utc(
            "2021-09-07T08:30:00"
        )


class TestAnHourThatIsThereTwice:
    """The night of 31 October 2021: at 03:00, which is 01:00 UTC, it is 02:00 again."""

    @pytest.mark.parametrize(
        ("said", "received", "counted"),
        [
            ("02:30", "00:31", "00:30"),
            ("02:30", "01:31", "01:30"),
            ("02:30", "01:10", "00:30"),  # nearer to the second, which was still to come
            ("02:30", "00:59", "00:30"),
            ("02:30", "01:27", "01:30"),  # a clock may be a little ahead
            ("02:30", "05:00", "01:30"),
            ("01:59", "01:31", "23:59"),
            ("03:00", "02:01", "02:00"),
        ],
    )
    def test_is_the_one_nearer_to_reception_that_had_come(self, said: str, received: str, counted: str) -> None:
        day = "2021-10-30" if counted == "23:59" else "2021-10-31"
        moment = local_to_utc(
            datetime.fromisoformat(f"2021-10-31T{said}"), BERLIN, received_at=utc(f"2021-10-31T{received}")
        )
        assert moment == utc(f"{day}T{counted}")

    def test_a_night_of_quarters_of_an_hour_counts_in_its_order(self) -> None:
        moments = [utc("2021-10-30T23:00") + number * 15 * MINUTE for number in range(16)]
        counted = [
            row_of_times((TIME, f"{moment.astimezone(BERLIN):%Y-%m-%dT%H:%M:%S}"), received_at=moment + MINUTE).at
            for moment in moments
        ]
        assert counted == moments


class TestAnHourThatIsNotThere:
    """The night of 28 March 2021: at 02:00, which is 01:00 UTC, it is 03:00."""

    def test_is_a_clock_that_has_not_been_put_forward_or_was_too_early(self) -> None:
        said = datetime(2021, 3, 28, 2, 30)
        assert local_to_utc(said, BERLIN, received_at=utc("2021-03-28T01:31")) == utc("2021-03-28T01:30")
        assert local_to_utc(said, BERLIN, received_at=utc("2021-03-28T00:31")) == utc("2021-03-28T00:30")

    def test_a_night_of_quarters_of_an_hour_counts_in_its_order(self) -> None:
        moments = [utc("2021-03-27T23:00") + number * 15 * MINUTE for number in range(16)]
        counted = [
            row_of_times((TIME, f"{moment.astimezone(BERLIN):%Y-%m-%dT%H:%M:%S}"), received_at=moment + MINUTE).at
            for moment in moments
        ]
        assert counted == moments


class TestTheMomentByWhichItCounts:
    @pytest.mark.parametrize(
        ("own", "at", "flags"),
        [
            (None, RECEIVED, (NO_TIME,)),
            (RECEIVED, RECEIVED, ()),
            (RECEIVED - TOLERANCE, RECEIVED - TOLERANCE, ()),
            (RECEIVED - TOLERANCE - SECOND, RECEIVED, (CLOCK_OFF,)),
            (RECEIVED + SECOND, RECEIVED, ()),
            (RECEIVED + AHEAD, RECEIVED, ()),
            (RECEIVED + AHEAD + SECOND, RECEIVED, (CLOCK_OFF,)),
            (RECEIVED + TOLERANCE, RECEIVED, (CLOCK_OFF,)),
            (utc("1970-01-01"), RECEIVED, (CLOCK_OFF,)),
            (utc("2126-12-31"), RECEIVED, (CLOCK_OFF,)),
        ],
    )
    def test_is_its_own_within_48_hours_and_never_in_the_future(
        self, own: datetime | None, at: datetime, flags: tuple[str, ...]
    ) -> None:
        assert counted_at(own, RECEIVED) == (at, flags)

    @given(own=MOMENTS | st.none(), received_at=MOMENTS)
    def test_is_never_after_reception_nor_long_before_it(self, own: datetime | None, received_at: datetime) -> None:
        at, flags = counted_at(own, received_at)
        assert received_at - TOLERANCE <= at <= received_at
        assert at in (own, received_at)
        assert at == received_at or not flags

    @given(received_at=MOMENTS, behind=st.integers(-(10**6), 10**6), zone=ZONES)
    def test_of_a_clocks_time_is_within_the_tolerance(self, received_at: datetime, behind: int, zone: str) -> None:
        local = (received_at - timedelta(seconds=behind)).astimezone(ZoneInfo(zone))
        row = row_of_times((TIME, f"{local:%Y-%m-%dT%H:%M:%S}"), received_at=received_at, zone=ZoneInfo(zone))
        assert received_at - TOLERANCE <= row.at <= row.values["received_at"] == received_at

    @given(moment=MOMENTS, zone=ZONES)
    def test_is_exact_for_a_right_clock_whatever_the_zone_and_the_night(self, moment: datetime, zone: str) -> None:
        moment = moment.replace(microsecond=0)
        local = moment.astimezone(ZoneInfo(zone))
        row = row_of_times((TIME, f"{local:%Y-%m-%dT%H:%M:%S}"), received_at=moment + MINUTE, zone=ZoneInfo(zone))
        assert (row.at, row.flags) == (moment, ())

    def test_at_a_months_end_is_on_the_side_that_the_meter_says(self) -> None:
        row = row_of_times((TIME, "2021-08-31T23:59:59"), received_at=utc("2021-08-31T22:00:30"))
        assert row.at == utc("2021-08-31T21:59:59")
        row = row_of_times((TIME, "2021-09-01T00:00:00"), received_at=utc("2021-08-31T22:00:30"))
        assert row.at == utc("2021-08-31T22:00:00")


class TestAClocksOffset:
    @pytest.mark.parametrize(
        ("said", "hours"),
        [("2021-09-07T10:31:00", 0.0), ("2021-09-06T10:31:00", -24.0), ("2022-09-07T10:31:00", 8760.0)],
    )
    def test_is_its_own_time_minus_reception(self, said: str, hours: float) -> None:
        assert row_of_times((TIME, said)).values["clock_offset"] == hours

    def test_is_unknown_without_a_time(self) -> None:
        assert row_of_times((TIME, "2127-01-01")).values["clock_offset"] is None


class TestTheDueDate:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("2019-09-30T00:00:00.000000", "2019-09-30 00:00:00"),
            ("2019-09-30", "2019-09-30 00:00:00"),
            ("2019-09-29T22:00:00Z", "2019-09-30 00:00:00"),
            ("2000-00-00T00:00:00.000000", None),
        ],
    )
    def test_is_the_sites_local_time(self, text: str, shown: str | None) -> None:
        assert row_of_times((DATE, text, 1)).values["due_date"] == shown
