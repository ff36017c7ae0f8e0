"""What a condition says of one value: a line for each thing that it may say."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from tests.support.packs import NOON, PACK, hot, known
from wattkeeper.flow.rules.conditions import compiled, rate_of
from wattkeeper.flow.rules.fields import spec_of
from wattkeeper.flow.rules.verdicts import Sample, Verdict

CLEAR, BREACH, UNSURE = Verdict.CLEAR, Verdict.BREACH, Verdict.UNSURE
NAMEPLATE = {"nominal": 100.0, "strongest": None}
BEFORE = known(minutes=-2, temperature=20.0, charge=100.0, current=None)

ABOVE = {"condition": "above", "limit": "50", "deadband": 3.0}
BELOW = {"condition": "below", "limit": "10", "deadband": 2.0}
OUTSIDE = {"condition": "outside", "low": "-10", "high": "20", "deadband": 1.0}
EQUALS = {"condition": "equals", "limit": "7"}
FAULT = {"condition": "equals", "channel": "status", "limit": "FAULT"}
FAST = {"condition": "changes", "limit": "5", "deadband": 1.0}
FULL = {**ABOVE, "while_channel": "charge", "while_condition": "equals", "while_limit": "100"}
LOW = {**ABOVE, "while_channel": "current", "while_condition": "below", "while_limit": "0"}


def asked(values: dict[str, Any], **fields: Any) -> tuple[Verdict, Any]:
    """What a rule (HOT, but for `fields`) says of a sample at NOON, and of which value."""
    spec = spec_of(hot(**fields), kind=PACK, tenant_id=1)
    return compiled(spec, NAMEPLATE).verdict(Sample(1, 1, NOON, NOON, values), BEFORE)


@pytest.mark.parametrize(
    ("fields", "values", "verdict"),
    [
        (ABOVE, {"temperature": 50.1}, BREACH),
        (ABOVE, {"temperature": 50}, UNSURE),
        (ABOVE, {"temperature": 47.1}, UNSURE),
        (ABOVE, {"temperature": 47}, CLEAR),
        (ABOVE, {"temperature": -1e9}, CLEAR),
        (ABOVE, {"temperature": None}, UNSURE),
        (ABOVE, {}, UNSURE),
        (ABOVE, {"temperature": "hot"}, UNSURE),
        (ABOVE, {"temperature": math.nan}, UNSURE),
        ({**ABOVE, "deadband": 0.0}, {"temperature": 50}, CLEAR),
        (BELOW, {"temperature": 9.9}, BREACH),
        (BELOW, {"temperature": 10}, UNSURE),
        (BELOW, {"temperature": 12}, CLEAR),
        (OUTSIDE, {"temperature": -10.1}, BREACH),
        (OUTSIDE, {"temperature": -10}, UNSURE),
        (OUTSIDE, {"temperature": -9}, CLEAR),
        (OUTSIDE, {"temperature": 19}, CLEAR),
        (OUTSIDE, {"temperature": 20}, UNSURE),
        (OUTSIDE, {"temperature": 20.1}, BREACH),
        # However wide the deadband, half of what lies between is clear.
        ({**OUTSIDE, "deadband": 1e9}, {"temperature": 5}, CLEAR),
        ({**OUTSIDE, "deadband": 1e9}, {"temperature": -3}, UNSURE),
        # The nameplate puts one limit beyond the other: no value is right or wrong.
        ({**OUTSIDE, "low": "nominal", "high": "20"}, {"temperature": 50}, UNSURE),
        # Of two limits one that nobody knows is none.
        ({**OUTSIDE, "low": "-1 * strongest"}, {"temperature": 50}, BREACH),
        ({**OUTSIDE, "low": "-1 * strongest"}, {"temperature": -1e9}, CLEAR),
        ({**OUTSIDE, "low": "-1 * strongest", "high": "strongest"}, {"temperature": 50}, UNSURE),
        (EQUALS, {"temperature": 7}, BREACH),
        (EQUALS, {"temperature": 7.0}, BREACH),
        (EQUALS, {"temperature": 7.1}, CLEAR),
        (EQUALS, {"temperature": "7"}, UNSURE),
        (EQUALS, {"temperature": math.nan}, UNSURE),
        ({**EQUALS, "deadband": 1.0}, {"temperature": 7.5}, UNSURE),
        ({**EQUALS, "deadband": 1.0}, {"temperature": 8.5}, CLEAR),
        (FAULT, {"status": "FAULT"}, BREACH),
        (FAULT, {"status": "fault"}, CLEAR),
        (FAULT, {"status": None}, UNSURE),
        (FAULT, {"status": 1}, UNSURE),
        # Before were 20 degrees, two minutes ago.
        (FAST, {"temperature": 31}, BREACH),
        (FAST, {"temperature": 9}, BREACH),
        (FAST, {"temperature": 30}, UNSURE),
        (FAST, {"temperature": 28}, CLEAR),
        (FAST, {"temperature": None}, UNSURE),
        ({**FAST, "channel": "current"}, {"current": 9}, UNSURE),
        ({**FAST, "channel": "health"}, {"health": 9}, UNSURE),
        # The charge was 100, and the current was not known.
        (FULL, {"temperature": 60, "charge": 100.0}, BREACH),
        (FULL, {"temperature": 60}, BREACH),
        (FULL, {"temperature": 60, "charge": None}, BREACH),
        (FULL, {"temperature": 60, "charge": 99.9}, CLEAR),
        (FULL, {"charge": 99.9}, CLEAR),
        (FULL, {"temperature": 20}, CLEAR),
        (LOW, {"temperature": 60}, UNSURE),
        (LOW, {"temperature": 60, "current": -1}, BREACH),
        (LOW, {"temperature": 60, "current": 0}, CLEAR),
        ({**ABOVE, "limit": "0.8 * nominal"}, {"temperature": 80.1}, BREACH),
        ({**ABOVE, "limit": "0.8 * nominal"}, {"temperature": 77}, CLEAR),
        ({**ABOVE, "limit": "-nominal"}, {"temperature": -100.1}, UNSURE),
        ({**ABOVE, "limit": "strongest"}, {"temperature": 1e9}, UNSURE),
        ({**ABOVE, "limit": "1e300 * nominal"}, {"temperature": 1}, CLEAR),
        ({**ABOVE, "limit": "1e308 * nominal"}, {"temperature": 1}, UNSURE),
        ({**EQUALS, "limit": "strongest"}, {"temperature": 1}, UNSURE),
    ],
)
def test_a_condition_says(fields: dict[str, Any], values: dict[str, Any], verdict: Verdict) -> None:
    assert asked(values, **fields)[0] is verdict


def test_what_is_judged_of_a_change_is_how_much_it_moved_a_minute() -> None:
    assert asked({"temperature": 31}, **FAST) == (BREACH, 5.5)
    assert asked({}, **FAST) == (UNSURE, None)


def test_quick_samples_are_compared_as_if_a_minute_lay_between_them() -> None:
    assert rate_of(26, before=20, after=timedelta(seconds=1)) == 6
    assert rate_of(20, before=26, after=timedelta(seconds=180)) == 2
    assert rate_of(26, before=20, after=timedelta(seconds=-1)) == 6
    assert rate_of("a", before=20, after=timedelta(minutes=1)) is None
    assert rate_of(20, before=None, after=timedelta(minutes=1)) is None


def test_a_thing_that_never_spoke_has_not_changed_fast() -> None:
    spec = spec_of(hot(**FAST), kind=PACK, tenant_id=1)
    rule = compiled(spec, {})
    now = Sample(1, 1, NOON, NOON, {"temperature": 1e6})
    assert rule.verdict(now, None) == (UNSURE, None)
    assert rule.verdict(now, known(None, temperature=20.0)) == (UNSURE, None)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (ABOVE, "above 50"),
        ({**ABOVE, "limit": "0.8 * nominal"}, "above 80"),
        ({**ABOVE, "limit": "0.8 * strongest"}, "above 0.8 * strongest"),
        (BELOW, "below 10"),
        (OUTSIDE, "outside -10 to 20"),
        (FAULT, "equals FAULT"),
        (EQUALS, "equals 7"),
        (FAST, "changing faster than 5 a minute"),
        ({"condition": "silent", "channel": "", "limit": "180"}, "silent for longer than 180 s"),
    ],
)
def test_a_person_can_read_what_was_judged_by(fields: dict[str, Any], shown: str) -> None:
    assert compiled(spec_of(hot(**fields), kind=PACK, tenant_id=1), NAMEPLATE).limit == shown
