"""What a timestamp may look like: ISO 8601 with 0-9 fraction digits, or epoch seconds or milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from wattkeeper.base.core.clock import EPOCH

# The same patterns are used by the engine (RE2), so nothing here that RE2 lacks. To the engine a year 0000 is one
# that was left out, and it would make it this one.
ISO_PATTERN = (
    r"^(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-"
    r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]"
    r"(:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?$"
)
EPOCH_SECONDS_PATTERN = r"^[0-9]{9,10}(\.[0-9]{1,9})?$"
EPOCH_MILLISECONDS_PATTERN = r"^[0-9]{12,13}$"

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FUTURE_TOLERANCE = timedelta(hours=24)  # beyond it a reading is refused
CLOCK_TOLERANCE = timedelta(minutes=5)  # beyond it a reading is flagged, and moves no state
FIRST_MOMENT, LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

_ISO = re.compile(ISO_PATTERN[1:-1])
_SECONDS = re.compile(EPOCH_SECONDS_PATTERN[1:-1])
_MILLISECONDS = re.compile(EPOCH_MILLISECONDS_PATTERN[1:-1])


def parse_timestamp(text: str, *, zone: tzinfo = UTC) -> datetime | None:
    """The moment that `text` names, in UTC, cut to microseconds; None if it names none.

    A time without an offset is read in `zone`. What lies before the first moment that there is, or after the
    last, becomes that one.
    """
    if _ISO.fullmatch(text):
        try:
            moment = datetime.fromisoformat(_cut_to_microseconds(text))
        except ValueError:  # 30 February
            return None
        try:
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        except OverflowError:  # its offset leads out of the years 1 to 9999
            return FIRST_MOMENT if moment.year == 1 else LAST_MOMENT
    if _SECONDS.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return EPOCH + timedelta(seconds=int(whole), microseconds=int(fraction[:6].ljust(6, "0")))
    if _MILLISECONDS.fullmatch(text):
        return EPOCH + timedelta(milliseconds=int(text))
    return None


def _cut_to_microseconds(text: str) -> str:
    # fromisoformat reads any number of digits but refuses some lengths before Python 3.12.
    return re.sub(r"(\.[0-9]{1,6})[0-9]*", lambda found: found[1].ljust(7, "0"), text)
