"""Which record of a telegram tells what. Meters of one make send the same records for years, and only the values
change: so what the records' names say is worked out once for each shape, and what they hold is picked by its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType

from wattkeeper.kinds.meter.codes.dimensions import NOT_MEASURED, Dimension, Quantity, dimension_of, plain
from wattkeeper.kinds.meter.message import INSTANTANEOUS, Record
from wattkeeper.kinds.meter.numbers import SentFloat

# Which quantity fills which channel: of its plain numbers of storage 0 the one of the lowest tariff (0 is the total)
# and subunit, and of those alike one with a value of the due date. So it is the same one in whatever order the records
# come, and whatever else a telegram tells.
CHANNEL_OF = {
    Quantity.ENERGY: "energy",
    Quantity.VOLUME: "volume",
    Quantity.HEAT_COST: "heat_cost",
    Quantity.POWER: "power",
    Quantity.VOLUME_FLOW: "volume_flow",
    Quantity.FLOW_TEMPERATURE: "flow_temperature",
    Quantity.RETURN_TEMPERATURE: "return_temperature",
}
# Shapes that are remembered, and of how many records at most: names are strangers' texts, and cost memory.
_SHAPES, _RECORDS = 512, 32

_NUMBER, _TEXT, _NOTHING = 0, 1, 2
_HOLDS: Mapping[type, int] = {int: _NUMBER, float: _NUMBER, SentFloat: _NUMBER, str: _TEXT, NoneType: _NOTHING}

# Of each record: dimension, storage number, tariff, subunit, function, and what its value is.
_Shape = tuple[tuple[str, int, int, int, str, int], ...]
_Name = tuple[str, int, int]  # dimension without its surplus blanks, tariff, subunit
_Place = tuple[int, int, int]  # tariff, subunit, index


@dataclass(frozen=True, slots=True)
class PairPlaces:
    """One measurement: where its newest value is, and its value on the due date; None where there is none."""

    dimension: str  # as it was sent: with the newest value, where there is one
    tariff: int
    subunit: int
    newest: int | None
    due: int | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Places are indexes of records. Where there are several, the first whose value will do counts.

    `own_times`: when the telegram was made, times of day before dates. `due_dates`: when its due values were. Of both
    those of no tariff first.
    `pairs`: those with a newest value first. `channels`: numbers by the channel that they fill, and what scales them.
    `unknown`: dimensions that are in no table, each once.
    """

    own_times: tuple[int, ...]
    due_dates: tuple[int, ...]
    pairs: tuple[PairPlaces, ...]
    main: PairPlaces | None
    channels: tuple[tuple[str, tuple[tuple[int, Dimension], ...]], ...]
    unknown: tuple[str, ...]


def layout_of(records: Sequence[Record], due_storage: int) -> Layout:
    """`due_storage`: of the values on the due date."""
    shape = tuple(
        [
            (one.dimension, one.storagenr, one.tariff, one.subunit, one.function, _HOLDS[type(one.value)])
            for one in records
        ]
    )
    return (_remembered if len(shape) <= _RECORDS else _layout_of)(shape, due_storage)


def _layout_of(shape: _Shape, due_storage: int) -> Layout:
    times: list[_Place] = []
    days: list[_Place] = []
    due_dates: list[_Place] = []
    newest: dict[_Name, int] = {}
    due: dict[_Name, int] = {}
    channels: dict[str, list[tuple[_Name, int, Dimension]]] = {}
    unknown: dict[str, None] = {}
    for place, (dimension, storage, tariff, subunit, function, holds) in enumerate(shape):
        known = dimension_of(dimension)
        if known is None:
            unknown[dimension] = None
        if function not in INSTANTANEOUS or holds == _NOTHING:
            continue
        if known is not None and known.quantity in NOT_MEASURED:
            is_time, is_day = known.quantity is Quantity.DATE_AND_TIME, known.quantity is Quantity.DATE
            if holds == _TEXT and (is_time or is_day):
                if storage == 0:
                    (times if is_time else days).append((tariff, subunit, place))
                if storage == due_storage:
                    due_dates.append((tariff, subunit, place))
        elif holds == _NUMBER:
            if storage == 0 and known is not None and (channel := CHANNEL_OF.get(known.quantity)):
                channels.setdefault(channel, []).append(((plain(dimension), tariff, subunit), place, known))
            if storage in (0, due_storage):
                (newest if storage == 0 else due).setdefault((plain(dimension), tariff, subunit), place)
    pairs = {name: _pair(shape, newest.get(name), due.get(name)) for name in (newest | due)}
    return Layout(
        (*_lowest_first(times), *_lowest_first(days)),
        tuple(_lowest_first(due_dates)),
        tuple(pairs.values()),
        min(pairs.values(), key=_rank, default=None),
        tuple((channel, _in_order(places, due)) for channel, places in channels.items()),
        tuple(unknown),
    )


def _in_order(
    places: list[tuple[_Name, int, Dimension]], due: Mapping[_Name, int]
) -> tuple[tuple[int, Dimension], ...]:
    ordered = sorted(places, key=lambda one: (one[0][1:], one[0] not in due, one[1]))
    return tuple((place, known) for _, place, known in ordered)


def _lowest_first(places: list[_Place]) -> Iterator[int]:
    """That of a tariff is when its maximum was, say; the telegram's own is of none."""
    return (place for _, _, place in sorted(places))


_remembered = lru_cache(maxsize=_SHAPES)(_layout_of)


def _pair(shape: _Shape, newest: int | None, due: int | None) -> PairPlaces:
    said = due if newest is None else newest
    assert said is not None
    dimension, _, tariff, subunit, *_ = shape[said]
    return PairPlaces(dimension, tariff, subunit, newest, due)


def _rank(pair: PairPlaces) -> tuple[bool, bool, bool]:
    """`min` gives the first of those that rank alike."""
    return pair.newest is None, pair.due is None, dimension_of(pair.dimension) is None
