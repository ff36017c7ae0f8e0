"""The time that a page looks at: relative (`window=24h`, `since=now-6h`) or absolute, always in the URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.readings.timestamps import EARLIEST, parse_timestamp

QUICK = ("1h", "6h", "24h", "7d", "30d")
DEFAULT = "24h"
EN_DASH = "\N{EN DASH}"
PARAMETERS = ("window", "since", "until")
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=3660)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_LENGTH = re.compile(r"(\d{1,5})([smhdw])")
_AGO = re.compile(r"now(?:-(\d{1,5}[smhdw]))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """`[since, until)`, in aware UTC. `parameters` say the same in a URL; a relative one goes on with the clock."""

    since: datetime
    until: datetime
    parameters: Mapping[str, str]
    label: str

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    @property
    def is_relative(self) -> bool:
        return "window" in self.parameters or any(text.startswith("now") for text in self.parameters.values())

    @property
    def quick(self) -> str:
        """The name of the quick window that this is; empty if none."""
        return self.parameters.get("window", "")

    def before(self) -> TimeWindow:
        """The window of the same length that ends where this begins."""
        return _between(self.since - self.length, self.since)

    def after(self) -> TimeWindow:
        return _between(self.until, self.until + self.length)

    def wider(self) -> TimeWindow:
        """Twice as long, around the same middle."""
        more = min(self.length, LONGEST - self.length) / 2
        return _between(self.since - more, self.until + more)


def window_of(query: Mapping[str, str], *, now: datetime, zone: tzinfo) -> TimeWindow:
    """What the parameters of a page say, by default the last day. Times without an offset are the `zone`'s.

    BadRequestError names the parameter that cannot be understood.
    """
    since, until = query.get("since", "").strip(), query.get("until", "").strip()
    if since or until:
        end = _moment(until, "until", now=now, zone=zone) if until else now
        start = _moment(since, "since", now=now, zone=zone) if since else end - timedelta(days=1)
        if end - start < SHORTEST:
            raise BadRequestError("The window ends before it begins: give an `until` after `since`.", field="until")
        if end - start > LONGEST:
            raise BadRequestError("The window is longer than ten years.", field="since")
        given = {name: text for name, text in (("since", since), ("until", until)) if text}
        return _between(start, end, parameters=given, zone=zone)
    name = query.get("window", "").strip() or DEFAULT
    length = _length(name)
    if length is None or not SHORTEST <= length <= LONGEST:
        raise BadRequestError(f"{name[:40]!r} is not a window such as {', '.join(QUICK)}.", field="window")
    return TimeWindow(since=now - length, until=now, parameters={"window": name}, label=f"Last {_words(name)}")


def _between(
    start: datetime, end: datetime, *, parameters: Mapping[str, str] | None = None, zone: tzinfo = UTC
) -> TimeWindow:
    # A step beyond the times that there are stops at their edge, as long as it was.
    shift = max(EARLIEST - start, timedelta()) - max(end - LATEST, timedelta())
    start, end = start + shift, end + shift
    given = parameters or {"since": _text(start), "until": _text(end)}
    local = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in (start, end))
    return TimeWindow(
        since=start,
        until=end,
        parameters=given,
        label=f" {EN_DASH} ".join(local),
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str, field: str, *, now: datetime, zone: tzinfo) -> datetime:
    if found := _AGO.fullmatch(text):
        return max(now - (_length(found[1]) or timedelta()), EARLIEST) if found[1] else now
    # A plus sign that was not escaped arrives as a blank.
    moment = parse_timestamp(text, zone=zone) or parse_timestamp("+".join(text.rsplit(" ", 1)), zone=zone)
    if moment is None:
        raise BadRequestError(f"{text[:40]!r} is neither a date and time nor such as now-6h.", field=field)
    return min(max(moment, EARLIEST), LATEST)


def _length(text: str) -> timedelta | None:
    found = _LENGTH.fullmatch(text)
    return timedelta(**{f"{_UNITS[found[2]]}s": int(found[1])}) if found else None


def _words(name: str) -> str:
    """`24h` as `24 hours`."""
    number, unit = int(name[:-1]), _UNITS[name[-1]]
    return unit if number == 1 else f"{number} {unit}s"
