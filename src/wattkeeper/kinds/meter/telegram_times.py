"""When a telegram was made. A meter's clock says local time, and is often wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from wattkeeper.kinds.meter.message import Record

TOLERANCE = timedelta(hours=48)  # beyond it a clock is wrong, and reception decides
AHEAD = timedelta(minutes=6)  # that a clock may be ahead without being called wrong
NO_TIME, CLOCK_OFF = "no_time", "clock_off"  # flags

# What meters send for a date that nobody has set, apart from those that are no dates (EN 13757-3, types F and G).
_UNSET_DAYS = frozenset({(2000, 0, 0), (1999, 11, 30), (1900, 1, 1), (1900, 1, 0)})
_UNSET_FROM, _KNOWN_FROM = 2127, 1970
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?")
_TEXT_MOST = 40  # characters of a time


def moment_said(text: str) -> datetime | None:
    """The time that a record's text names, without a zone but where it says one; None where it is unset or none."""
    return _moment_said(text) if len(text) <= _TEXT_MOST else None


@lru_cache(maxsize=65_536)
def _moment_said(text: str) -> datetime | None:
    text = text.strip()
    found = _TIME.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(part) for part in found.groups())
    if (year, month, day) in _UNSET_DAYS or not _KNOWN_FROM <= year < _UNSET_FROM:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def moment_at(records: Sequence[Record], places: Iterable[int]) -> datetime | None:
    """The first time that one of the records at these places names, as in `moment_said`; all of them hold a text."""
    for place in places:
        if moment := moment_said(records[place].value):  # type: ignore[arg-type]
            return moment
    return None


def local_to_utc(said: datetime, zone: ZoneInfo, *, received_at: datetime) -> datetime:
    """The moment that is meant by a local time, or by one that says its zone itself.

    An hour in autumn is there twice, and one in spring is not at all. Of the two moments that may be meant it is the
    one nearer to reception, but none that was still to come while the other was not.
    """
    if said.tzinfo is not None:
        return said.astimezone(UTC)
    offset, later = zone.utcoffset(said), zone.utcoffset(said.replace(fold=1))
    assert offset is not None and later is not None
    first = (said - offset).replace(tzinfo=UTC)
    if offset == later:
        return first
    second = (said - later).replace(tzinfo=UTC)
    return min(first, second, key=lambda moment: (moment - received_at > AHEAD, abs(moment - received_at)))


def local_of(said: datetime, zone: ZoneInfo) -> datetime:
    """The same as the site's clocks say it, without a zone."""
    return said if said.tzinfo is None else said.astimezone(zone).replace(tzinfo=None)


def counted_at(own: datetime | None, received_at: datetime) -> tuple[datetime, tuple[str, ...]]:
    """The moment by which a message counts, and what is wrong with its own time (`own`, in UTC).

    That is its own time; but reception where it has none, where the two lie far apart, and where its own is yet to
    come, for a future time never wins.
    """
    if own is None:
        return received_at, (NO_TIME,)
    if own > received_at:
        return received_at, (CLOCK_OFF,) if own - received_at > AHEAD else ()
    return (received_at, (CLOCK_OFF,)) if received_at - own > TOLERANCE else (own, ())
