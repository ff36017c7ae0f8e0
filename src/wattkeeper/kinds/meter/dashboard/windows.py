"""Which days or months the panel of a meter's use shows: a month of days, or a year of months."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.kinds.meter.consumption import Per

_MONTH, _YEAR = re.compile(r"((?:19|20|21)[0-9]{2})-(0[1-9]|1[0-2])"), re.compile(r"(?:19|20|21)[0-9]{2}")

_FIRST_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class UseWindow:
    """`[since, until)` in local days."""

    per: Per
    since: date
    until: date

    @property
    def label(self) -> str:
        return f"{self.since:%B %Y}" if self.per is Per.DAY else f"{self.since:%Y}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return {"per": self.per.value, "at": f"{self.since:%Y-%m}" if self.per is Per.DAY else f"{self.since:%Y}"}

    @property
    def is_first(self) -> bool:
        """Whether an address can say nothing that is earlier."""
        return self.since <= _FIRST_DAY

    def earlier(self) -> UseWindow:
        return around(self.per, self.since - timedelta(days=1))

    def later(self) -> UseWindow:
        return around(self.per, self.until)

    def other(self, *, latest: date) -> UseWindow:
        """The same time by the other measure; of a year its last month that has begun by `latest`."""
        if self.per is Per.DAY:
            return around(Per.MONTH, self.since)
        return around(Per.DAY, min(self.until - timedelta(days=1), max(latest, self.since)))

    def year_before(self) -> UseWindow:
        return around(self.per, self.since.replace(year=self.since.year - 1))


def around(per: Per, day: date) -> UseWindow:
    """The month, or the year, of a day."""
    if per is Per.MONTH:
        return UseWindow(per, date(day.year, 1, 1), date(day.year + 1, 1, 1))
    first = day.replace(day=1)
    return UseWindow(per, first, (first + timedelta(days=32)).replace(day=1))


def use_window_of(query: Mapping[str, str], *, latest: date) -> UseWindow:
    """What an address says: `per` (`day`, `month`) and `at` (`2026-05`, `2026`); else the month of `latest`.

    BadRequestError, naming the parameter, for what cannot be understood.
    """
    per_said, at = query.get("per", "").strip() or Per.DAY.value, query.get("at", "").strip()
    if per_said not in set(Per):
        raise BadRequestError(f"{per_said[:40]!r} is not one of {', '.join(Per)}.", field="per")
    per = Per(per_said)
    if not at:
        return around(per, latest)
    if per is Per.MONTH and _YEAR.fullmatch(at):
        return around(per, date(int(at), 1, 1))
    if found := _MONTH.fullmatch(at):
        return around(per, date(int(found[1]), int(found[2]), 1))
    raise BadRequestError(f"{at[:40]!r} is not a month such as 2026-05, or a year of months such as 2026.", field="at")
