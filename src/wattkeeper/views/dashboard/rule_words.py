"""A rule as one reads it aloud: `Temperature above 50 °C, for 5 min; clears below 47 °C`."""

from __future__ import annotations

from wattkeeper.base.catalog.alerting import USUAL_INTERVAL, Condition
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.alerts.wording import duration_text
from wattkeeper.flow.rules.spec import Guard, Limit, RuleSpec
from wattkeeper.flow.rules.vocabulary import channels_of

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"


def sentence_of(rule: RuleSpec, kind: Kind) -> str:
    """What the rule asks, for how long it must be so, and when it is over."""
    channel = channels_of(kind).get(rule.channel)
    lasting = f", for {duration_text(rule.on_delay.total_seconds())}" if rule.on_delay else ""
    guard = f", while {_guarded(rule.guard, kind)}" if rule.guard else ""
    return f"{_asked(rule, channel, kind)}{guard}{lasting}{_over(rule, channel, kind)}"


def rest_of(rule: RuleSpec, kind: Kind) -> str:
    """What its alerts' messages leave unsaid: what the limit is a share of, and when it is over.

    `0.8 * nominal voltage; clears 0.02 V above that`, with the signs that people use; either part may be missing.
    """
    limits = [_relative(one, kind) for one in (rule.low, rule.high, rule.limit) if one and one.field]
    over = _over(rule, channels_of(kind).get(rule.channel), kind, is_said=True)
    return f"{' to '.join(limits)}{over}".removeprefix("; ")


def _asked(rule: RuleSpec, channel: Channel | None, kind: Kind) -> str:
    label = channel.label if channel else rule.channel

    def shown(limit: Limit | None) -> str:
        return "" if limit is None else _limit(limit, channel, kind)

    match rule.condition:
        case Condition.ABOVE:
            return f"{label} above {shown(rule.high)}"
        case Condition.BELOW:
            return f"{label} below {shown(rule.low)}"
        case Condition.OUTSIDE:
            return f"{label} outside {shown(rule.low)} to {shown(rule.high)}"
        case Condition.EQUALS:
            return f"{label} is {_equal(rule.limit, channel, kind)}"
        case Condition.CHANGES:
            return f"{label} changing by more than {shown(rule.limit)} a minute"
        case Condition.SILENT:
            return f"Silent for longer than {_silence(rule.limit, kind)}"


def _over(rule: RuleSpec, channel: Channel | None, kind: Kind, *, is_said: bool = False) -> str:
    """When it is over, where that is not at once. `is_said`: a share that is the limit has just been told."""

    def away(limit: Limit, less: float) -> str:
        side = "below" if less > 0 else "above"
        if is_said and limit.field:
            return f"{_with_unit(_number(abs(less)), channel)} {side} that"
        return f"{side} {_limit(limit, channel, kind, less=less)}"

    for_so_long = f", for {duration_text(rule.off_delay.total_seconds())}" if rule.off_delay else ""
    band = _with_unit(_number(rule.deadband), channel)
    if not rule.deadband:
        return f"; clears after {for_so_long.removeprefix(', for ')}" if for_so_long else ""
    match rule.condition:
        case Condition.ABOVE if rule.high:
            return f"; clears {away(rule.high, rule.deadband)}{for_so_long}"
        case Condition.BELOW if rule.low:
            return f"; clears {away(rule.low, -rule.deadband)}{for_so_long}"
        case Condition.CHANGES if rule.limit:
            return f"; clears {away(rule.limit, rule.deadband)} a minute{for_so_long}"
        case Condition.OUTSIDE:
            return f"; clears {band} inside{for_so_long}"
        case _:
            return f"; clears more than {band} away{for_so_long}"


def _guarded(guard: Guard, kind: Kind) -> str:
    channel = channels_of(kind).get(guard.channel)
    how = "is" if guard.condition is Condition.EQUALS else f"is {guard.condition.value}"
    is_equal = guard.condition is Condition.EQUALS
    limit = _equal(guard.limit, channel, kind) if is_equal else _limit(guard.limit, channel, kind)
    return f"{channel.label.lower() if channel else guard.channel} {how} {limit}"


def _silence(limit: Limit | None, kind: Kind) -> str:
    if limit is None:
        return ""
    return _relative(limit, kind) if limit.field else duration_text(limit.factor)


def _limit(limit: Limit, channel: Channel | None, kind: Kind, *, less: float = 0.0) -> str:
    """The limit with its unit, `less` so much."""
    if limit.text is not None:
        return limit.text
    if not limit.field:
        return _with_unit(_number(limit.factor - less), channel)
    if not less:
        return _relative(limit, kind)
    return f"{_relative(limit, kind)} {MINUS if less > 0 else '+'} {_with_unit(_number(abs(less)), channel)}"


def _equal(limit: Limit | None, channel: Channel | None, kind: Kind) -> str:
    """What a value is asked to be, by its word where it has one."""
    if limit is None:
        return ""
    is_number = limit.text is None and not limit.field
    word = channel.word_of(limit.factor) if channel and is_number else ""
    return word or _limit(limit, channel, kind)


def _relative(limit: Limit, kind: Kind) -> str:
    labels = {field.name: field.label.lower() for field in kind.nameplate} | {USUAL_INTERVAL: "its usual interval"}
    label = labels.get(limit.field, limit.field)
    if limit.factor == 1:
        return label
    return f"{MINUS}{label}" if limit.factor == -1 else f"{_number(limit.factor)} {TIMES} {label}"


def _number(number: float) -> str:
    return f"{number:.10g}".replace("-", MINUS) if "e" not in f"{number:.10g}" else f"{number:.10g}"


def _with_unit(text: str, channel: Channel | None) -> str:
    return f"{text} {channel.unit.value}" if channel and channel.unit.value else text
