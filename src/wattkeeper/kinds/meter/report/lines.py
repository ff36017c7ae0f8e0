"""What a report says of one meter in one month: all that any variant of its file needs, in codes and in words.

The words are part of it: what is frozen stays as it was also where a later version knows a code better.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from wattkeeper.kinds.meter.codes import manufacturers, media, status
from wattkeeper.kinds.meter.codes.dimensions import Dimension, dimension_of
from wattkeeper.kinds.meter.numbers import SentFloat
from wattkeeper.kinds.meter.pairs import Number, Pair
from wattkeeper.kinds.meter.streams import UNKNOWN
from wattkeeper.kinds.meter.telegram_times import CLOCK_OFF, NO_TIME

NO_VALUE = "no_value"  # a flag of the report alone: of the main measurement there is no newest value
FLAG_WORDS = {NO_TIME: "no time of its own", CLOCK_OFF: "clock off", UNKNOWN: "unknown code", NO_VALUE: "no value"}
MEASUREMENT, ERROR = "measurement", "error"
_TO_THE_SECOND = 19  # characters of a time


class PairLine(Struct, frozen=True, gc=False):
    """One measurement: as it was sent, and scaled under a `title` that says the unit. A missing side is empty."""

    dimension: str
    tariff: int
    subunit: int
    newest: str
    due: str
    title: str
    newest_scaled: str
    due_scaled: str


class MeterLine(Struct, frozen=True, gc=False):
    """One meter's latest message of a month. Times are local ones of its site, to the second.

    `main`: the place of the main measurement among `pairs`, -1 where nothing is measured. `pairs` may be the main one
    alone, where no more was asked for.
    """

    asset_id: int
    site: str
    date: str
    identnr: str
    manufacturer: int
    manufacturer_words: str
    device_type: int
    type_words: str
    version: int
    status: int
    status_words: str
    flags: tuple[str, ...]
    due_date: str
    main: int
    pairs: tuple[PairLine, ...]

    @property
    def is_error(self) -> bool:
        return status.is_error(self.status)

    @property
    def order(self) -> tuple[int, str, int, int]:
        """By manufacturer, number, version and type."""
        return self.manufacturer, self.identnr, self.version, self.device_type

    @property
    def status_and_flags(self) -> str:
        return "; ".join([self.status_words, *map(words_of_flag, self.flags)])

    @property
    def main_pair(self) -> PairLine | None:
        return self.pairs[self.main] if self.main >= 0 else None


def words_of_flag(flag: str) -> str:
    return FLAG_WORDS.get(flag) or flag.replace("_", " ")


class ReportedMeter(Struct, frozen=True, gc=False):
    """Who a meter is, and where it hangs."""

    asset_id: int
    site: str
    manufacturer: int
    identnr: str
    version: int
    device_type: int


def line_of(
    meter: ReportedMeter,
    *,
    at: datetime,
    zone: ZoneInfo,
    code: int,
    flags: Sequence[str],
    due_date: str,
    pairs: Sequence[Pair],
    main: Pair | None,
) -> MeterLine:
    """The line of a message that counts at `at`. `due_date`: as the meter says it, in its local time."""
    return MeterLine(
        asset_id=meter.asset_id,
        site=meter.site,
        date=_to_the_second(at.astimezone(zone).replace(tzinfo=None).isoformat(sep=" ")),
        identnr=meter.identnr,
        manufacturer=meter.manufacturer,
        manufacturer_words=manufacturers.words_of(meter.manufacturer),
        device_type=meter.device_type,
        type_words=media.words_of(meter.device_type),
        version=meter.version,
        status=code,
        status_words=status.words_of(code),
        flags=tuple(flags) if main and main.newest is not None else (*flags, NO_VALUE),
        due_date=_to_the_second(due_date),
        main=next((place for place, pair in enumerate(pairs) if pair is main), -1),
        pairs=tuple(map(pair_line, pairs)),
    )


def pair_line(pair: Pair) -> PairLine:
    known = dimension_of(pair.dimension)
    return PairLine(
        dimension=pair.dimension,
        tariff=pair.tariff,
        subunit=pair.subunit,
        newest=_as_sent(pair.newest),
        due=_as_sent(pair.due),
        title=known.title if known else pair.dimension,
        newest_scaled=_scaled(known, pair.newest),
        due_scaled=_scaled(known, pair.due),
    )


def number_of(text: str) -> Number:
    """The number whose `str` was kept."""
    try:
        return int(text)
    except ValueError:
        return SentFloat(text)


def _scaled(known: Dimension | None, number: Number | None) -> str:
    if number is None or known is None or (known.factor == 1 and isinstance(number, int)):
        return _as_sent(number)  # most are so, and to scale ten thousand takes a fifth of a second
    return known.scaled_text(number)


def _as_sent(number: Number | None) -> str:
    return "" if number is None else str(number)


def _to_the_second(time: str) -> str:
    return time[:_TO_THE_SECOND]
