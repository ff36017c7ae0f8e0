"""Routing, without a database: who wants what, and when it is told, in whatever time zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.flow.alerts.models import Happening
from wattkeeper.flow.notify.routing import Happened, RouteSpec, due_of, quiet_end, wants

# On a busy machine anything may take long; what is asked is whether it is right.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ALL = RouteSpec(
    tenant_id=1,
    kind="",
    site="",
    least_level=Level.INFO,
    tells_cleared=True,
    group_seconds=30,
    quiet_from=None,
    quiet_until=None,
    quiet_level=Level.CRITICAL,
    zone=ZoneInfo("UTC"),
)
OPENED = Happened(
    what="opened", tenant_id=1, kind="battery", site="A", level=Level.ERROR, is_shelved=False, is_over=False
)
ORDER = list(Level)

levels = st.sampled_from(Level)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
walls = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Cairo",
    ]
).map(ZoneInfo)
routes = st.builds(
    RouteSpec,
    tenant_id=st.integers(1, 2),
    kind=st.sampled_from(["", "battery", "vehicle"]),
    site=st.sampled_from(["", "A", "B"]),
    least_level=levels,
    tells_cleared=st.booleans(),
    group_seconds=st.integers(0, 600),
    quiet_from=st.none() | walls,
    quiet_until=st.none() | walls,
    quiet_level=levels,
    zone=zones,
)
happenings = st.builds(
    Happened,
    what=st.sampled_from(Happening.values),
    tenant_id=st.integers(1, 2),
    kind=st.sampled_from(["battery", "vehicle"]),
    site=st.sampled_from(["", "A", "B"]),
    level=levels,
    is_shelved=st.booleans(),
    is_over=st.booleans(),
)


@unhurried
@given(routes, happenings, st.booleans())
def test_whatever_is_told_was_wanted(route: RouteSpec, happened: Happened, opening_told: bool) -> None:
    if not wants(route, happened, opening_told=opening_told):
        return
    assert happened.tenant_id == route.tenant_id
    assert happened.what in ("opened", "announced", "changed", "cleared", "resolved")
    assert not (happened.what == "changed" and opening_told)
    if happened.what in ("cleared", "resolved"):
        assert opening_told and route.tells_cleared
    else:
        assert not happened.is_shelved and not happened.is_over
        assert ORDER.index(happened.level) >= ORDER.index(route.least_level)
        assert route.kind in ("", happened.kind) and route.site in ("", happened.site)


@unhurried
@given(routes, happenings)
def test_a_route_that_asks_for_less_is_told_more(route: RouteSpec, happened: Happened) -> None:
    wider = replace(route, kind="", site="", least_level=Level.INFO)
    if wants(route, happened, opening_told=True):
        assert wants(wider, happened, opening_told=True)


@pytest.mark.parametrize("what", ["opened", "announced"])
def test_an_opening_is_told(what: str) -> None:
    assert wants(ALL, replace(OPENED, what=what), opening_told=False)


@pytest.mark.parametrize("what", sorted(set(Happening.values) - {"opened", "announced", "cleared", "resolved"}))
def test_what_people_do_meanwhile_is_not_told(what: str) -> None:
    assert not wants(ALL, replace(OPENED, what=what), opening_told=True)


@unhurried
@given(routes, levels, moments, st.none() | moments)
def test_it_is_never_due_in_the_past_nor_later_than_it_must(
    route: RouteSpec, level: Level, now: datetime, last: datetime | None
) -> None:
    due = due_of(route, level, now=now, last_critical=last)
    assert due.at >= now
    if not due.is_deferred:
        assert due.at <= now + timedelta(seconds=route.group_seconds)
    else:
        assert ORDER.index(level) < ORDER.index(route.quiet_level)
        assert due.at <= now + timedelta(hours=26)


def test_the_first_of_the_critical_goes_at_once_and_the_next_in_its_time() -> None:
    assert due_of(ALL, Level.CRITICAL, now=NOW, last_critical=None).at == NOW
    just_told = NOW - timedelta(seconds=10)
    assert due_of(ALL, Level.CRITICAL, now=NOW, last_critical=just_told).at == NOW + timedelta(seconds=20)
    assert due_of(ALL, Level.ERROR, now=NOW, last_critical=None).at == NOW + timedelta(seconds=30)


def is_quiet(route: RouteSpec, moment: datetime) -> bool:
    """By the clock on the wall, as a person would say it."""
    start, end = route.quiet_from, route.quiet_until
    if start is None or end is None:
        return False
    wall = moment.astimezone(route.zone).time()
    return (start <= wall < end) if start <= end else not (end <= wall < start)


@unhurried
@given(routes, moments)
def test_quiet_hours_end_when_the_clock_on_the_wall_says_so(route: RouteSpec, now: datetime) -> None:
    end = quiet_end(route, now)
    if end is None:
        assert not is_quiet(route, now)
        return
    assert is_quiet(route, now)
    assert end > now
    assert not is_quiet(route, end)
    assert is_quiet(route, max(now, end - timedelta(minutes=1)))


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-06-01T20:00:00", "2026-06-02T04:00:00"),  # summer: two hours ahead
        ("2026-01-01T21:00:00", "2026-01-02T05:00:00"),  # winter: one
        ("2026-03-28T22:00:00", "2026-03-29T04:00:00"),  # the night that is an hour shorter
        ("2026-10-24T21:00:00", "2026-10-25T05:00:00"),  # the one that is an hour longer
    ],
)
def test_they_are_the_tenants_own_in_summer_and_winter(now: str, end: str) -> None:
    berlin = replace(ALL, quiet_from=time(22), quiet_until=time(6), zone=ZoneInfo("Europe/Berlin"))
    assert quiet_end(berlin, datetime.fromisoformat(f"{now}+00:00")) == datetime.fromisoformat(f"{end}+00:00")


def test_an_end_that_a_night_does_not_have_is_when_the_clock_has_passed_it() -> None:
    berlin = replace(ALL, quiet_from=time(1), quiet_until=time(2, 30), zone=ZoneInfo("Europe/Berlin"))
    assert quiet_end(berlin, datetime(2026, 3, 29, 0, 15, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
