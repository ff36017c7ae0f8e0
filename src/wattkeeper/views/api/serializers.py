"""The API's fields of a stream, made from its declaration."""

from __future__ import annotations

from functools import cache
from typing import Any

from rest_framework import serializers

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import now
from wattkeeper.flow.readings.normalise import normalise
from wattkeeper.flow.readings.reading import Row
from wattkeeper.flow.store.queries import StoredRow
from wattkeeper.views.api.fields import channel_field


class ReadingSerializer(serializers.Serializer[Any]):
    """A reading, with whose it is and when it was taken."""

    # The fields document a stream; the checking is `normalise`, the same as at every other door.

    stream: Stream

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not hasattr(data, "get") or isinstance(data, list):
            raise serializers.ValidationError({"non_field_errors": ["Send one reading as a JSON object or a form."]})
        raw = {name: data.get(name) for name in self.stream.columns}
        result = normalise(self.stream, raw, now=now())
        if isinstance(result, Row):
            return {"row": result}
        raise serializers.ValidationError({refusal.column: [refusal.reason] for refusal in result})

    def to_representation(self, instance: StoredRow) -> dict[str, Any]:
        return {
            "id": instance.key.public_id(),
            self.stream.asset_field: instance.asset_key,
            self.stream.time_field: instance.key.at.isoformat().replace("+00:00", "Z"),
            **instance.values,
            "flags": list(instance.flags),
        }


@cache
def serializer_of(stream: Stream) -> type[ReadingSerializer]:
    """The serializer of a stream's rows."""
    fields: dict[str, Any] = {
        "id": serializers.CharField(read_only=True, help_text="Opaque; stays the same when a file is loaded again."),
        stream.asset_field: serializers.CharField(max_length=stream.asset_key_max_length),
        stream.time_field: serializers.DateTimeField(
            help_text="ISO 8601, naive times in UTC; or epoch seconds or milliseconds."
        ),
        **{channel.name: channel_field(channel) for channel in stream.channels},
        "flags": serializers.ListField(
            child=serializers.ChoiceField(choices=stream.flags),
            read_only=True,
            help_text="What is implausible about the reading; it is kept all the same.",
        ),
    }
    name = "".join(part.title() for part in stream.name.split("."))
    return type(f"{name}Serializer", (ReadingSerializer,), {**fields, "stream": stream})


class PageSerializer(serializers.Serializer[Any]):
    """The frame of every list."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


@cache
def paged(item: type[serializers.Serializer[Any]]) -> type[PageSerializer]:
    """A page of such items."""
    name = item.__name__.removesuffix("Serializer")
    return type(f"{name}PageSerializer", (PageSerializer,), {"results": item(many=True)})
