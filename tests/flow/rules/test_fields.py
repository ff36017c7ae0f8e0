"""What a rule may be, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.support.packs import HOT, PACK, hot
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Condition, Level
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.fields import fields_changed, fields_of_default, spec_of
from wattkeeper.flow.rules.spec import Guard, Limit

GUARD = {"while_channel": "charge", "while_condition": "equals", "while_limit": "100"}


def test_what_people_write_means_what_the_pipeline_judges_by() -> None:
    written = hot(condition="outside", low="-1 * strongest", high="strongest", deadband=0.5, **GUARD)
    spec = spec_of(written, kind=PACK, tenant_id=7, rule_id=3)
    assert (spec.id, spec.tenant_id, spec.kind, spec.channel) == (3, 7, "pack", "temperature")
    assert (spec.condition, spec.level, spec.alert_type) == (Condition.OUTSIDE, Level.CRITICAL, "OVER_TEMPERATURE")
    assert (spec.low, spec.high, spec.limit) == (Limit(-1.0, "strongest"), Limit(1.0, "strongest"), None)
    assert (spec.guard, spec.deadband) == (Guard("charge", Condition.EQUALS, Limit(100.0)), 0.5)


@pytest.mark.parametrize(
    ("condition", "low", "high", "limit"),
    [
        ("above", None, Limit(5.0), None),
        ("below", Limit(5.0), None, None),
        ("equals", None, None, Limit(5.0)),
        ("changes", None, None, Limit(5.0)),
    ],
)
def test_a_limit_is_where_its_condition_has_it(condition: str, low: Any, high: Any, limit: Any) -> None:
    spec = spec_of(hot(condition=condition, limit="5"), kind=PACK, tenant_id=1)
    assert (spec.low, spec.high, spec.limit) == (low, high, limit)


def test_a_silence_is_so_many_seconds_or_usual_intervals() -> None:
    for text, limit in {"60": Limit(60.0), "3 * usual_interval": Limit(3.0, "usual_interval")}.items():
        spec = spec_of(hot(condition="silent", limit=text), kind=PACK, tenant_id=1)
        assert (spec.channel, spec.limit) == ("", limit)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "  "}, {"name"}),
        ({"name": "x" * 201}, {"name"}),
        ({"name": "a\0b"}, {"name"}),
        ({"text": "\ud800"}, {"text"}),
        ({"type": "x" * 101}, {"type"}),
        ({"channel": ""}, {"channel"}),
        ({"channel": "speed"}, {"channel"}),
        ({"condition": ""}, {"condition"}),
        ({"condition": "ABOVE"}, {"condition"}),
        ({"condition": "x" * 10**6}, {"condition"}),
        ({"channel": "status", "limit": "FAULT"}, {"condition"}),
        ({"channel": "status", "condition": "equals", "limit": "BROKEN"}, {"limit"}),
        ({"channel": "status", "condition": "equals", "limit": "FAULT", "deadband": 1.0}, {"deadband"}),
        ({"limit": ""}, {"limit"}),
        ({"limit": "0.8 * capacity"}, {"limit"}),
        ({"limit": "3 * usual_interval"}, {"limit"}),
        ({"low": "5"}, {"low"}),
        ({"condition": "outside", "low": "5"}, {"high"}),
        ({"condition": "outside", "low": "5", "high": "4"}, {"high"}),
        ({"condition": "changes", "limit": "-1"}, {"limit"}),
        ({"condition": "silent", "limit": "0"}, {"limit"}),
        ({"condition": "silent", "limit": "1e300"}, {"limit"}),
        ({"condition": "silent", "limit": "60", "channel": "charge"}, {"channel"}),
        ({"condition": "silent", "limit": "60", "deadband": 1.0}, {"deadband"}),
        ({"condition": "silent", "limit": "60", **GUARD}, {"while_channel"}),
        ({"while_limit": "5"}, {"while_channel"}),
        ({**GUARD, "while_channel": "speed"}, {"while_channel"}),
        ({**GUARD, "while_condition": ""}, {"while_condition"}),
        ({**GUARD, "while_condition": "outside"}, {"while_condition"}),
        ({**GUARD, "while_channel": "status", "while_condition": "above"}, {"while_condition"}),
        ({**GUARD, "while_limit": ""}, {"while_limit"}),
        ({"deadband": -1.0}, {"deadband"}),
        ({"deadband": float("nan")}, {"deadband"}),
        ({"deadband": float("inf")}, {"deadband"}),
        ({"on_delay_seconds": -1}, {"on_delay_seconds"}),
        ({"off_delay_seconds": 10**12}, {"off_delay_seconds"}),
        ({"level": "critical"}, {"level"}),
        ({"alert_type": "TOO_HOT"}, {"alert_type"}),
        ({"name": "", "channel": "", "level": "", "limit": ""}, {"name", "channel", "level"}),
    ],
)
def test_what_means_nothing_is_named(fields: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        spec_of(hot(**fields), kind=PACK, tenant_id=1)
    assert set(caught.value.message_dict) == wrong
    assert all(len(one) < 300 for one in caught.value.messages)


def test_a_kind_has_the_alert_types_that_it_declares() -> None:
    with pytest.raises(ValidationError) as caught:
        spec_of(HOT, kind=replace(PACK, alert_types=(AlertType.FAULT,)), tenant_id=1)
    assert caught.value.message_dict == {"alert_type": ["'OVER_TEMPERATURE' is not one of FAULT."]}


def test_with_another_condition_limits_that_it_does_not_have_fall_away() -> None:
    outside = fields_changed(HOT, {"condition": "outside", "low": "1", "high": "2"})
    assert (outside.limit, outside.low, outside.high) == ("", "1", "2")
    above = fields_changed(outside, {"condition": "above", "limit": "3"})
    assert (above.limit, above.low, above.high) == ("3", "", "")
    guarded = fields_changed(above, {**GUARD, "deadband": 1.0})
    silent = fields_changed(guarded, {"condition": "silent", "limit": "60"})
    assert (silent.channel, silent.while_channel, silent.while_limit, silent.deadband) == ("", "", "", 0.0)
    assert fields_changed(guarded, {"while_channel": ""}).while_condition == ""
    # What is said is not taken back.
    assert fields_changed(HOT, {"condition": "below", "low": "5"}).low == "5"


@pytest.mark.parametrize("kind", registry.kinds(), ids=lambda kind: kind.name)
class TestDefaults:
    def test_every_default_rule_means_something(self, kind: Kind) -> None:
        for default in kind.default_rules:
            spec = spec_of(fields_of_default(default, kind), kind=kind, tenant_id=1)
            assert spec.name == default.label
            assert spec.on_delay == timedelta(seconds=default.on_delay_seconds)

    def test_no_two_default_rules_have_the_same_name(self, kind: Kind) -> None:
        for names in ([one.name for one in kind.default_rules], [one.label for one in kind.default_rules]):
            assert len(set(names)) == len(names)


def test_the_defaults_of_batteries_raise_every_type_of_alert() -> None:
    kind = registry.kind("battery")
    assert len(kind.default_rules) == 10
    assert {default.alert_type for default in kind.default_rules} == set(kind.alert_types)


def test_nothing_but_what_must_last_waits_before_it_is_said() -> None:
    waiting = [one.name for one in registry.kind("battery").default_rules if one.on_delay_seconds]
    assert waiting == ["overcharge_current"]
