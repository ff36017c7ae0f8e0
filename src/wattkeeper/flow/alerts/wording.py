"""What an alert says, in plain words: what, its value with its unit, and the limit."""

from __future__ import annotations

from contextlib import suppress

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.units import Unit
from wattkeeper.flow.alerts.machine import CHATTER_OPENINGS
from wattkeeper.flow.rules import expressions
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.rules.verdicts import Judged
from wattkeeper.flow.rules.vocabulary import channels_of

CHATTERS = f"Opened {CHATTER_OPENINGS} times within an hour: it closes only after an hour without a breach."

_HOURS_AS_DAYS = 72  # from so many on nobody thinks of hours
_PLAIN_BELOW = 1e6  # larger numbers are written without a fraction, never with an exponent


def value_of(judged: Judged) -> str:
    """`61.2 °C`, `FAULT`, of a silence `12 min`; empty where nobody knows it."""
    value = judged.value
    if value is None or isinstance(value, str):
        return value or ""
    if judged.rule.condition is Condition.SILENT:
        return duration_text(value)
    channel = _channel(judged.rule.kind, judged.rule.channel)
    if judged.rule.condition is Condition.CHANGES:
        return f"{_with_unit(_number(value), channel)} a minute"
    if channel and channel.unit is Unit.HOUR:
        return _hours(value)
    return (channel.word_of(value) if channel else "") or _with_unit(_number(value), channel)


def limit_of(judged: Judged) -> str:
    """`above 50 °C`, `equals FAULT`, `silent for longer than 90 s`."""
    rule = judged.rule
    if rule.condition is Condition.SILENT:
        return _silence(judged.limit)
    channel = _channel(rule.kind, rule.channel)
    if rule.condition is Condition.EQUALS and channel and channel.words:
        return f"equals {_in_words(judged.limit.removeprefix('equals '), channel)}"
    if rule.condition is not Condition.CHANGES:
        return _with_unit(judged.limit, channel)
    return f"{_with_unit(judged.limit.removesuffix(' a minute'), channel)} a minute"


def message_opened(judged: Judged) -> str:
    """`Temperature 61.2 °C, above 50 °C for 5 min`."""
    rule, value, limit = judged.rule, value_of(judged), limit_of(judged)
    if rule.condition is Condition.SILENT:
        return f"Silent for {value}, {limit.removeprefix('silent for ')}"
    # What equals its limit says so by its value.
    against = "" if rule.condition is Condition.EQUALS else f", {limit.removeprefix('changing ')}"
    delay = rule.on_delay.total_seconds()
    return f"{_what(rule)} {value}{against}{f' for {duration_text(delay)}' if delay else ''}{_while(rule)}"


def since_opened(message: str, *, value: str, limit: str) -> tuple[str, str]:
    """The newest value and the limit of an alert, each empty where `message_opened` has said the same."""
    opened_with, _, _ = message.partition(", ")
    against = limit
    for before in ("equals ", "changing ", "silent for "):
        against = against.removeprefix(before)
    is_same = f" {value} for " in f"{opened_with} for "  # a delay may stand behind it
    return "" if is_same else value, "" if against in message else limit


def why_cleared(judged: Judged) -> str:
    """`Temperature 47.5 °C, no longer above 50 °C`."""
    rule, value, limit = judged.rule, value_of(judged), limit_of(judged)
    if rule.condition is Condition.SILENT:
        return "Heard of again"
    now = f"{_what(rule)} {value}, no longer" if value else f"{_label(rule)} no longer"
    return f"{now} {limit.removeprefix('equals ').removeprefix('changing ')}{_while(rule)}"


def duration_text(seconds: float) -> str:
    """`90 s`, `30 min`, `5 h`, `3 d`: in the largest unit that is there at least twice, or fits."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length or seconds == length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def _channel(kind: str, name: str) -> Channel | None:
    return channels_of(registry.kind(kind)).get(name)


def _label(rule: RuleSpec) -> str:
    channel = _channel(rule.kind, rule.channel)
    return channel.label if channel else rule.channel


def _what(rule: RuleSpec) -> str:
    return f"{_label(rule)} changes by" if rule.condition is Condition.CHANGES else _label(rule)


def _while(rule: RuleSpec) -> str:
    """`, while Current is above 0 A`; nothing of a rule that always speaks."""
    if rule.guard is None:
        return ""
    channel = _channel(rule.kind, rule.guard.channel)
    condition = "" if rule.guard.condition is Condition.EQUALS else f"{rule.guard.condition} "
    limit = expressions.limit_text(rule.guard.limit)
    if not rule.guard.limit.field:
        is_equal = rule.guard.condition is Condition.EQUALS
        limit = _in_words(limit, channel) if is_equal else _with_unit(limit, channel)
    return f", while {channel.label if channel else rule.guard.channel} is {condition}{limit}"


def _silence(limit: str) -> str:
    """`silent for longer than 10800 s` as people say it."""
    words, _, seconds = limit.removesuffix(" s").rpartition(" ")
    with suppress(ValueError):
        return f"{words} {duration_text(float(seconds))}"
    return limit


def _in_words(number: str, channel: Channel | None) -> str:
    """What a number that is written means, where it means something; else with its unit."""
    if channel is not None and channel.words:
        with suppress(ValueError):
            return channel.word_of(float(number)) or _with_unit(number, channel)
    return _with_unit(number, channel)


def _with_unit(text: str, channel: Channel | None) -> str:
    return f"{text} {channel.unit.value}" if channel and channel.unit.value else text


def _hours(value: float) -> str:
    """In the unit in which people think of so many."""
    if abs(value) >= _HOURS_AS_DAYS:
        return f"{value / 24:,.0f} days"
    return f"{value:.3g} h" if abs(value) >= 1 else f"{value * 60:.2g} min"


def _number(value: float) -> str:
    return f"{value:.6g}" if abs(value) < _PLAIN_BELOW else f"{value:.0f}"
