"""What the meters' endpoints give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rest_framework import serializers

from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.store.queries import StoredRow
from wattkeeper.kinds.meter.codes import manufacturers, media
from wattkeeper.kinds.meter.codes.dimensions import DECIMALS
from wattkeeper.kinds.meter.consumption import Use
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.kinds.meter.wording import clock_words, latest_of, status_words

CHANNELS = tuple(channel.name for channel in MESSAGE.channels)
# What is told beside the channels of a message, as it lies in the store.
TOLD = ("main_dimension", "main_value", "due_value", "due_date", "due_storage", "unknown")


MeterStateSerializer: type[serializers.Serializer[Any]] = type(
    "MeterStateSerializer",
    (serializers.Serializer,),
    {
        "__doc__": "What is known last, by the time by which messages count; what a message left out is as it was.",
        "at": serializers.DateTimeField(),
        **{
            channel.name: serializers.FloatField(allow_null=True, help_text=channel.help or channel.title)
            for channel in MESSAGE.channels
        },
        "main_dimension": serializers.CharField(allow_null=True, help_text="As it was sent."),
        "main_value": serializers.CharField(allow_null=True, help_text="With every digit that it was sent with."),
    },
)


class MeterSerializer(serializers.Serializer[Any]):
    """A meter: who it is, and what it said last."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    site = serializers.CharField(allow_blank=True)
    manufacturer = serializers.CharField(help_text="Letters and number: `EFE (5317)`.")
    identnr = serializers.CharField(help_text="Eight digits.")
    version = serializers.IntegerField()
    type = serializers.IntegerField(help_text="The medium's number.")
    medium = serializers.CharField(help_text="In words, with the number: `heat (4)`.")
    last_seen = serializers.DateTimeField(allow_null=True)
    latest = serializers.CharField(allow_null=True, help_text="The newest main value, scaled, with its unit.")
    status_words = serializers.CharField(allow_blank=True, help_text="`ok`, or what its bits say, by commas.")
    clock = serializers.CharField(allow_null=True, help_text="How its clock goes.")
    replaces = serializers.IntegerField(allow_null=True, help_text="The id of the meter that hung there before.")
    replaced_by = serializers.IntegerField(allow_null=True)
    state = MeterStateSerializer(allow_null=True)

    def to_representation(self, instance: Asset) -> dict[str, Any]:
        """By hand: a page may have a thousand."""
        who, state = instance.meter, getattr(instance, "meter_state", None)
        latest, next_one = latest_of(state), getattr(instance, "replaced_by", None)
        return {
            "id": instance.pk,
            "key": instance.key,
            "name": instance.name,
            "site": instance.site,
            "manufacturer": manufacturers.words_of(who.manufacturer),
            "identnr": who.identnr,
            "version": who.version,
            "type": who.device_type,
            "medium": media.words_of(who.device_type),
            "last_seen": instance.last_seen and iso(instance.last_seen),
            "latest": str(latest) if latest else None,
            "status_words": status_words(state.status if state else None),
            "clock": clock_words(state.clock_offset) if state else None,
            "replaces": who.replaces_id,
            "replaced_by": next_one.pk if next_one else None,
            "state": state
            and {
                "at": iso(state.at),
                **{name: getattr(state, name) for name in (*CHANNELS, "main_dimension", "main_value")},
            },
        }


class MeterMessageSerializer(serializers.Serializer[Any]):
    """A message as it came, with what was understood of it."""

    id = serializers.CharField(help_text="Opaque.")
    meter = serializers.CharField(help_text="The meter's key.")
    counted_at = serializers.DateTimeField(help_text="By which it counts: its own time, or reception.")
    received_at = serializers.DateTimeField()
    own_time = serializers.DateTimeField(allow_null=True)
    flags = serializers.ListField(child=serializers.ChoiceField(choices=MESSAGE.flags))
    status_words = serializers.CharField(allow_blank=True)
    values = serializers.DictField(
        child=serializers.JSONField(), help_text="The channels, scaled, and the main measurement."
    )
    message = serializers.DictField(help_text="As it came, its numbers as JSON's readers understand them.")
    raw = serializers.CharField(help_text="The message as it came, to the letter.")

    def to_representation(self, instance: StoredRow) -> dict[str, Any]:
        values = instance.values
        return {
            "id": instance.key.public_id(),
            "meter": instance.asset_key,
            "counted_at": iso(instance.key.at),
            "received_at": iso(values["received_at"]),
            "own_time": iso(values["own_time"]) if values["own_time"] else None,
            "flags": list(instance.flags),
            "status_words": status_words(values["status"]),
            "values": {name: values[name] for name in (*CHANNELS, *TOLD)},
            "message": json.loads(values["message"] or "{}"),
            "raw": values["message"] or "",
        }


class UseSerializer(serializers.Serializer[Any]):
    """What was used in a local day or month."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    amount = serializers.FloatField(allow_null=True, help_text="Never negative; null where nothing is known.")
    estimated = serializers.BooleanField()
    reset = serializers.BooleanField(help_text="The counter began anew, or ran over.")
    exchange = serializers.BooleanField(help_text="A new meter was first heard.")

    def to_representation(self, instance: Use) -> dict[str, Any]:
        return {
            "since": iso(instance.since),
            "until": iso(instance.until),
            "amount": _amount(instance.amount),
            "estimated": instance.estimated,
            "reset": instance.reset,
            "exchange": instance.exchange,
        }


class ConsumptionSerializer(serializers.Serializer[Any]):
    """The use of a meter, with that of those that hung there before."""

    channel = serializers.CharField(
        allow_null=True,
        help_text="The counter, of the lowest tariff that it sends (0 is the total); null where it sends none.",
    )
    unit = serializers.CharField(allow_blank=True)
    time_zone = serializers.CharField(help_text="Of the site: days and months end at its midnight.")
    per = serializers.ChoiceField(choices=["day", "month"])
    meters = serializers.ListField(child=serializers.IntegerField(), help_text="Ids, the oldest first.")
    total = serializers.FloatField(allow_null=True)
    results = UseSerializer(many=True)


def _amount(exact: float | None) -> float | None:
    """To the digits that a scaled value has at most."""
    return None if exact is None else round(exact, DECIMALS)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def told(*, channel: str, zone: str, per: str, meters: list[int], uses: list[Use]) -> Mapping[str, Any]:
    """A ConsumptionSerializer's answer."""
    known = [use.amount for use in uses if use.amount is not None]
    return {
        "channel": channel or None,
        "unit": MESSAGE.channel(channel).unit.value if channel else "",
        "time_zone": zone,
        "per": per,
        "meters": meters,
        "total": _amount(sum(known)) if known else None,
        "results": UseSerializer(uses, many=True).data,
    }


def day_of(text: str) -> date | None:
    """A day as `YYYY-MM-DD`; None where it is none."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
