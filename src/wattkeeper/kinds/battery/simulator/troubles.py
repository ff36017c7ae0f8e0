"""What is wrong with some packs: each is a way of life, or something that happens to a healthy pack's samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from math import pi, sin
from typing import NamedTuple

from wattkeeper.kinds.battery.simulator.lives import Habits, Status
from wattkeeper.kinds.battery.simulator.makes import Make


class Trouble(StrEnum):
    """Every twentieth pack has one, in this order."""

    OVERHEATS = "overheats"  # for some minutes, every three quarters of an hour
    LOW_CHARGE = "low charge"  # nobody charges it for long
    WEAK_VOLTAGE = "weak voltage"  # sinks under its load
    OVER_CURRENT = "over-current"  # in bursts
    FAULTS = "faults"  # gives up after each use, for hours
    FALLS_SILENT = "falls silent"  # for an hour, every second hour
    FLAPS = "flaps"  # its temperature swings around the limit
    WORN = "worn"  # no longer four fifths of what it was
    WORN_OUT = "worn out"  # hardly more than half
    OVERCHARGED = "overcharged"  # its charger does not stop


class Sample(NamedTuple):
    """What a pack tells at a time, in seconds since 1970: %, V, °C and A (positive: charging), rounded as it does."""

    second: int
    charge: float
    voltage: float
    temperature: float
    status: Status
    current: float


# Gives what the pack tells instead, or None where it says nothing.
Effect = Callable[[Make, Sample], Sample | None]

HABITS: Mapping[Trouble, Habits] = {
    Trouble.LOW_CHARGE: Habits(low=(2.5, 5), high=(9, 14)),
    Trouble.FAULTS: Habits(faults=True),
    Trouble.OVERCHARGED: Habits(low=(55, 70), overcharges=True),
}
# Health in % at the origin: of all others, 84 to 100.
HEALTH: Mapping[Trouble, tuple[float, float]] = {Trouble.WORN: (71, 77), Trouble.WORN_OUT: (52, 60)}

_HOT, _HOT_EVERY, _HOT_FOR = 57.0, 2_700, 900
_BURST_EVERY, _BURST_FOR, _BURST = 420, 60, 1.25
_SILENT_EVERY, _SILENT_FOR = 7_200, 3_600
_FLAP_AROUND, _FLAP_BY, _FLAP_SECONDS = 50.0, 2.5, 70
_SAGS_TO = 0.77  # of the nominal voltage
_CHARGED_TO = 1.17  # of it


def _overheats(make: Make, seen: Sample) -> Sample:
    since = seen.second % _HOT_EVERY
    if since >= _HOT_FOR:
        return seen
    rise = (_HOT - seen.temperature) * sin(pi * since / _HOT_FOR)
    return seen._replace(temperature=round(seen.temperature + rise, 1))


def _weak(make: Make, seen: Sample) -> Sample:
    if seen.status is not Status.DISCHARGING:
        return seen
    return seen._replace(voltage=round(seen.voltage - (1.0 - _SAGS_TO) * make.voltage_nominal, 3))


def _bursts(make: Make, seen: Sample) -> Sample:
    if not seen.current or seen.second % _BURST_EVERY >= _BURST_FOR:
        return seen
    limit = make.max_charge_current if seen.current > 0 else -make.max_discharge_current
    return seen._replace(current=_BURST * limit)


def _silent(make: Make, seen: Sample) -> Sample | None:
    return None if seen.second % _SILENT_EVERY < _SILENT_FOR else seen


def _flaps(make: Make, seen: Sample) -> Sample:
    return seen._replace(temperature=round(_FLAP_AROUND + _FLAP_BY * sin(2 * pi * seen.second / _FLAP_SECONDS), 1))


def _overcharged(make: Make, seen: Sample) -> Sample:
    full = seen.charge >= 100 and seen.current > 0
    return seen._replace(voltage=round(_CHARGED_TO * make.voltage_nominal, 2)) if full else seen


EFFECTS: Mapping[Trouble, Effect] = {
    Trouble.OVERHEATS: _overheats,
    Trouble.WEAK_VOLTAGE: _weak,
    Trouble.OVER_CURRENT: _bursts,
    Trouble.FALLS_SILENT: _silent,
    Trouble.FLAPS: _flaps,
    Trouble.OVERCHARGED: _overcharged,
}
