"""The makes of packs: what is printed on them, and how their voltage follows their charge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Make:
    """A nameplate, in mAh, V and A, and where packs of the make are at work.

    `resting`: voltage at rest as a share of the nominal one, by tenths of a percent of charge.
    `use_hours`: how long a full pack lasts at work, from the heaviest use to the lightest.
    """

    battery_type: str
    capacity: float
    voltage_nominal: float
    max_discharge_current: float
    max_charge_current: float
    resting: Sequence[float]
    use_hours: tuple[float, float]
    powers: str
    sites: tuple[str, ...]
    weight: int  # how many of a hundred packs are of this make

    @property
    def ampere_hours(self) -> float:
        return self.capacity / 1_000


def _curve(*points: tuple[float, float]) -> tuple[float, ...]:
    """A line through (charge in %, share of the nominal voltage), at 0, 0.1, ... 100 %."""
    shares = []
    for tenth in range(1_001):
        charge = tenth / 10
        (low, below), (high, above) = next(pair for pair in pairwise(points) if charge <= pair[1][0])
        shares.append(below + (above - below) * (charge - low) / (high - low))
    return tuple(shares)


# Rounded from the usual discharge curves of the chemistries at 0.2 C: steep at both ends, and LFP flat between them.
_NMC = _curve((0, 0.84), (10, 0.925), (20, 0.955), (50, 1.0), (80, 1.065), (100, 1.12))
_LFP = _curve((0, 0.86), (10, 0.965), (20, 0.99), (50, 1.01), (90, 1.035), (97, 1.05), (100, 1.09))

MAKES = (
    Make("Li-ion", 5_000, 3.7, 10, 5, _NMC, (6, 14), "Scanner", ("Warehouse 1", "Warehouse 2"), 30),
    Make("LiFePO4 12 V", 100_000, 12.8, 100, 50, _LFP, (8, 20), "Beacon", ("Quay 3", "Quay 7", "Lighthouse"), 20),
    Make("NMC 48 V", 40_000, 48, 60, 20, _NMC, (3, 8), "Cargo bike", ("Bike hub East", "Bike hub West"), 25),
    Make("LiFePO4 51 V", 200_000, 51.2, 120, 100, _LFP, (4, 10), "Storage rack", ("Solar park",), 13),
    Make("NMC 400 V", 150_000, 400, 400, 150, _NMC, (3, 7), "Van pack", ("Depot North", "Depot South"), 12),
)
