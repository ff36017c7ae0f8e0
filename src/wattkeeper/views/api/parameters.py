"""What stands in a request's query string. Whatever cannot be understood is a 400 that names it."""

from __future__ import annotations

import math
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request

from wattkeeper.base.accounts.callers import Caller, tenant_for_read
from wattkeeper.base.assets.queries import asset_ids_by_key
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.base.core.ids import is_whole
from wattkeeper.flow.readings.timestamps import LAST_MOMENT, parse_timestamp
from wattkeeper.flow.store.queries import Ordering, Selection

TEXT_MAX = 255  # more than any name has
PAGE_MAX = 10**9
PAGE_SIZE = 10
PAGE_SIZE_MAX = 1000
_MICROSECOND = timedelta(microseconds=1)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Which page, from 1, of how many rows."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def selection_of(request: Request, stream: Stream, caller: Caller) -> Selection:
    """The rows that the request means, within what the caller may see. Both ends of its times are inclusive."""
    query = request.query_params
    zone = _zone(query.get("timezone"))
    since = _moment(query, "initial_timestamp", zone, of_a_day=time.min)
    last = _moment(query, "final_timestamp", zone, of_a_day=time.max)
    tenant_id = tenant_filter(request, caller)
    asset_ids = None
    if key := query.get(stream.asset_field):
        # No key has a NUL in it, and PostgreSQL would not even take the question.
        asset_ids = [] if "\0" in key else asset_ids_by_key(stream.kind, key.strip(), tenant_id=tenant_id)
    return Selection(
        tenant_id=tenant_id,
        asset_ids=asset_ids,
        since=since,
        until=None if last is None or last == LAST_MOMENT else last + _MICROSECOND,
    )


def tenant_filter(request: Request, caller: Caller) -> int | None:
    """Whose things are meant: the caller's own; above tenants, those of `?tenant=`, or all (None)."""
    return tenant_for_read(caller, request.query_params.get("tenant"))


def ordering_of(request: Request, stream: Stream) -> Ordering:
    """By any field of the stream; `-` before it for descending."""
    text = request.query_params.get("ordering") or stream.time_field
    column = text.removeprefix("-")
    if column not in stream.columns:
        names = ", ".join(stream.columns)
        raise BadRequestError(f"{text[:100]!r} is not one of {names}, each with - for descending.", field="ordering")
    return Ordering(column=column, descending=text.startswith("-"))


def page_of(request: Request, *, size: int = PAGE_SIZE) -> PageNumber:
    """The page that is asked for; `size` is how many rows it has where nobody says."""
    number = whole(request, "page", default=1, least=1, most=PAGE_MAX)
    size = whole(request, "page_size", default=size, least=1, most=PAGE_SIZE_MAX)
    return PageNumber(number, size)


def page_url(request: Request, number: int) -> str:
    """The address of another page of the same question."""
    query = [(name, value) for name, values in request.query_params.lists() for value in values if name != "page"]
    return f"{request.build_absolute_uri(request.path)}?{urlencode([*query, ('page', str(number))])}"


def require_page(page: PageNumber, count: int) -> None:
    """NotFoundError where `count` things do not reach to that page. There is always a first one."""
    if page.offset >= count and page.number > 1:
        raise NotFoundError(f"There is no page {page.number}.")


def page_answer(request: Request, page: PageNumber, count: int, results: Any) -> dict[str, Any]:
    """A page, `results`, in the frame of every list."""
    has_next = page.offset + page.size < count
    return {
        "count": count,
        "next": page_url(request, page.number + 1) if has_next else None,
        "previous": page_url(request, page.number - 1) if page.number > 1 else None,
        "results": results,
    }


def whole(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """The whole number that stands there; `default` where none does."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not (is_whole(text) and least <= int(text) <= most):
        raise BadRequestError(f"{text[:40]!r} is not a whole number from {least} to {most}.", field=name)
    return int(text)


def number(request: Request, name: str, *, default: float, least: float, most: float) -> float:
    """The number that stands there; `default` where none does."""
    said = text(request, name)
    if not said:
        return default
    found = float(said) if _NUMBER.fullmatch(said) else math.nan
    if not least <= found <= most:
        raise BadRequestError(f"{said[:40]!r} is not a number from {least:g} to {most:g}.", field=name)
    return found


def text(request: Request, name: str, *, longest: int = TEXT_MAX) -> str:
    """What stands there, without the blanks around it; empty where nothing does."""
    said = request.query_params.get(name, "").strip()
    if "\0" in said:
        raise BadRequestError("Contains a NUL byte.", field=name)
    if len(said) > longest:
        raise BadRequestError(f"Longer than {longest} characters.", field=name)
    return said


def one_of(said: str, choices: Sequence[str], field: str) -> str:
    """One of the choices, or nothing where nothing was said."""
    if said and said not in choices:
        raise BadRequestError(f"{said[:40]!r} is not one of {', '.join(choices)}.", field=field)
    return said


def truth(said: str, field: str) -> bool | None:
    """`true` or `false`, in any case; None where nothing was said."""
    return {"": None, "true": True, "false": False}[one_of(said.lower(), ("true", "false"), field)]


def sort_of(request: Request, columns: Sequence[str], *, default: str = "") -> str:
    """What `?ordering=` says: a column, with `-` before it for descending; `default` where it says nothing."""
    said = text(request, "ordering")
    if said.removeprefix("-") not in ("", *columns) or said == "-":
        known = ", ".join(columns)
        raise BadRequestError(f"{said[:40]!r} is not one of {known}, each with - for descending.", field="ordering")
    return said or default


def _zone(name: str | None) -> tzinfo:
    if not name:
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequestError(
            f"{name[:100]!r} is not an IANA time zone, such as Europe/Berlin.", field="timezone"
        ) from None


def _moment(query: Mapping[str, str], field: str, zone: tzinfo, *, of_a_day: time) -> datetime | None:
    """The time that stands there; of a date alone the time `of_a_day`."""
    text = query.get(field)
    if not text:
        return None
    whole = f"{text}T{of_a_day.isoformat()}" if _DATE.fullmatch(text) else text
    # A plus sign that was not escaped arrives as a blank.
    moment = parse_timestamp(whole, zone=zone) or parse_timestamp("+".join(whole.rsplit(" ", 1)), zone=zone)
    if moment is None:
        raise BadRequestError(f"{text[:40]!r} is not an ISO 8601 date or time, nor an epoch in seconds.", field=field)
    return moment
