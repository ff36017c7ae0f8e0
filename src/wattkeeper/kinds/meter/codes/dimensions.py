"""What a record's `dimension` says: a quantity, and in parentheses the unit with its factor.

The strings are those that libmbus prints for a value information field (`mbus_vif_unit_lookup`, rscada/libmbus
f09d613, after EN 13757-3, table 10): the raw value times the factor is in the unit. They are compared without their
surplus blanks, for libmbus prints `Volume (1e-2  m^3)` with two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache


class Quantity(StrEnum):
    """What is measured, or what else a record tells."""

    ENERGY = "energy"
    VOLUME = "volume"
    MASS = "mass"
    POWER = "power"
    VOLUME_FLOW = "volume_flow"
    MASS_FLOW = "mass_flow"
    FLOW_TEMPERATURE = "flow_temperature"
    RETURN_TEMPERATURE = "return_temperature"
    TEMPERATURE_DIFFERENCE = "temperature_difference"
    EXTERNAL_TEMPERATURE = "external_temperature"
    PRESSURE = "pressure"
    HEAT_COST = "heat_cost"
    ON_TIME = "on_time"
    OPERATING_TIME = "operating_time"
    AVERAGING_DURATION = "averaging_duration"
    ACTUALITY_DURATION = "actuality_duration"
    DATE = "date"
    DATE_AND_TIME = "date_and_time"
    FABRICATION_NUMBER = "fabrication_number"
    BUS_ADDRESS = "bus_address"
    MANUFACTURER_SPECIFIC = "manufacturer_specific"


# What says when, for how long, or who, and is no reading of a meter.
NOT_MEASURED = frozenset(
    {
        Quantity.ON_TIME,
        Quantity.OPERATING_TIME,
        Quantity.AVERAGING_DURATION,
        Quantity.ACTUALITY_DURATION,
        Quantity.DATE,
        Quantity.DATE_AND_TIME,
        Quantity.FABRICATION_NUMBER,
        Quantity.BUS_ADDRESS,
        Quantity.MANUFACTURER_SPECIFIC,
    }
)
DECIMALS = 6  # of a scaled value whose digits do not end


@dataclass(frozen=True, slots=True)
class Dimension:
    """What one string means. A value times `factor` is in `unit`; `title` is the quantity in that unit.

    `unit` is empty where nothing is scaled.
    """

    quantity: Quantity
    title: str
    unit: str
    factor: Fraction

    def scaled(self, value: int | float) -> float:
        """The value in `unit`, to the precision of a double; infinite where it is beyond one."""
        try:
            return value * self.factor.numerator / self.factor.denominator
        except OverflowError:
            return math.copysign(math.inf, value)

    def scaled_text(self, value: int | float) -> str:
        """The value in `unit` with every digit that it was sent with, or rounded where they never end: to `DECIMALS`, or
        where that would leave fewer, to as many digits that say something.

        Without an exponent and without zeros that say nothing: `0.001`, `-3`, `0`.
        """
        exact = Fraction(Decimal(str(value))) * self.factor
        decimals = _decimals(exact.denominator)
        places = _rounded_to(exact) if decimals is None else decimals
        digits = round(exact * 10**places)
        whole, rest = divmod(abs(digits), 10**places)
        behind = f"{rest:0{places}d}".rstrip("0") if rest else ""
        return f"{'-' if digits < 0 else ''}{whole}{'.' if behind else ''}{behind}"


def _rounded_to(exact: Fraction) -> int:
    """`DECIMALS` decimals, and of what is less than one as many behind its noughts."""
    places = DECIMALS
    while exact and abs(exact) * 10**places < 10 ** (DECIMALS - 1):
        places += 1
    return places


def _decimals(denominator: int) -> int | None:
    """How many decimals a fraction in its lowest terms has; None where they never end."""
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


@lru_cache(maxsize=4_096)
def dimension_of(text: str) -> Dimension | None:
    """What the string means; None where it is not in the table."""
    return _TABLE.get(plain(text))


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """The string without its surplus blanks: what is the same then is the same dimension."""
    return " ".join(text.split()).replace("( ", "(").replace(" )", ")")


_JOULE = Fraction(1, 3_600_000)  # kWh
# fmt: off
_SCALED: Mapping[tuple[str, Quantity, str], Mapping[str, Fraction]] = {
    # the quantity's words, what it is, the unit that values are given in: what stands in parentheses, and its factor
    ("Energy", Quantity.ENERGY, "kWh"): {
        "mWh": Fraction(1, 10**6), "1e-2 Wh": Fraction(1, 10**5), "1e-1 Wh": Fraction(1, 10**4), "Wh": Fraction(1, 1000),
        "10 Wh": Fraction(1, 100), "100 Wh": Fraction(1, 10), "kWh": Fraction(1), "10 kWh": Fraction(10),
        "J": _JOULE, "10 J": 10 * _JOULE, "100 J": 100 * _JOULE, "kJ": 10**3 * _JOULE,
        "10 kJ": 10**4 * _JOULE, "100 kJ": 10**5 * _JOULE, "MJ": 10**6 * _JOULE, "1e7 J": 10**7 * _JOULE,
    },
    ("Volume", Quantity.VOLUME, "m³"): {
        "my m^3": Fraction(1, 10**6), "1e-5 m^3": Fraction(1, 10**5), "1e-4 m^3": Fraction(1, 10**4), "m m^3": Fraction(1, 1000),
        "1e-2 m^3": Fraction(1, 100), "1e-1 m^3": Fraction(1, 10), "m^3": Fraction(1), "10 m^3": Fraction(10),
    },
    ("Mass", Quantity.MASS, "kg"): {
        "mkg": Fraction(1, 1000), "1e-2 kg": Fraction(1, 100), "1e-1 kg": Fraction(1, 10), "kg": Fraction(1),
        "10 kg": Fraction(10), "100 kg": Fraction(100), "kkg": Fraction(1000), "10 kkg": Fraction(10_000),
    },
    ("Power", Quantity.POWER, "kW"): {
        "mW": Fraction(1, 10**6), "1e-2 W": Fraction(1, 10**5), "1e-1 W": Fraction(1, 10**4), "W": Fraction(1, 1000),
        "10 W": Fraction(1, 100), "100 W": Fraction(1, 10), "kW": Fraction(1), "10 kW": Fraction(10),
        "J/h": _JOULE, "10 J/h": 10 * _JOULE, "100 J/h": 100 * _JOULE, "kJ/h": 10**3 * _JOULE,
        "10 kJ/h": 10**4 * _JOULE, "100 kJ/h": 10**5 * _JOULE, "MJ/h": 10**6 * _JOULE, "1e7 J/h": 10**7 * _JOULE,
    },
    ("Volume flow", Quantity.VOLUME_FLOW, "m³/h"): {
        "my m^3/h": Fraction(1, 10**6), "1e-5 m^3/h": Fraction(1, 10**5), "1e-4 m^3/h": Fraction(1, 10**4), "m m^3/h": Fraction(1, 1000),
        "1e-2 m^3/h": Fraction(1, 100), "1e-1 m^3/h": Fraction(1, 10), "m^3/h": Fraction(1), "10 m^3/h": Fraction(10),
        "1e-7 m^3/min": Fraction(60, 10**7), "my m^3/min": Fraction(60, 10**6), "1e-5 m^3/min": Fraction(60, 10**5), "1e-4 m^3/min": Fraction(60, 10**4),
        "m m^3/min": Fraction(60, 1000), "1e-2 m^3/min": Fraction(60, 100), "1e-1 m^3/min": Fraction(60, 10), "m^3/min": Fraction(60),
        "1e-9 m^3/s": Fraction(3600, 10**9), "1e-8 m^3/s": Fraction(3600, 10**8), "1e-7 m^3/s": Fraction(3600, 10**7), "my m^3/s": Fraction(3600, 10**6),
        "1e-5 m^3/s": Fraction(3600, 10**5), "1e-4 m^3/s": Fraction(3600, 10**4), "m m^3/s": Fraction(3600, 1000), "1e-2 m^3/s": Fraction(3600, 100),
    },
    ("Mass flow", Quantity.MASS_FLOW, "kg/h"): {
        "m kg/h": Fraction(1, 1000), "1e-2 kg/h": Fraction(1, 100), "1e-1 kg/h": Fraction(1, 10), "kg/h": Fraction(1),
        "10 kg/h": Fraction(10), "100 kg/h": Fraction(100), "k kg/h": Fraction(1000), "10 k kg/h": Fraction(10_000),
    },
    ("Flow temperature", Quantity.FLOW_TEMPERATURE, "°C"): {
        "mdeg C": Fraction(1, 1000), "1e-2 deg C": Fraction(1, 100), "1e-1 deg C": Fraction(1, 10), "deg C": Fraction(1),
    },
    ("Return temperature", Quantity.RETURN_TEMPERATURE, "°C"): {
        "mdeg C": Fraction(1, 1000), "1e-2 deg C": Fraction(1, 100), "1e-1 deg C": Fraction(1, 10), "deg C": Fraction(1),
    },
    ("Temperature Difference", Quantity.TEMPERATURE_DIFFERENCE, "K"): {
        "m deg C": Fraction(1, 1000), "1e-2 deg C": Fraction(1, 100), "1e-1 deg C": Fraction(1, 10), "deg C": Fraction(1),
    },
    ("External temperature", Quantity.EXTERNAL_TEMPERATURE, "°C"): {
        "m deg C": Fraction(1, 1000), "1e-2 deg C": Fraction(1, 100), "1e-1 deg C": Fraction(1, 10), "deg C": Fraction(1),
    },
    ("Pressure", Quantity.PRESSURE, "bar"): {
        "m bar": Fraction(1, 1000), "1e-2 bar": Fraction(1, 100), "1e-1 bar": Fraction(1, 10), "bar": Fraction(1),
    },
    **{
        (words, quantity, "h"): {
            "seconds": Fraction(1, 3600), "minutes": Fraction(1, 60), "hours": Fraction(1), "days": Fraction(24),
        }
        for words, quantity in (
            ("On time", Quantity.ON_TIME),
            ("Operating time", Quantity.OPERATING_TIME),
            ("Averaging Duration", Quantity.AVERAGING_DURATION),
            ("Actuality Duration", Quantity.ACTUALITY_DURATION),
        )
    },
}
# fmt: on
_AS_THEY_ARE: Mapping[str, Quantity] = {
    "Time Point (date)": Quantity.DATE,
    "Time Point (time & date)": Quantity.DATE_AND_TIME,
    "Units for H.C.A.": Quantity.HEAT_COST,
    "Fabrication number": Quantity.FABRICATION_NUMBER,
    "Bus Address": Quantity.BUS_ADDRESS,
    "Manufacturer specific": Quantity.MANUFACTURER_SPECIFIC,
}


def _entries() -> Iterator[tuple[str, Dimension]]:
    for (words, quantity, unit), factors in _SCALED.items():
        for inside, factor in factors.items():
            yield f"{words} ({inside})", Dimension(quantity, f"{words} ({unit})", unit, factor)
    for text, quantity in _AS_THEY_ARE.items():
        yield text, Dimension(quantity, text, "", Fraction(1))


_TABLE = dict(_entries())
