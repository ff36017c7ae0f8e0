"""Which things of a kind a list shows, and in which order: said in an address, answered by one question."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, OrderBy, Q, QuerySet, Value
from django.db.models.functions import NullIf

from wattkeeper.base.accounts.callers import Caller, tenant_for_read
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import LONGEST_TEXT, assets_of_kind, known_first
from wattkeeper.base.assets.states import Freshness, state_channels
from wattkeeper.base.catalog.channels import Channel, ChannelType
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.errors import BadRequestError

Parameters = Mapping[str, Sequence[str]]

OWN_SORTS = ("key", "name", "site", "at")  # beside the channels of the state
DEFAULT_SORT = "key"
LARGEST_NUMBER = 1e15

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """Parsed once at the door by `filter_of`; a page and a file made from equal ones show the same things.

    `at_least` and `at_most` are inclusive, `below` is not, in each channel's unit. `equals` holds texts of the state's
    text channels.
    `tenant` is the slug by which a caller above tenants chose one.
    """

    kind: Kind
    tenant_id: int | None
    tenant: str = ""
    search: str = ""
    site: str = ""
    type: str = ""
    fresh: Freshness | None = None
    at_least: Mapping[str, float]
    at_most: Mapping[str, float]
    below: Mapping[str, float]
    equals: Mapping[str, str]
    sort: str = DEFAULT_SORT

    def assets(self, *, now: datetime) -> QuerySet[Asset]:
        """The assets meant, in order, each with its state, and with its tenant where there may be several.

        One question for a page of them.
        """
        found = assets_of_kind(self.kind.name, tenant_id=self.tenant_id).filter(*self._conditions(now))
        if self.tenant_id is not None:
            # Without a join and a column to sort by that say nothing new: SQLite would take a slower way for them.
            return found.select_related(self.kind.state_relation).order_by(*self._order())
        return found.select_related(self.kind.state_relation, "tenant").order_by(*self._order(), "pk")

    def among(self, pks: Sequence[int], *, now: datetime) -> QuerySet[Asset]:
        """Those assets that were meant a moment ago and still are, unordered.

        `pks` come from `assets`, so that neither kind nor tenant is asked for: SQLite would go through all of them.
        """
        return Asset.objects.filter(*self._conditions(now), pk__in=pks, archived_at=None)

    @property
    def bounds(self) -> dict[str, float]:
        """All of them, by the parameters that mean them."""
        bounds = {"min_": self.at_least, "max_": self.at_most, "below_": self.below}
        return {f"{prefix}{name}": bound for prefix, of in bounds.items() for name, bound in of.items()}

    @property
    def narrows(self) -> bool:
        """False where all of the tenant's things of the kind, at the site that is named, are meant."""
        return bool(self.search or self.type or self.fresh or self.bounds or self.equals)

    def describe(self) -> dict[str, str]:
        """The parameters that mean this filter and no more: parsed again, they give an equal one."""
        said = {
            "tenant": self.tenant,
            "search": self.search,
            "site": self.site,
            "type": self.type,
            "fresh": self.fresh.value if self.fresh else "",
            **{name: _written(bound) for name, bound in self.bounds.items()},
            **self.equals,
            "sort": "" if self.sort == DEFAULT_SORT else self.sort,
        }
        return {name: text for name, text in said.items() if text}

    def query(self, **changed: str | None) -> str:
        """The same as a query string, for a link; `changed` parameters are replaced, or left out where None."""
        said = {**self.describe(), **changed}
        return urlencode({name: text for name, text in said.items() if text})

    def _conditions(self, now: datetime) -> Iterator[Q]:
        relation = self.kind.state_relation
        if self.search:
            yield Q(key__icontains=self.search) | Q(name__icontains=self.search)
        if self.site:
            yield Q(site=self.site)
        if self.type:
            yield Q(type=self.type)
        if self.fresh is Freshness.NEVER:
            yield Q(**{f"{relation}__at": None})  # no state, or one that no reading has moved yet
        elif self.fresh:
            since = "gt" if self.fresh is Freshness.NOW else "lte"
            yield Q(**{f"{relation}__at__{since}": now - self.kind.stale_after})
        for lookup, bounds in (("gte", self.at_least), ("lte", self.at_most), ("lt", self.below)):
            for name, bound in bounds.items():
                yield Q(**{f"{relation}__{name}__{lookup}": bound})
        for name, text in self.equals.items():
            yield Q(**{f"{relation}__{name}": text})

    def _order(self) -> Iterator[OrderBy | str]:
        column = self.sort.removeprefix("-")
        by: Any = F(column if column in {"key", "name", "site"} else f"{self.kind.state_relation}__{column}")
        if column in {"name", "site"}:
            by = NullIf(by, Value(""))  # what has no name comes last, like what has no reading
        if column == "key":
            yield self.sort  # by an index, which nulls_last would pass by
        else:
            yield known_first(by, descending=self.sort.startswith("-"))
            yield "key"


def filter_of(parameters: Parameters, *, kind: Kind, caller: Caller) -> AssetFilter:
    """The filter that a query string means, within what the caller may see.

    Parameters (`dict(request.GET.lists())`; of several the last counts, an empty one is none):

    - `search`: part of the key or the name; `site`, `type`: the whole of it; `tenant`: a slug
    - `fresh`: `now` (a reading less than 15 minutes old), `stale`, `never`
    - `min_CHANNEL`, `max_CHANNEL`, `below_CHANNEL`: a number, for a numeric channel of the state: from it on, up to it,
      less than it; `CHANNEL`: the text of a text channel
    - `sort`: `key`, `name`, `site`, `at` or a channel of the state, `-` before it for descending; nulls come last

    BadRequestError, naming the parameter, for what cannot be understood. Unknown parameters are no business of ours,
    unless they begin with `min_`, `max_` or `below_`: those would seem to filter, and would not.
    """
    channels = {channel.name: channel for channel in state_channels(kind)}
    asked = _Asked(parameters, channels)
    slug = asked.text("tenant")
    return AssetFilter(
        kind=kind,
        tenant_id=tenant_for_read(caller, slug),
        tenant=slug,
        search=asked.text("search"),
        site=asked.text("site"),
        type=asked.text("type"),
        fresh=asked.fresh(),
        at_least=asked.bounds("min_", math.ceil),
        at_most=asked.bounds("max_", math.floor),
        below=asked.bounds("below_", math.ceil),
        equals=asked.choices(),
        sort=asked.sort(),
    )


def text_in(parameters: Parameters, name: str) -> str:
    """The last value of that name without blanks around it; empty where there is none.

    BadRequestError for what is no text, or too long.
    """
    values = parameters.get(name, ())
    text = values[-1].strip() if values else ""
    # Nothing that is stored has a NUL or half a character in it, and databases would not even take the question.
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadRequestError("That is no text.", field=name)
    if len(text) > LONGEST_TEXT:
        raise BadRequestError(f"That is longer than {LONGEST_TEXT} characters.", field=name)
    return text


@dataclass(frozen=True, slots=True)
class _Asked:
    """Parameters, read one by one; each method raises BadRequestError with the name of what it cannot read."""

    parameters: Parameters
    channels: Mapping[str, Channel]

    def text(self, name: str) -> str:
        return text_in(self.parameters, name)

    def fresh(self) -> Freshness | None:
        text = self.text("fresh")
        if text not in {"", *Freshness}:
            raise BadRequestError(f"{text[:40]!r} is not one of {', '.join(Freshness)}.", field="fresh")
        return Freshness(text) if text else None

    def bounds(self, prefix: str, whole: Callable[[float], int]) -> dict[str, float]:
        """The numbers of `prefix`CHANNEL; for a channel of whole numbers the next one inside, by `whole`."""
        numeric = {name: channel for name, channel in self.channels.items() if channel.is_numeric}
        for name in self.parameters:
            if name.startswith(prefix) and name.removeprefix(prefix) not in numeric:
                known = ", ".join(f"{prefix}{channel}" for channel in numeric)
                raise BadRequestError(f"There is no {name[:40]!r}; there are {known}.", field=name[:100])
        found: dict[str, float] = {}
        for name, channel in numeric.items():
            if text := self.text(f"{prefix}{name}"):
                number = float(text) if _NUMBER.fullmatch(text) else math.inf
                if abs(number) > LARGEST_NUMBER:
                    raise BadRequestError(f"{text[:40]!r} is not a number.", field=f"{prefix}{name}")
                found[name] = whole(number) if channel.type is ChannelType.INTEGER else number
        return found

    def choices(self) -> dict[str, str]:
        texts = {name: self.text(name) for name, channel in self.channels.items() if not channel.is_numeric}
        for name, text in texts.items():
            choices = self.channels[name].choices
            if text and choices and text not in choices:
                raise BadRequestError(f"{text[:40]!r} is not one of {', '.join(choices)}.", field=name)
        return {name: text for name, text in texts.items() if text}

    def sort(self) -> str:
        text = self.text("sort") or DEFAULT_SORT
        columns = (*OWN_SORTS, *self.channels)
        if text.removeprefix("-") not in columns:
            known = ", ".join(columns)
            raise BadRequestError(f"{text[:40]!r} is not one of {known}, each with - for descending.", field="sort")
        return text


def _written(number: float) -> str:
    """The shortest text that means the same number."""
    return str(int(number)) if float(number).is_integer() else repr(number)
