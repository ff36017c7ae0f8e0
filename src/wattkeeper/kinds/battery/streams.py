"""What a battery tells about itself, and what people write of it. A channel more is one line here."""

from __future__ import annotations

from wattkeeper.base.catalog.channels import Aggregation, Channel, ChannelType, Range
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.catalog.units import Unit

FLOAT, INTEGER, TEXT = ChannelType.FLOAT, ChannelType.INTEGER, ChannelType.TEXT

# A burning cell is hotter than any that works: what is only implausible is kept, flagged and judged.
STATUS = Stream(
    name="battery.status",
    label="Battery status",
    asset_field="serial_number",
    time_field="logged_at",
    channels=(
        Channel(name="current_charge", label="Charge", type=FLOAT, unit=Unit.PERCENT, hard=Range(0, 100)),
        Channel(name="current_voltage", label="Voltage", type=FLOAT, unit=Unit.VOLT, hard=Range(0, 5000), plausible=Range(0.5, 1500)),
        Channel(name="current_temperature", label="Temperature", type=FLOAT, unit=Unit.CELSIUS, hard=Range(-100, 1000), plausible=Range(-40, 100)),
        Channel(name="current_status", label="Status", type=TEXT, choices=("CHARGING", "DISCHARGING", "IDLE", "FAULT"), aggregation=Aggregation.STATE),
        Channel(name="current", label="Current", type=FLOAT, unit=Unit.AMPERE, hard=Range(-10_000, 10_000), plausible=Range(-1000, 1000), help="Positive while charging."),
    ),
    carries_forward=True,
)  # fmt: skip

WRITTEN = (
    Channel(name="health_percentage", label="Health", type=FLOAT, unit=Unit.PERCENT, hard=Range(0, 100)),
    Channel(name="cycle_count", label="Cycles", type=INTEGER, hard=Range(0, 1_000_000), aggregation=Aggregation.COUNTER),
)  # fmt: skip

# None of them is nothing: rules take shares of them.
NAMEPLATE = (
    Channel(name="capacity", label="Capacity", type=FLOAT, unit=Unit.MILLIAMPERE_HOUR, hard=Range(0.001, 1e9)),
    Channel(name="voltage_nominal", label="Nominal voltage", type=FLOAT, unit=Unit.VOLT, hard=Range(0.001, 5000)),
    Channel(name="max_discharge_current", label="Most discharge current", type=FLOAT, unit=Unit.AMPERE, hard=Range(0.001, 10_000)),
    Channel(name="max_charge_current", label="Most charge current", type=FLOAT, unit=Unit.AMPERE, hard=Range(0.001, 10_000)),
)  # fmt: skip
