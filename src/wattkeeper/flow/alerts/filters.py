"""Which alerts a list shows, and in which order: said in an address, meant alike by a page and by a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from wattkeeper.base.accounts.callers import Caller, tenant_for_read
from wattkeeper.base.assets.filters import Parameters, text_in
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.base.core.ids import is_whole
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.alerts.queries import ORDERINGS, alerts_of, urgent_first

ME, NOBODY = "me", "nobody"  # whom alerts are assigned to, beside a person's id
NEWEST_FIRST = "-created_at"
_YES_NO = {"yes": True, "no": False}


class State(StrEnum):
    """URGENT: open, or over by itself and not acknowledged yet."""

    URGENT = "open"
    OVER = "over"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Parsed once at the door by `filter_of`; a page and a file made from equal ones show the same alerts.

    `tenant` is the slug by which a caller above tenants chose one. `assigned` is ME, NOBODY, a person's id or empty,
    `me` the id of who asks (None: a key). `sort` empty: the most urgent first of what is URGENT, else the newest.
    """

    tenant_id: int | None
    tenant: str = ""
    state: State = State.URGENT
    kind: str = ""
    level: str = ""
    alert_type: str = ""
    acknowledged: bool | None = None
    shelved: bool | None = None
    assigned: str = ""
    me: int | None = None
    site: str = ""
    asset_id: int | None = None
    rule_id: int | None = None
    search: str = ""
    sort: str = ""

    def alerts(self) -> QuerySet[Alert]:
        """The alerts meant, in order, each with its asset and who has it."""
        found = alerts_of(
            self.tenant_id,
            is_resolved=True if self.state is State.OVER else None,
            acknowledged=self.acknowledged,
            shelved=self.shelved,
            level=self.level,
            alert_type=self.alert_type,
            kind=self.kind,
            site=self.site,
            asset_id=self.asset_id,
            rule_id=self.rule_id,
            ordering=self.sort or NEWEST_FIRST,
        )
        if self.assigned:
            found = found.filter(assigned_to=self._person())
        if self.search:
            parts = ("message", "asset__key", "asset__name")
            found = found.filter(Q(*((f"{part}__icontains", self.search) for part in parts), _connector=Q.OR))
        if self.state is not State.URGENT:
            return found
        urgent = urgent_first(found)
        return urgent.order_by(*found.query.order_by) if self.sort else urgent

    def among(self, pks: Sequence[int]) -> QuerySet[Alert]:
        """Those alerts that were meant a moment ago, unordered, without what somebody has hidden since."""
        return Alert.objects.filter(pk__in=pks, hidden_at=None)

    @property
    def narrows(self) -> bool:
        """Whether it means fewer than all of its state at its site."""
        return bool(set(self.describe()) - {"tenant", "site", "state", "sort"})

    def describe(self) -> dict[str, str]:
        """The parameters that mean this filter and no more: parsed again, they give an equal one."""
        names = {None: "", True: "yes", False: "no"}
        said = {
            "tenant": self.tenant,
            "state": "" if self.state is State.URGENT else self.state.value,
            "kind": self.kind,
            "level": self.level,
            "type": self.alert_type,
            "acknowledged": names[self.acknowledged],
            "shelved": names[self.shelved],
            "assigned": self.assigned,
            "site": self.site,
            "asset": str(self.asset_id or ""),
            "rule": str(self.rule_id or ""),
            "search": self.search,
            "sort": self.sort,
        }
        return {name: text for name, text in said.items() if text}

    def query(self, **changed: str | None) -> str:
        """The same as a query string, for a link; `changed` parameters are replaced, or left out where None."""
        return urlencode({name: text for name, text in {**self.describe(), **changed}.items() if text})

    def _person(self) -> int | None:
        if self.assigned == ME:
            return self.me or 0  # nobody has the id 0: a key has no alerts
        return None if self.assigned == NOBODY else int(self.assigned)


def filter_of(parameters: Parameters, *, caller: Caller) -> AlertFilter:
    """The filter that a query string means, within what the caller may see.

    Parameters (of several the last counts, an empty one is none): `state` (open, over, all), `kind`, `level`, `type`,
    `acknowledged` and `shelved` (yes, no), `assigned` (me, nobody, a person's id), `site`, `asset` and `rule` (ids),
    `search` (part of the message, the thing's key or name), `tenant` (a slug), `sort` (one of ORDERINGS, `-` before it
    for descending). BadRequestError, naming the parameter, for what cannot be understood.
    """
    asked = _Asked(parameters)
    slug = asked.text("tenant")
    acknowledged, shelved = asked.choice("acknowledged", tuple(_YES_NO)), asked.choice("shelved", tuple(_YES_NO))
    return AlertFilter(
        tenant_id=tenant_for_read(caller, slug),
        tenant=slug,
        state=State(asked.choice("state", tuple(State)) or State.URGENT),
        kind=asked.choice("kind", [kind.name for kind in registry.kinds()]),
        level=asked.choice("level", tuple(Level)),
        alert_type=asked.choice("type", tuple(AlertType)),
        acknowledged=_YES_NO.get(acknowledged),
        shelved=_YES_NO.get(shelved),
        assigned=asked.person(),
        me=caller.user_id,
        site=asked.text("site"),
        asset_id=asked.id("asset"),
        rule_id=asked.id("rule"),
        search=asked.text("search"),
        sort=asked.choice("sort", [sign + name for name in ORDERINGS for sign in ("", "-")]),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Parameters, read one by one; each method raises BadRequestError with the name of what it cannot read."""

    parameters: Parameters

    def text(self, name: str) -> str:
        return text_in(self.parameters, name)

    def choice(self, name: str, choices: Sequence[str]) -> str:
        text = self.text(name)
        if text and text not in choices:
            raise BadRequestError(f"{text[:40]!r} is not one of {', '.join(choices)}.", field=name)
        return text

    def id(self, name: str) -> int | None:
        text = self.text(name)
        if text and not _is_id(text):
            raise BadRequestError(f"{text[:40]!r} is not an id.", field=name)
        return int(text) if text else None

    def person(self) -> str:
        text = self.text("assigned")
        if text and text not in {ME, NOBODY} and not _is_id(text):
            raise BadRequestError(f"{text[:40]!r} is neither {ME}, {NOBODY} nor an id.", field="assigned")
        return text


def _is_id(text: str) -> bool:
    return is_whole(text) and int(text) > 0
