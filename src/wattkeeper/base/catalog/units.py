"""Units as they are written on axes, headers and in the API's documentation."""

from __future__ import annotations

from enum import StrEnum


class Unit(StrEnum):
    """The value is the unit's symbol (SI, or the field's own custom)."""

    NONE = ""
    PERCENT = "%"
    KILOMETRE = "km"
    KILOMETRE_PER_HOUR = "km/h"
    METRE = "m"
    VOLT = "V"
    AMPERE = "A"
    MILLIAMPERE_HOUR = "mAh"
    CELSIUS = "°C"
    SECOND = "s"
    HOUR = "h"
    KILOWATT_HOUR = "kWh"
    KILOWATT = "kW"
    CUBIC_METRE = "m³"
    CUBIC_METRE_PER_HOUR = "m³/h"
