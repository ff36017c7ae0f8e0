"""The time that a page looks at, as its address says it."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.readings.timestamps import EARLIEST
from wattkeeper.views.dashboard.windows import LATEST, LONGEST, QUICK, window_of

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_page_looks_at_the_last_day_where_its_address_says_nothing() -> None:
    window = window_of({}, now=NOW, zone=UTC)
    assert (window.since, window.until) == (NOW - timedelta(days=1), NOW)
    assert window.label == "Last 24 hours"
    assert window.is_relative


@pytest.mark.parametrize(
    ("name", "length", "label"),
    [
        ("1h", timedelta(hours=1), "Last hour"),
        ("90s", timedelta(seconds=90), "Last 90 seconds"),
        ("30d", timedelta(days=30), "Last 30 days"),
        ("2w", timedelta(weeks=2), "Last 2 weeks"),
    ],
)
def test_a_relative_window_ends_now(name: str, length: timedelta, label: str) -> None:
    window = window_of({"window": name}, now=NOW, zone=UTC)
    assert (window.since, window.until, window.label) == (NOW - length, NOW, label)


def test_both_ends_may_be_said_relative_to_now() -> None:
    window = window_of({"since": "now-6h", "until": "now-1h"}, now=NOW, zone=UTC)
    assert (window.since, window.until) == (NOW - timedelta(hours=6), NOW - timedelta(hours=1))
    assert window.is_relative


def test_times_without_an_offset_are_the_tenants_own() -> None:
    window = window_of({"since": "2026-03-29 01:00", "until": "2026-03-29T04:00"}, now=NOW, zone=BERLIN)
    # The clocks went forward in between.
    assert (window.since, window.until) == (
        datetime(2026, 3, 29, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 2, tzinfo=UTC),
    )
    assert window.label == "2026-03-29 01:00 \N{EN DASH} 2026-03-29 04:00"
    assert not window.is_relative


def test_a_plus_sign_that_nobody_escaped_is_still_one() -> None:
    window = window_of({"since": "2026-03-01T00:00:00 02:00"}, now=NOW, zone=UTC)
    assert window.since == datetime(2026, 2, 28, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"window": "yesterday"}, "window"),
        ({"window": "0h"}, "window"),
        ({"window": "99999w"}, "window"),
        ({"since": "never"}, "since"),
        ({"since": "2026-13-01"}, "since"),
        ({"until": "now+1h"}, "until"),
        ({"since": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "until"),
        ({"since": "2026-03-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "until"),
        ({"since": "1990-01-01T00:00:00Z"}, "since"),
    ],
)
def test_what_is_no_window_is_refused_by_name(parameters: dict[str, str], field: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        window_of(parameters, now=NOW, zone=UTC)
    assert refused.value.field == field


@given(
    st.dictionaries(
        st.sampled_from(["window", "since", "until"]),
        st.one_of(
            st.sampled_from([*QUICK, "now", "now-6h", "now-99999w", "0001-01-01 00:00", "9999-12-31T23:59:59Z"]),
            st.datetimes().map(datetime.isoformat),
            st.text(string.printable, max_size=30),
        ),
    )
)
def test_whatever_an_address_says_its_window_can_be_stepped_through_or_is_refused(parameters: dict[str, str]) -> None:
    try:
        window = window_of(parameters, now=NOW, zone=BERLIN)
    except BadRequestError:
        return
    for one in (window, window.before(), window.after(), window.wider()):
        assert timedelta() < one.length <= LONGEST
        assert EARLIEST <= one.since < one.until <= LATEST
        again = window_of(one.parameters, now=NOW, zone=BERLIN)
        assert max(abs(again.since - one.since), abs(again.until - one.until)) <= timedelta(milliseconds=1)
    assert window.before().until == window.since or window.before().since == EARLIEST
    assert window.after().since == window.until or window.after().until == LATEST
    assert window.before().length == window.length
