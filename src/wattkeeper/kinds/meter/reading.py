"""A message as a reading: its typed values, and beside them the message as it came."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from wattkeeper.base.catalog.channels import ChannelType
from wattkeeper.flow.readings.reading import Row
from wattkeeper.kinds.meter.codes import manufacturers, media, status
from wattkeeper.kinds.meter.layout import Layout, layout_of
from wattkeeper.kinds.meter.message import Message
from wattkeeper.kinds.meter.streams import MESSAGE, UNKNOWN
from wattkeeper.kinds.meter.telegram_times import counted_at, local_of, local_to_utc, moment_at

_EMPTY: dict[str, Any] = {channel.name: None for channel in MESSAGE.channels}
_HARD = {channel.name: channel.hard for channel in MESSAGE.channels if channel.type is not ChannelType.TEXT}
_HOUR_SECONDS = 3600


def row_of(message: Message, *, received_at: datetime, zone: ZoneInfo, due_storage: int) -> Row:
    """The message as a row of `MESSAGE`. `zone`: of the meter's clock. `due_storage`: of its values on the due date."""
    records, code = message.records, message.status
    layout = layout_of(records, due_storage)
    said = moment_at(records, layout.own_times)
    own = local_to_utc(said, zone, received_at=received_at) if said else None
    at, flags = counted_at(own, received_at)
    due_date = moment_at(records, layout.due_dates)
    main, unknown = layout.main, _unknown(message, layout)
    values = {
        **_EMPTY,
        "status": code,
        **_BITS[code],
        "clock_offset": (own - received_at).total_seconds() / _HOUR_SECONDS if own else None,
        "digest": message.digest,
        "received_at": received_at,
        "own_time": own,
        "main_dimension": main.dimension if main else None,
        "main_value": str(records[main.newest].value) if main and main.newest is not None else None,
        "due_value": str(records[main.due].value) if main and main.due is not None else None,
        "due_date": local_of(due_date, zone).isoformat(sep=" ") if due_date else None,
        "due_storage": due_storage,
        "unknown": unknown,
        "message": message.raw.decode(),
    }
    for channel, places in layout.channels:
        for place, known in places:
            scaled = known.scaled(records[place].value)  # type: ignore[arg-type]
            if scaled in _HARD[channel]:  # type: ignore[operator]
                values[channel] = scaled
                break
    return Row(message.identity.key, at, values, (*flags, UNKNOWN) if unknown else flags)


def _unknown(message: Message, layout: Layout) -> list[str]:
    who, found = message.identity, []
    if manufacturers.letters_of(who.manufacturer) is None:
        found.append(f"manufacturer: {who.manufacturer}")
    if media.medium_of(who.type) is None:
        found.append(f"medium: {who.type}")
    found += [f"dimension: {dimension}" for dimension in layout.unknown]
    return found


def _bits(code: int) -> dict[str, int]:
    is_error = code & status.APPLICATION == status.APPLICATION_ERROR
    return {
        "error": int(is_error or bool(code & (status.PERMANENT_ERROR | status.TEMPORARY_ERROR))),
        "alarm": int(code & status.APPLICATION == status.ALARM),
        "power_low": int(bool(code & status.POWER_LOW)),
    }


_BITS = [_bits(code) for code in range(256)]
