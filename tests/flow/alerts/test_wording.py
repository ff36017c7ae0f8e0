"""What alerts say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.alerts import battery, judged, rule_make
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.flow.alerts.wording import duration_text, limit_of, message_opened, since_opened, value_of, why_cleared
from wattkeeper.flow.rules.verdicts import Judged, Verdict

VOLTAGE = {"channel": "current_voltage"}


@pytest.mark.parametrize(
    ("rule", "value", "limit", "said"),
    [
        ({}, 61.2, "above 50", "Temperature 61.2 °C, above 50 °C"),
        ({"on": 300}, 61.2, "above 50", "Temperature 61.2 °C, above 50 °C for 5 min"),
        (
            {**VOLTAGE, "condition": "below", "limit": "0.8 * voltage_nominal"},
            2.9,
            "below 2.96",
            "Voltage 2.9 V, below 2.96 V",
        ),
        (
            {**VOLTAGE, "condition": "outside", "limit": "", "low": "3", "high": "4.2"},
            4.31234567,
            "outside 3 to 4.2",
            "Voltage 4.31235 V, outside 3 to 4.2 V",
        ),
        (
            {"channel": "current_status", "condition": "equals", "limit": "FAULT"},
            "FAULT",
            "equals FAULT",
            "Status FAULT",
        ),
        (
            {"condition": "changes", "limit": "5"},
            12.0,
            "changing faster than 5 a minute",
            "Temperature changes by 12 °C a minute, faster than 5 °C a minute",
        ),
        (
            {"channel": "", "condition": "silent", "limit": "90"},
            95.0,
            "silent for longer than 90 s",
            "Silent for 95 s, longer than 90 s",
        ),
        (
            {
                "channel": "current_charge",
                "condition": "equals",
                "limit": "100",
                "on": 1800,
                "while_channel": "current",
                "while_condition": "above",
                "while_limit": "0",
            },
            100.0,
            "equals 100",
            "Charge 100 % for 30 min, while Current is above 0 A",
        ),
    ],
)
def test_an_alert_says_what_its_value_and_the_limit(
    rule: dict[str, Any], value: Any, limit: str, said: str, tenant: Tenant
) -> None:
    spec = rule_make(tenant, **rule)
    one = Judged(spec, 1, judged(spec, battery(tenant), 0, Verdict.BREACH).at, Verdict.BREACH, value, limit)
    assert message_opened(one) == said
    assert since_opened(said, value=value_of(one), limit=limit_of(one)) == ("", "")


def test_what_an_alert_said_is_not_said_again_but_what_has_changed_is() -> None:
    message = "Charge 35 %, below 50 %"
    assert since_opened(message, value="5 %", limit="below 50 %") == ("5 %", "")
    assert since_opened(message, value="50 %", limit="below 40 %") == ("50 %", "below 40 %")
    assert since_opened("Status FAULT", value="IDLE", limit="equals FAULT") == ("IDLE", "")


def test_a_value_and_a_limit_have_their_unit(tenant: Tenant) -> None:
    one = judged(rule_make(tenant), battery(tenant), 0, Verdict.BREACH, 1_234_567.8)
    assert (value_of(one), limit_of(one)) == ("1234568 °C", "above 50 °C")


@pytest.mark.parametrize(
    ("rule", "value", "limit", "said"),
    [
        ({}, 47.5, "above 50", "Temperature 47.5 °C, no longer above 50 °C"),
        ({}, None, "above 50", "Temperature no longer above 50 °C"),
        (
            {"channel": "current_status", "condition": "equals", "limit": "FAULT"},
            "IDLE",
            "equals FAULT",
            "Status IDLE, no longer FAULT",
        ),
        ({"channel": "", "condition": "silent", "limit": "90"}, 0.0, "silent for longer than 90 s", "Heard of again"),
    ],
)
def test_it_says_why_it_is_over(rule: dict[str, Any], value: Any, limit: str, said: str, tenant: Tenant) -> None:
    spec = rule_make(tenant, **rule)
    at = judged(spec, battery(tenant), 0, Verdict.CLEAR).at
    assert why_cleared(Judged(spec, 1, at, Verdict.CLEAR, value, limit)) == said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 s"), (60, "1 min"), (90, "90 s"), (300, "5 min"), (1800, "30 min"), (3600, "1 h"), (5400, "90 min"),
     (86_400, "1 d"), (100_000, "27.8 h"), (259_200, "3 d")],
)  # fmt: skip
def test_a_duration_is_in_a_unit_that_people_would_use(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("channel", "limit", "value", "opened", "cleared"),
    [
        ("power_low", "1", 1, "Battery low", "Battery good, no longer low"),
        ("error", "0", 0, "Error none", "Error reported, no longer none"),
        ("status", "16", 16, "Status 16", "Status 17, no longer 16"),
    ],
)
def test_numbers_that_mean_something_are_told_by_their_words(
    channel: str, limit: str, value: int, opened: str, cleared: str, tenant: Tenant
) -> None:
    spec = rule_make(tenant, kind="meter", channel=channel, condition="equals", limit=limit, alert_type="FAULT")
    judged_at = judged(spec, battery(tenant), 0, Verdict.BREACH).at
    breach = Judged(spec, 1, judged_at, Verdict.BREACH, value, f"equals {limit}")
    other = value + 1 if channel == "status" else 1 - value
    clear = Judged(spec, 1, judged_at, Verdict.CLEAR, other, f"equals {limit}")
    assert (message_opened(breach), why_cleared(clear)) == (opened, cleared)
    assert since_opened(opened, value=value_of(breach), limit=limit_of(breach)) == ("", "")


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("silent for longer than 90 s", "silent for longer than 90 s"),
        ("silent for longer than 10800 s", "silent for longer than 3 h"),
        ("silent for longer than 259200 s", "silent for longer than 3 d"),
        ("silent for longer than 3 * usual_interval s", "silent for longer than 3 * usual_interval s"),
    ],
)
def test_how_long_nothing_may_be_heard_is_said_in_a_unit_of_its_size(limit: str, said: str, tenant: Tenant) -> None:
    spec = rule_make(tenant, channel="", condition="silent", limit="90")
    at = judged(spec, battery(tenant), 0, Verdict.BREACH).at
    assert limit_of(Judged(spec, 1, at, Verdict.BREACH, 95.0, limit)) == said
