"""The words that a kind gives its rules: all from its declaration."""

from __future__ import annotations

from wattkeeper.base.catalog.alerting import USUAL_INTERVAL, Condition
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind

NUMERIC_CONDITIONS = (Condition.ABOVE, Condition.BELOW, Condition.OUTSIDE, Condition.EQUALS, Condition.CHANGES)
TEXT_CONDITIONS = (Condition.EQUALS,)
GUARD_CONDITIONS = (Condition.ABOVE, Condition.BELOW, Condition.EQUALS)


def channels_of(kind: Kind) -> dict[str, Channel]:
    """What a rule may ask of, by name, in the order of the declarations: the streams', then what is written."""
    channels: dict[str, Channel] = {}
    for channel in (*(one for stream in kind.streams for one in stream.channels), *kind.written):
        channels.setdefault(channel.name, channel)
    return channels


def conditions_of(channel: Channel) -> tuple[Condition, ...]:
    """What may be asked of a channel."""
    return NUMERIC_CONDITIONS if channel.is_numeric else TEXT_CONDITIONS


def relative_to(kind: Kind, condition: Condition) -> tuple[str, ...]:
    """What a limit may be so many times of, by name: the nameplate; of a silence, first the usual interval."""
    nameplate = tuple(field.name for field in kind.nameplate)
    return (USUAL_INTERVAL, *nameplate) if condition is Condition.SILENT else nameplate
