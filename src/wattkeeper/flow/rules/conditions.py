"""What a rule says of one sample: pure, and the one place that says it.

A condition is compiled for a thing's nameplate to a test of single values; a rule, to a test with its guard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.flow.readings.reading import Value
from wattkeeper.flow.rules.expressions import limit_text, limit_value
from wattkeeper.flow.rules.spec import Limit, RuleSpec
from wattkeeper.flow.rules.verdicts import Sample, Verdict

if TYPE_CHECKING:
    from wattkeeper.base.assets.states import KnownState  # which knows the database

Nameplate = Mapping[str, float | None]

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Zone:
    """Breach below `low` and above `high`, clear from `clear_low` to `clear_high`; between them is the deadband."""

    low: float = -math.inf
    high: float = math.inf
    clear_low: float = -math.inf
    clear_high: float = math.inf

    def verdict(self, value: Value) -> Verdict:
        if value is None or isinstance(value, str):
            return Verdict.UNSURE
        if value < self.low or value > self.high:
            return Verdict.BREACH
        return Verdict.CLEAR if self.clear_low <= value <= self.clear_high else Verdict.UNSURE


@dataclass(frozen=True, slots=True)
class Point:
    """Breach at one number, clear where more than the deadband lies between."""

    number: float
    deadband: float = 0.0

    def verdict(self, value: Value) -> Verdict:
        if value is None or isinstance(value, str) or math.isnan(value):
            return Verdict.UNSURE
        if value == self.number:
            return Verdict.BREACH
        return Verdict.CLEAR if abs(value - self.number) > self.deadband else Verdict.UNSURE


@dataclass(frozen=True, slots=True)
class Word:
    """Breach at one text, clear at any other."""

    text: str

    def verdict(self, value: Value) -> Verdict:
        if not isinstance(value, str):
            return Verdict.UNSURE
        return Verdict.BREACH if value == self.text else Verdict.CLEAR


@dataclass(frozen=True, slots=True)
class Unknowable:
    """The thing's nameplate does not say what the limit is."""

    def verdict(self, value: Value) -> Verdict:
        return Verdict.UNSURE


Test = Zone | Point | Word | Unknowable


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule for all things of one nameplate. `guard` is in breach while the rule may speak.

    `limit` is what values are judged by, as a person reads it.
    """

    rule: RuleSpec
    test: Test
    guard: Test | None
    limit: str

    @property
    def looks_back(self) -> bool:
        """Whether it asks what was known before."""
        return self.guard is not None or self.rule.condition is Condition.CHANGES

    def verdict(self, sample: Sample, before: KnownState | None) -> tuple[Verdict, Value]:
        """What it says of the sample, and the value of which it says so. Not for a `silent` rule."""
        rule = self.rule
        value: Value = sample.values.get(rule.channel)
        if rule.condition is Condition.CHANGES:
            value = _rate(rule.channel, sample, before)
        if self.guard is not None and rule.guard is not None:
            allowed = self.guard.verdict(_newest(rule.guard.channel, sample, before))
            if allowed is not Verdict.BREACH:
                return allowed, value
        return self.test.verdict(value), value


def compiled(rule: RuleSpec, nameplate: Nameplate) -> Compiled:
    """The rule for things of that nameplate."""
    guard = None if rule.guard is None else _limit_test(rule.guard.condition, rule.guard.limit, nameplate)
    return Compiled(rule, _test(rule, nameplate), guard, _limit_shown(rule, nameplate))


def rate_of(value: Value, *, before: Value, after: timedelta) -> float | None:
    """How much it moved a minute, up or down; None where either is no number.

    Two samples less than a minute apart are compared as if a minute lay between them, so that a step of one digit
    between two quick samples is not a rate.
    """
    if value is None or before is None or isinstance(value, str) or isinstance(before, str):
        return None
    return abs(value - before) / (max(after, _MINUTE) / _MINUTE)


def _test(rule: RuleSpec, nameplate: Nameplate) -> Test:
    """What the rule asks of single values; of `changes`, of rates a minute; of `silent`, of seconds."""
    if rule.limit is not None:
        return _limit_test(rule.condition, rule.limit, nameplate, deadband=rule.deadband)
    return _zone(rule.low, rule.high, nameplate, deadband=rule.deadband)


def _limit_test(condition: Condition, limit: Limit, nameplate: Nameplate, *, deadband: float = 0.0) -> Test:
    if condition is Condition.BELOW:
        return _zone(limit, None, nameplate, deadband=deadband)
    if condition is not Condition.EQUALS:
        return _zone(None, limit, nameplate, deadband=deadband)
    if limit.text is not None:
        return Word(limit.text)
    number = limit_value(limit, nameplate)
    return Unknowable() if number is None else Point(number, deadband)


def _zone(low: Limit | None, high: Limit | None, nameplate: Nameplate, *, deadband: float) -> Test:
    known_low = None if low is None else limit_value(low, nameplate)
    known_high = None if high is None else limit_value(high, nameplate)
    if known_low is None and known_high is None:
        return Unknowable()
    # Of two limits the one that nobody knows is none.
    bottom = -math.inf if known_low is None else known_low
    top = math.inf if known_high is None else known_high
    if bottom > top:
        return Unknowable()
    # However wide the deadband is, half of what lies between two limits is clear.
    inside = min(deadband, (top - bottom) / 4)
    return Zone(bottom, top, bottom + inside, top - inside)


def _limit_shown(rule: RuleSpec, nameplate: Nameplate) -> str:
    def shown(limit: Limit | None) -> str:
        value = None if limit is None or limit.text is not None else limit_value(limit, nameplate)
        return f"{value:.10g}" if value is not None else limit_text(limit) if limit is not None else ""

    match rule.condition:
        case Condition.ABOVE:
            return f"above {shown(rule.high)}"
        case Condition.BELOW:
            return f"below {shown(rule.low)}"
        case Condition.OUTSIDE:
            return f"outside {shown(rule.low)} to {shown(rule.high)}"
        case Condition.EQUALS:
            return f"equals {shown(rule.limit)}"
        case Condition.CHANGES:
            return f"changing faster than {shown(rule.limit)} a minute"
        case Condition.SILENT:
            return f"silent for longer than {shown(rule.limit)} s"


def _newest(channel: str, sample: Sample, before: KnownState | None) -> Value:
    """What is known of the channel at the sample's time."""
    value = sample.values.get(channel)
    return before.values.get(channel) if value is None and before is not None else value


def _rate(channel: str, sample: Sample, before: KnownState | None) -> float | None:
    if before is None or before.at is None:
        return None
    return rate_of(sample.values.get(channel), before=before.values.get(channel), after=sample.at - before.at)
