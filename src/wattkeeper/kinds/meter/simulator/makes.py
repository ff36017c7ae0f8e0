"""The makes of meters: who made them, and how their telegrams say what they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wattkeeper.kinds.meter.codes import manufacturers
from wattkeeper.kinds.meter.codes.dimensions import dimension_of
from wattkeeper.kinds.meter.simulator.uses import Medium


@dataclass(frozen=True, slots=True)
class Make:
    """`dimension`: of what it counts. `due_storage`: the number of the storage of its due date's values.

    `says_identnr_in_hex`: its gateway passes the number on as text. `tells_more`: also power, flow and temperatures.
    """

    letters: str
    version: int
    type: int
    dimension: str
    due_storage: int = 1
    says_identnr_in_hex: bool = False
    tells_more: bool = False

    manufacturer: int = field(init=False)
    steps_in_a_unit: float = field(init=False)  # how many of the counter's steps are a kWh or a m³

    def __post_init__(self) -> None:
        code, dimension = manufacturers.code_of(self.letters), dimension_of(self.dimension)
        assert code is not None
        assert dimension is not None
        object.__setattr__(self, "manufacturer", code)
        object.__setattr__(self, "steps_in_a_unit", float(1 / dimension.factor))


# Most flats have the first of a medium; what is of a make is what the building had at hand.
MAKES: Mapping[Medium, tuple[Make, ...]] = {
    Medium.HEAT: (
        Make("EFE", 0, 4, "Energy (kWh)"),
        Make("SEN", 27, 4, "Energy (Wh)", tells_more=True),
        Make("ELS", 10, 4, "Energy (MJ)"),
    ),
    Medium.WARM_WATER: (
        Make("ELS", 6, 6, "Volume (m m^3)"),
        Make("ZRM", 1, 6, "Volume (1e-2  m^3)", due_storage=32),
    ),
    Medium.COLD_WATER: (
        Make("ELS", 6, 22, "Volume (m m^3)"),
        Make("ZRM", 1, 7, "Volume (m m^3)", due_storage=32),
    ),
    Medium.ELECTRICITY: (
        Make("EMH", 14, 2, "Energy (10 Wh)", tells_more=True),
        Make("EMH", 15, 2, "Energy (Wh)", says_identnr_in_hex=True),
    ),
}
