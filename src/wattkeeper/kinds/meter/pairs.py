"""What belongs together in a telegram: the newest value of a measurement, and its value on the due date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.kinds.meter.layout import PairPlaces, layout_of
from wattkeeper.kinds.meter.message import Record
from wattkeeper.kinds.meter.telegram_times import moment_at

DUE_STORAGE = 1  # the due date, by convention

Number = int | float


@dataclass(frozen=True, slots=True)
class Pair:
    """One measurement. `dimension` is as it was sent (with the newest value, where there is one); a side that is
    missing is None, never 0."""

    dimension: str
    tariff: int
    subunit: int
    newest: Number | None
    due: Number | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of a telegram, in the order of their newest values and then those that have none.

    `main`: the main measurement; None where nothing is measured. `due_date`: as the meter says it, which is its local
    time, unless it says a zone.
    """

    all: Sequence[Pair]
    main: Pair | None
    due_date: datetime | None


def pairs_of(records: Sequence[Record], *, due_storage: int = DUE_STORAGE) -> Pairs:
    """Paired by dimension, tariff and subunit, never by position; of two of one name and storage the first counts.

    The main measurement is the first newest number that has a partner, else the first there is, else the first of the
    due date. Of those alike what is in the table goes first. What measures nothing (a fabrication number, an operating
    time) does not count.
    `layout.py` says so for the places of the records; here are their values.
    """
    layout = layout_of(records, due_storage)
    pairs = {places: _pair(records, places) for places in layout.pairs}
    main = pairs[layout.main] if layout.main else None
    return Pairs(list(pairs.values()), main, moment_at(records, layout.due_dates))


def _pair(records: Sequence[Record], places: PairPlaces) -> Pair:
    newest = records[places.newest].number if places.newest is not None else None
    due = records[places.due].number if places.due is not None else None
    return Pair(places.dimension, places.tariff, places.subunit, newest, due)
