"""The API's fields that check by the house's own rules, so that a value is the same at every door."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.fields import empty

from wattkeeper.base.catalog.channels import Channel, ChannelType
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.normalise import asset_key_checked, time_checked, value_checked
from wattkeeper.flow.readings.reading import Refusal

if TYPE_CHECKING:
    _Field = serializers.Field[Any, Any, Any, Any]
    _CharField = serializers.CharField
    _DateTimeField = serializers.DateTimeField
else:
    _Field, _CharField, _DateTimeField = object, serializers.CharField, serializers.DateTimeField

LONGEST_NAME = 100  # of an unknown field, as it is told again
CSRF_FIELD = "csrfmiddlewaretoken"


def channel_field(channel: Channel, **options: Any) -> serializers.Field[Any, Any, Any, Any]:
    """A field of the channel's values: checked by its declaration, documented by it. `options` are the field's own."""
    common: dict[str, Any] = {
        "required": channel.required,
        "allow_null": not channel.required,
        "label": channel.title,
        "help_text": channel.help or channel.title,
        **options,
    }
    if channel.choices:
        return _ChannelChoice(channel, choices=channel.choices, **common)
    if channel.type is ChannelType.TEXT:
        return _ChannelText(channel, max_length=channel.max_length, **common)
    assert channel.hard is not None
    low, high = channel.hard.low, channel.hard.high
    if channel.type is ChannelType.INTEGER:
        return _ChannelInteger(channel, min_value=int(low), max_value=int(high), **common)
    return _ChannelFloat(channel, min_value=low, max_value=high, **common)


class AssetKeyField(_CharField):
    """The key of an asset, as a reading of the stream may name it."""

    def __init__(self, stream: Stream, **options: Any) -> None:
        super().__init__(max_length=stream.asset_key_max_length, **options)
        self._stream = stream

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return _or_raise(asset_key_checked(self._stream, data))  # type: ignore[no-any-return]


class ReadingTimeField(_DateTimeField):
    """When a reading was taken: ISO 8601, naive times in UTC, or epoch seconds or milliseconds."""

    def to_internal_value(self, value: Any) -> Any:
        return _or_raise(time_checked(self.field_name or "", value, now=now()))


class Text(serializers.CharField):
    """A text, and no number or truth that could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A number that has an end, and no truth that could be read as one."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        number = super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("invalid")
        return number


class Choice(serializers.ChoiceField):
    """One of a few texts. What is none is not told again: it may be a million characters, or half of one."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(f"Not one of {', '.join(map(str, self.choices))}.")
        return data


class Truth(serializers.BooleanField):
    """true or false, as a form writes them too: not yes, on or 1."""

    default_empty_html = empty  # a form that leaves it out says nothing of it

    def to_internal_value(self, data: Any) -> bool:
        said = data.lower() if isinstance(data, str) else data
        if isinstance(said, bool) or said in ("true", "false"):
            return super().to_internal_value(said)
        self.fail("invalid", input=data)


class KnownFieldsOnly(serializers.Serializer[Any]):
    """Refuses a name that is no field of it: what is misspelt would seem to be stored, and would not be.

    Fields that are only read may be sent back, and are passed over.
    """

    def to_internal_value(self, data: Any) -> Any:
        unknown = self._unknown(data)
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            assert isinstance(error.detail, dict)
            raise serializers.ValidationError({**error.detail, **unknown}) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return found

    def _unknown(self, data: Any) -> dict[str, list[str]]:
        if not isinstance(data, Mapping):
            return {}
        strange = (str(name) for name in data if name not in self.fields)
        if isinstance(data, QueryDict):
            strange = (name for name in strange if name != CSRF_FIELD)
        # Half a character, out of a JSON escape, could not be told again.
        return {_printable(name): ["There is no such field."] for name in strange}


def _printable(name: str) -> str:
    return name[:LONGEST_NAME].encode(errors="replace").decode()


def _or_raise(found: Any) -> Any:
    if isinstance(found, Refusal):
        raise serializers.ValidationError(found.reason)
    return found


class _Checked(_Field):
    """In front of one of REST framework's fields: that documents, the channel checks."""

    def __init__(self, channel: Channel, **options: Any) -> None:
        super().__init__(**options)
        self._channel = channel

    def to_internal_value(self, data: Any) -> Any:
        # In a file such a word is an empty cell; whoever writes one value writes null.
        if self._channel.is_numeric and isinstance(data, str) and data.strip().lower() in reasons.NULL_WORDS:
            raise serializers.ValidationError(reasons.NOT_A_NUMBER)
        found = _or_raise(value_checked(self._channel, data))
        if found is None:
            raise serializers.ValidationError(
                reasons.not_a_choice(self._channel) if self._channel.choices else reasons.MISSING
            )
        return found


class _ChannelFloat(_Checked, serializers.FloatField):
    pass


class _ChannelInteger(_Checked, serializers.IntegerField):
    pass


class _ChannelChoice(_Checked, serializers.ChoiceField):
    pass


class _ChannelText(_Checked, serializers.CharField):
    pass
