"""What a meter's messages tell. A channel more is one line here; `reading.py` says which record fills it."""

from __future__ import annotations

from datetime import timedelta

from wattkeeper.base.catalog.channels import Aggregation, Channel, ChannelType, Range
from wattkeeper.base.catalog.streams import Beside, BesideType, Repeats, Stream
from wattkeeper.base.catalog.units import Unit
from wattkeeper.kinds.meter.telegram_times import CLOCK_OFF, NO_TIME

FLOAT, INTEGER, TEXT = ChannelType.FLOAT, ChannelType.INTEGER, ChannelType.TEXT
COUNTER, STATE = Aggregation.COUNTER, Aggregation.STATE
ANY, BYTE, BIT = Range(-1e15, 1e15), Range(0, 255), Range(0, 1)
REPORTED = ((0, "none"), (1, "reported"))

# Many are read once a day; and one that tells no hour of its reading gives the day's beginning.
STALE_AFTER = timedelta(hours=48)
UNKNOWN = "unknown_code"  # a flag: something in the message is in no table

MESSAGE = Stream(
    name="meter.message",
    label="Meter messages",
    asset_field="meter_id",
    channels=(
        Channel(name="energy", label="Energy", type=FLOAT, unit=Unit.KILOWATT_HOUR, hard=ANY, aggregation=COUNTER),
        Channel(name="volume", label="Volume", type=FLOAT, unit=Unit.CUBIC_METRE, hard=ANY, aggregation=COUNTER),
        Channel(name="heat_cost", label="Heat cost units", type=FLOAT, hard=ANY, aggregation=COUNTER),
        Channel(name="power", label="Power", type=FLOAT, unit=Unit.KILOWATT, hard=ANY),
        Channel(name="volume_flow", label="Flow", type=FLOAT, unit=Unit.CUBIC_METRE_PER_HOUR, hard=ANY),
        Channel(name="flow_temperature", label="Flow temperature", type=FLOAT, unit=Unit.CELSIUS, hard=ANY),
        Channel(name="return_temperature", label="Return temperature", type=FLOAT, unit=Unit.CELSIUS, hard=ANY),
        Channel(name="status", label="Status", type=INTEGER, hard=BYTE, aggregation=STATE, drawn=False),
        Channel(name="error", label="Error", type=INTEGER, hard=BIT, aggregation=STATE, drawn=False, words=REPORTED, help="1: an application error, a permanent or a temporary error"),
        Channel(name="alarm", label="Alarm", type=INTEGER, hard=BIT, aggregation=STATE, drawn=False, words=REPORTED, help="1: an abnormal condition"),
        Channel(name="power_low", label="Battery", type=INTEGER, hard=BIT, aggregation=STATE, drawn=False, words=((0, "good"), (1, "low")), help="1: power low"),
        Channel(name="clock_offset", label="Clock offset", type=FLOAT, unit=Unit.HOUR, hard=ANY, drawn=False, help="its own time minus reception; negative: behind"),
    ),
    beside=(
        Beside("digest", BesideType.DIGEST),
        Beside("received_at", BesideType.MOMENT),
        Beside("own_time", BesideType.MOMENT),
        Beside("main_dimension", BesideType.NAME),  # as it was sent
        Beside("main_value", BesideType.TEXT),  # with every digit that it was sent with
        Beside("due_value", BesideType.TEXT),
        Beside("due_date", BesideType.TEXT),
        Beside("due_storage", BesideType.INTEGER),  # the number of the storage that was taken for the due date's
        Beside("unknown", BesideType.NAMES),  # `dimension: ...`, `medium: ...`, `manufacturer: ...`
        Beside("message", BesideType.TEXT),  # as it came
    ),
    repeats=Repeats(digest="digest", own_time="own_time", received_at="received_at", within_seconds=3600),
    own_flags=(NO_TIME, CLOCK_OFF, UNKNOWN),
    takes_files=False,
)  # fmt: skip

# What no message brings: it is learnt from many (`usual.py`). In the unit of the meter's main measurement.
WRITTEN = (Channel(name="daily_use", label="Use per day", type=FLOAT, hard=Range(0, 1e15), drawn=False),)
NAMEPLATE = (
    Channel(name="usual_least", label="Least usual use", type=FLOAT, hard=Range(0, 1e15)),
    Channel(name="usual_most", label="Most usual use", type=FLOAT, hard=Range(0, 1e15)),
)
