"""What a vehicle tells about itself. A channel more is one line here."""

from __future__ import annotations

from wattkeeper.base.catalog.channels import Aggregation, Channel, ChannelType, Range
from wattkeeper.base.catalog.streams import ChangesFast, Falls, MovesWhile, Stream
from wattkeeper.base.catalog.units import Unit

FLOAT, INTEGER, TEXT = ChannelType.FLOAT, ChannelType.INTEGER, ChannelType.TEXT

TELEMETRY = Stream(
    name="vehicle.telemetry",
    label="Vehicle telemetry",
    asset_field="vehicle_id",
    channels=(
        Channel(name="speed", label="Speed", type=FLOAT, unit=Unit.KILOMETRE_PER_HOUR, hard=Range(0, 400), plausible=Range(0, 200)),
        Channel(name="odometer", label="Odometer", type=FLOAT, unit=Unit.KILOMETRE, hard=Range(0, 3_000_000), aggregation=Aggregation.COUNTER, required=True),
        Channel(name="soc", label="State of charge", type=INTEGER, unit=Unit.PERCENT, hard=Range(0, 100), required=True),
        Channel(name="elevation", label="Elevation", type=FLOAT, unit=Unit.METRE, hard=Range(-500, 9000), required=True),
        Channel(name="shift_state", label="Gear", type=TEXT, choices=("P", "R", "N", "D"), aggregation=Aggregation.STATE),
    ),
    row_checks=(MovesWhile(flag="moving_in_park", channel="speed", above=3, state="shift_state", equals="P"),),
    neighbour_checks=(
        Falls(flag="odometer_falling", channel="odometer", by=0.5),
        ChangesFast(flag="soc_jump", channel="soc", per_minute=10),
    ),
)  # fmt: skip
