"""What a series looks like, for the API's documentation."""

from __future__ import annotations

from functools import cache
from typing import Any

from rest_framework import serializers

from wattkeeper.base.catalog.channels import Aggregation, Channel, ChannelType
from wattkeeper.base.catalog.streams import Stream


class _LineSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField()
    type = serializers.ChoiceField(choices=[type_.value for type_ in ChannelType])
    aggregation = serializers.ChoiceField(choices=[aggregation.value for aggregation in Aggregation])
    times = serializers.ListField(
        child=serializers.FloatField(), help_text="Epoch seconds, to the millisecond; they never fall."
    )


class FloatLineSerializer(_LineSerializer):
    values = serializers.ListField(child=serializers.FloatField(allow_null=True), help_text="null: a gap.")


class IntegerLineSerializer(_LineSerializer):
    values = serializers.ListField(child=serializers.IntegerField(allow_null=True), help_text="null: a gap.")


class TextLineSerializer(_LineSerializer):
    values = serializers.ListField(child=serializers.CharField(allow_null=True), help_text="null: a gap.")
    several = serializers.ListField(
        child=serializers.BooleanField(),
        required=False,
        help_text="Where the series is thinned: whether this point stands for several states, of which it is the last.",
    )


_LINES = {
    ChannelType.FLOAT: FloatLineSerializer,
    ChannelType.INTEGER: IntegerLineSerializer,
    ChannelType.TEXT: TextLineSerializer,
}


class SeriesSerializer(serializers.Serializer[Any]):
    """Lines to draw. Those of `channels` that were not asked for are not there."""

    since = serializers.DateTimeField(allow_null=True, help_text="As asked for; null: open.")
    until = serializers.DateTimeField(allow_null=True, help_text="As asked for, inclusive; null: open.")
    first = serializers.DateTimeField(allow_null=True, help_text="The window's first reading.")
    last = serializers.DateTimeField(allow_null=True, help_text="The window's last reading.")
    rows = serializers.IntegerField(help_text="How many readings the window holds.")
    thinned = serializers.BooleanField(help_text="Whether there are more of them than points.")
    bucket_seconds = serializers.FloatField(
        allow_null=True,
        help_text="Of each such stretch of time a thinned line has the first, the last, the least and the greatest "
        "sample; of texts the last.",
    )
    gap_seconds = serializers.FloatField(
        allow_null=True, help_text="Samples further apart have a null between them, on top of the points."
    )


@cache
def series_serializer_of(stream: Stream) -> type[SeriesSerializer]:
    """The shape of a stream's series."""
    name = "".join(part.title() for part in stream.name.split("."))
    lines = {channel.name: _line(channel) for channel in stream.channels}
    channels = type(f"{name}SeriesChannelsSerializer", (serializers.Serializer,), lines)
    fields = {stream.asset_field: serializers.CharField(), "channels": channels()}
    return type(f"{name}SeriesSerializer", (SeriesSerializer,), fields)


def _line(channel: Channel) -> serializers.Serializer[Any]:
    return _LINES[channel.type](required=False, label=channel.title)
