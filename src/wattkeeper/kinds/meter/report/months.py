"""A month of the calendar, which begins and ends at midnight where a meter hangs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from wattkeeper.base.core.errors import BadRequestError

FIRST_YEAR, LAST_YEAR = 1970, 2100  # outside of them no message has a time
_TEXT = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """`number` is 1 in January."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def words(self) -> str:
        """`October 2026`."""
        return f"{self.first_day:%B %Y}"

    def moved(self, months: int) -> Month:
        """So many months later."""
        years, number = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, number + 1)

    def since(self, zone: ZoneInfo) -> datetime:
        """Its first moment there, in UTC."""
        # Where clocks are put forward at midnight the month begins at that moment; where back, with the first of two.
        return datetime(self.year, self.number, 1, tzinfo=zone).astimezone(UTC)

    def until(self, zone: ZoneInfo) -> datetime:
        """The first moment of the next one, in UTC."""
        return self.moved(1).since(zone)

    def is_over(self, zones: Iterable[ZoneInfo], *, now: datetime) -> bool:
        """Whether it has ended in all of those zones."""
        return all(self.until(zone) <= now for zone in zones)


def month_of(day: date) -> Month:
    """The month that has this day, or this time as it is where it was made."""
    return Month(day.year, day.month)


def current_month(zone: ZoneInfo, *, now: datetime) -> Month:
    return month_of(now.astimezone(zone))


def month_said(text: str, *, zones: Iterable[ZoneInfo], now: datetime) -> Month:
    """The month that `text` names. BadRequestError where it is none, or has not begun in any of the zones."""
    if not _TEXT.fullmatch(text):
        raise BadRequestError(f"{text[:40]!r} is not a month, such as 2026-10.", field="month")
    month = Month(*map(int, text.split("-")))
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise BadRequestError(f"{text} is not between {FIRST_YEAR} and {LAST_YEAR}.", field="month")
    if all(month.since(zone) > now for zone in zones):
        raise BadRequestError(f"{text} has not begun yet.", field="month")
    return month
