"""One row in, typed and checked against the stream's declaration, or refused with its reasons."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from wattkeeper.base.catalog.channels import Channel, ChannelType
from wattkeeper.base.catalog.streams import CLOCK_AHEAD, MovesWhile, Stream, implausible_flag
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.reading import Refusal, Row, Value
from wattkeeper.flow.readings.timestamps import CLOCK_TOLERANCE, EARLIEST, FUTURE_TOLERANCE, parse_timestamp

_NUMBER = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity)", re.IGNORECASE)
SHOWN_CHARACTERS = 100  # of a refused value


class _Refused(Exception):
    """Carries a reason out of the depth of one value; never leaves this module."""


def normalise(stream: Stream, raw: Mapping[str, object], *, now: datetime) -> Row | list[Refusal]:
    """The row that `raw` says, or all its refusals, one a column. Unknown names are not looked at.

    `raw` holds what JSON or a form can hold; numbers may come as text.
    """
    refusals: list[Refusal] = []
    checked: dict[str, Value | datetime] = {}
    for name in stream.columns:
        value = raw.get(name)
        if name == stream.asset_field:
            found: Value | datetime | Refusal = asset_key_checked(stream, value)
        elif name == stream.time_field:
            found = time_checked(name, value, now=now)
        else:
            found = value_checked(stream.channel(name), value)
        if isinstance(found, Refusal):
            refusals.append(found)
        else:
            checked[name] = found
    if refusals:
        return refusals
    key, at = checked.pop(stream.asset_field), checked.pop(stream.time_field)
    assert isinstance(key, str) and isinstance(at, datetime)
    values = {name: value for name, value in checked.items() if not isinstance(value, datetime)}
    ahead = (CLOCK_AHEAD,) if at > now + CLOCK_TOLERANCE else ()
    return Row(key, at, values, (*row_flags(stream, values), *ahead))


def asset_key_checked(stream: Stream, value: object) -> str | Refusal:
    """The key that a door's value names an asset of the stream by."""
    try:
        return _asset_key(stream, value)
    except _Refused as refused:
        return Refusal(stream.asset_field, shown(value), str(refused))


def time_checked(name: str, value: object, *, now: datetime) -> datetime | Refusal:
    """The moment at which a reading may have been taken; `name` is what the door calls it."""
    try:
        return _timestamp(value, now=now)
    except _Refused as refused:
        return Refusal(name, shown(value), str(refused))


def value_checked(channel: Channel, value: object) -> Value | Refusal:
    """The channel's value that a door's value says."""
    try:
        return _value(channel, value)
    except _Refused as refused:
        return Refusal(channel.name, shown(value), str(refused))


def row_flags(stream: Stream, values: Mapping[str, Value]) -> tuple[str, ...]:
    """The flags that a row's values show by themselves, without its neighbours and the clock."""
    flags = []
    for channel in stream.channels:
        value = values.get(channel.name)
        if channel.plausible and isinstance(value, int | float) and value not in channel.plausible:
            flags.append(implausible_flag(channel))
    flags += [check.flag for check in stream.row_checks if _moves_while(check, values)]
    return tuple(flags)


def shown(value: object) -> str:
    """A refused value as the caller sees it again, cut to a sensible length."""
    return "" if value is None else str(value)[:SHOWN_CHARACTERS]


def _moves_while(check: MovesWhile, values: Mapping[str, Value]) -> bool:
    value = values.get(check.channel)
    return isinstance(value, int | float) and value > check.above and values.get(check.state) == check.equals


def _text(value: object) -> str | None:
    """The stripped text of a value, or None where it means "no value"."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Refused(reasons.NOT_TEXT)
    if "\0" in value:
        raise _Refused(reasons.NUL_BYTE)
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate out of a JSON escape
        raise _Refused(reasons.NOT_UTF8) from None
    text = value.strip(" \t\r")
    return None if text.lower() in reasons.NULL_WORDS else text


def _asset_key(stream: Stream, value: object) -> str:
    key = _text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    if key is None:
        raise _Refused(reasons.MISSING)
    if len(key) > stream.asset_key_max_length:
        raise _Refused(reasons.too_long(stream.asset_key_max_length))
    return key


def _timestamp(value: object, *, now: datetime) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = repr(value)
    text = _text(value)
    if text is None:
        raise _Refused(reasons.MISSING)
    at = parse_timestamp(text, zone=UTC)
    if at is None:
        raise _Refused(reasons.NOT_A_TIMESTAMP)
    if at < EARLIEST:
        raise _Refused(reasons.TOO_EARLY)
    if at > now + FUTURE_TOLERANCE:
        raise _Refused(reasons.TOO_LATE)
    return at


def _value(channel: Channel, value: object) -> Value:
    checked = _number(channel, value) if channel.is_numeric else _text(value)
    if checked is None:
        if channel.required:
            raise _Refused(reasons.MISSING)
        return None
    if isinstance(checked, str):
        if channel.choices and checked not in channel.choices:
            raise _Refused(reasons.not_a_choice(channel))
        if len(checked) > channel.max_length:
            raise _Refused(reasons.too_long(channel.max_length))
    return checked


def _number(channel: Channel, value: object) -> float | int | None:
    if isinstance(value, bool):
        raise _Refused(reasons.NOT_A_NUMBER)
    if isinstance(value, int | float):
        number = _finite(value)
    else:
        text = _text(value) if isinstance(value, str | None) else "?"
        if text is None:
            return None
        number = _number_of(text)
    assert channel.hard is not None
    if number not in channel.hard:  # infinity too
        raise _Refused(reasons.outside_range(channel))
    if channel.type is ChannelType.INTEGER:
        if number != int(number):
            raise _Refused(reasons.NOT_WHOLE)
        return int(number)
    return number


def _finite(value: int | float) -> float:
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    if math.isnan(number):
        raise _Refused(reasons.NOT_A_NUMBER)
    return number


def _number_of(text: str) -> float:
    # float() also reads 1_000 and digits of other scripts, which the engine does not.
    if not _NUMBER.fullmatch(text):
        raise _Refused(reasons.NOT_A_NUMBER)
    return float(text)
