"""A rule as a person writes it, and what it means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, TypeVar

from django.core.exceptions import ValidationError

from wattkeeper.base.catalog.alerting import Condition, Level, RuleDefault
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.expressions import LONGEST, LimitError, limit_parse
from wattkeeper.flow.rules.models import LONGEST_NAME, LONGEST_TEXT, Rule
from wattkeeper.flow.rules.spec import Guard, Limit, RuleSpec
from wattkeeper.flow.rules.vocabulary import GUARD_CONDITIONS, channels_of, conditions_of, relative_to

S = TypeVar("S", bound=str)

LONGEST_TYPE = 100
LONGEST_DELAY_SECONDS = 30 * 24 * 3600
LONGEST_SILENCE_SECONDS = 366 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFields:
    """What people may write of a rule. Limits are texts: `50`, `0.8 * voltage_nominal`, `FAULT`.

    `limit` is for above, below, equals, changes (a minute) and silent (seconds); `low` and `high` are for outside.
    `asset_id` None: every thing of the kind, and of the type where there is one.
    """

    kind: str
    type: str = ""
    asset_id: int | None = None
    name: str
    channel: str = ""
    condition: str
    limit: str = ""
    low: str = ""
    high: str = ""
    while_channel: str = ""
    while_condition: str = ""
    while_limit: str = ""
    deadband: float = 0.0
    on_delay_seconds: int = 0
    off_delay_seconds: int = 0
    level: str
    alert_type: str
    text: str = ""
    makes_work: bool = False
    enabled: bool = True


NAMES = tuple(field.name for field in fields(RuleFields))
TEXTS = tuple(field.name for field in fields(RuleFields) if field.type == "str")

_LONGEST = {"name": LONGEST_NAME, "type": LONGEST_TYPE, "text": LONGEST_TEXT}
_SHOWN = 60

# What each condition is measured by; what it is not measured by is empty.
_LIMITS_OF = {one: ("low", "high") if one is Condition.OUTSIDE else ("limit",) for one in Condition}
_NO_GUARD = {"while_channel": "", "while_condition": "", "while_limit": ""}


def fields_of(rule: Rule) -> RuleFields:
    """What stands in a rule."""
    return RuleFields(**{name: getattr(rule, name) for name in NAMES})


def fields_of_default(default: RuleDefault, kind: Kind) -> RuleFields:
    """What a tenant's own version of a kind's default begins with."""
    own = {name: getattr(default, name) for name in NAMES if hasattr(default, name)}
    return RuleFields(
        **{**own, "kind": kind.name, "name": default.label, "while_condition": default.while_condition or ""}
    )


def fields_changed(before: RuleFields, given: Mapping[str, Any]) -> RuleFields:
    """`before` with what is given. What then makes no sense any more, and was not given, falls away.

    With another condition, the limits that it does not have; with a silence, all that is of channels; without its
    channel, what is left of a guard.
    """
    gone: dict[str, Any] = {}
    condition = given.get("condition", before.condition)
    if condition != before.condition and condition in _LIMITS_OF:
        gone.update((name, "") for name in ("limit", "low", "high") if name not in _LIMITS_OF[Condition(condition)])
    if condition != before.condition and condition == Condition.SILENT:
        gone |= {"channel": "", "deadband": 0.0, **_NO_GUARD}
    if given.get("while_channel") == "":
        gone |= _NO_GUARD
    return replace(before, **{**gone, **given})


def spec_of(written: RuleFields, *, kind: Kind, tenant_id: int, rule_id: int | None = None) -> RuleSpec:
    """What the fields mean. Django's ValidationError names each field that means nothing, and says why.

    Whether the asset is there is not looked at.
    """
    reader = _Reader(written, kind)
    reader.texts()
    condition = reader.choice("condition", Condition)
    channel = reader.channel("channel", condition)
    limits = reader.limits(condition, channel)
    guard = reader.guard(condition)
    reader.deadband(condition, channel)
    on_delay, off_delay = reader.delay("on_delay_seconds"), reader.delay("off_delay_seconds")
    level = reader.choice("level", Level)
    reader.choice("alert_type", kind.alert_types)
    if reader.wrong or condition is None or level is None:
        raise ValidationError(reader.wrong)
    above, below = condition is Condition.ABOVE, condition is Condition.BELOW
    return RuleSpec(
        id=rule_id,
        tenant_id=tenant_id,
        kind=kind.name,
        type=written.type.strip(),
        asset_id=written.asset_id,
        name=written.name.strip(),
        channel=channel.name if channel else "",
        condition=condition,
        low=limits.get("limit") if below else limits.get("low"),
        high=limits.get("limit") if above else limits.get("high"),
        limit=None if above or below else limits.get("limit"),
        guard=guard,
        deadband=written.deadband,
        on_delay=on_delay,
        off_delay=off_delay,
        level=level,
        alert_type=written.alert_type,
        text=written.text.strip(),
        makes_work=written.makes_work,
    )


class _Reader:
    """Understands the fields one by one; `wrong` says what is wrong with those that mean nothing."""

    def __init__(self, written: RuleFields, kind: Kind) -> None:
        self.written, self.kind = written, kind
        self.wrong: dict[str, str] = {}

    def refuse(self, name: str, why: str) -> None:
        self.wrong.setdefault(name, why)

    def texts(self) -> None:
        if not self.written.name.strip():
            self.refuse("name", "A rule has a name.")
        for name in TEXTS:
            text, longest = getattr(self.written, name).strip(), _LONGEST.get(name, LONGEST)
            if len(text) > longest:
                self.refuse(name, f"At most {longest} characters.")
            elif "\0" in text or not _is_unicode(text):
                self.refuse(name, "There are characters in it that no text has.")

    def choice(self, name: str, choices: Iterable[S]) -> S | None:
        """The one that stands there."""
        said, options = getattr(self.written, name), list(choices)
        if said in options:
            return options[options.index(said)]
        self.refuse(name, f"{said[:_SHOWN]!r} is not one of {', '.join(options)}." if said else _one_of(options))
        return None

    def channel(self, name: str, condition: Condition | None) -> Channel | None:
        """The channel that stands there, if the condition can be asked of it."""
        said = getattr(self.written, name)
        if condition is Condition.SILENT:
            if said:
                self.refuse(name, "A silence is of the whole thing, not of a channel.")
            return None
        channels = channels_of(self.kind)
        found = channels.get(said)
        if found is None:
            options = list(channels)
            self.refuse(name, f"{said[:_SHOWN]!r} is not one of {', '.join(options)}." if said else _one_of(options))
        elif condition is not None and condition not in conditions_of(found):
            possible = " or ".join(conditions_of(found))
            self.refuse("condition", f"{found.label} is a text: what may be asked of it is {possible}.")
            return None
        return found

    def limits(self, condition: Condition | None, channel: Channel | None) -> dict[str, Limit]:
        if condition is None or (channel is None and condition is not Condition.SILENT):
            return {}
        limits: dict[str, Limit] = {}
        for name in ("limit", "low", "high"):
            if name in _LIMITS_OF[condition]:
                limits.update(self.limit(name, condition, channel))
            elif getattr(self.written, name).strip():
                self.refuse(name, f"{condition.value!r} is measured by {' and '.join(_LIMITS_OF[condition])} alone.")
        low, high = limits.get("low"), limits.get("high")
        if low and high and low.field == high.field == "" and low.factor > high.factor:
            self.refuse("high", "The upper limit is below the lower one.")
        return limits

    def limit(self, name: str, condition: Condition, channel: Channel | None) -> dict[str, Limit]:
        """What stands there, by `name`; empty where it means nothing."""
        try:
            limit = limit_parse(getattr(self.written, name), channel=channel, fields=relative_to(self.kind, condition))
        except LimitError as error:
            self.refuse(name, str(error))
            return {}
        if condition is Condition.CHANGES and limit.factor < 0:
            self.refuse(name, "How fast something changes is never below 0.")
        if condition is Condition.SILENT and not 0 < limit.factor <= LONGEST_SILENCE_SECONDS:
            self.refuse(name, f"A silence is longer than 0 seconds, and at most {LONGEST_SILENCE_SECONDS}.")
        return {name: limit}

    def guard(self, of: Condition | None) -> Guard | None:
        written = self.written
        if not written.while_channel:
            for name in ("while_condition", "while_limit"):
                if getattr(written, name).strip():
                    self.refuse("while_channel", "Say of which channel.")
            return None
        if of is Condition.SILENT:
            self.refuse("while_channel", "A silence has no other channel beside it.")
            return None
        condition = self.choice("while_condition", GUARD_CONDITIONS)
        channel = channels_of(self.kind).get(written.while_channel)
        if channel is None:
            self.channel("while_channel", condition)
        if condition is None or channel is None:
            return None
        if condition not in conditions_of(channel):
            self.refuse("while_condition", f"{channel.label} is a text: it equals another or not.")
            return None
        limit = self.limit("while_limit", condition, channel)
        return Guard(channel.name, condition, limit["while_limit"]) if limit else None

    def deadband(self, condition: Condition | None, channel: Channel | None) -> None:
        deadband = self.written.deadband
        if not (math.isfinite(deadband) and deadband >= 0):
            self.refuse("deadband", "A deadband is a number from 0.")
        elif deadband and (condition is Condition.SILENT or (channel is not None and not channel.is_numeric)):
            self.refuse("deadband", "Only a number has a deadband.")

    def delay(self, name: str) -> timedelta:
        seconds = getattr(self.written, name)
        if not 0 <= seconds <= LONGEST_DELAY_SECONDS:
            self.refuse(name, f"A delay is from 0 to {LONGEST_DELAY_SECONDS} seconds.")
            return timedelta(0)
        return timedelta(seconds=seconds)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate out of a JSON escape
        return False
    return True


def _one_of(options: Iterable[str]) -> str:
    return f"Say one of {', '.join(options)}."
