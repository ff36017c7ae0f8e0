"""A building: its flats, each with a meter for all that is delivered to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from wattkeeper.base.core.clock import EPOCH
from wattkeeper.kinds.meter.simulator.makes import MAKES
from wattkeeper.kinds.meter.simulator.meters import Meter
from wattkeeper.kinds.meter.simulator.troubles import EXCHANGED_ON, TROUBLED, Trouble
from wattkeeper.kinds.meter.simulator.uses import Medium, habits_of

PLACES = 60  # of a building: five floors of three flats
_FLATS_A_FLOOR = 3
_FIRST_HOUSE = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where a meter hangs: the meters that did, one after the other."""

    site: str
    name: str
    meters: tuple[Meter, ...]


def places(size: int, *, seed: int, origin: datetime) -> Iterator[Place]:
    """That many places; a larger street begins with the places of a smaller one."""
    return (_place(number, seed=seed, origin=origin) for number in range(size))


def _place(number: int, *, seed: int, origin: datetime) -> Place:
    building, inside = divmod(number, PLACES)
    flat, kind = divmod(inside, len(Medium))
    floor, door = divmod(flat, _FLATS_A_FLOOR)
    medium = list(Medium)[kind]
    key = f"meter/{seed}/{number}"
    makes, trouble = MAKES[medium], TROUBLED.get(inside + 1)
    make = Random(key).choices(makes, [2, *[1] * (len(makes) - 1)])[0]
    habits = habits_of(medium, seed=key)
    name = f"Flat {floor + 1}.{door + 1} {medium}"
    if trouble is not Trouble.EXCHANGED:
        meters: tuple[Meter, ...] = (Meter(make, habits, seed=key, origin=origin, trouble=trouble),)
    else:
        moment = -((EPOCH - origin - timedelta(days=EXCHANGED_ON)) // timedelta(seconds=1))
        meters = (
            Meter(make, habits, seed=key, origin=origin, removed=moment),
            Meter(make, habits, seed=f"{key}/new", origin=origin, installed=moment),
        )
    return Place(f"Lindenhof {_FIRST_HOUSE + 2 * building}", name, meters)
