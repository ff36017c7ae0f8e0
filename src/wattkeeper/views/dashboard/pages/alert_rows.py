"""Alerts in a list, as every page shows them: each with why it is there, who has it, and what can be done about it.

A view puts `alert_list(...)` into its context as `alerts`; its template includes `wattkeeper/alerts/list.html` and
loads `alerts.js`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller, tenant_for_read
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.queries import names_of, users_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Level as AlertLevel
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.ids import is_whole
from wattkeeper.flow.alerts.filters import AlertFilter, State, filter_of
from wattkeeper.flow.alerts.models import Alert, Group
from wattkeeper.flow.alerts.queries import posters_of, urgent_counts
from wattkeeper.flow.alerts.wording import since_opened
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.queries import rules_by_id
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.rules import words_of
from wattkeeper.views.dashboard.rule_words import rest_of
from wattkeeper.views.dashboard.scope import Scope
from wattkeeper.views.dashboard.templatetags.components import Level

ROWS = 50  # of the page of alerts
LIMIT_MOST = 100  # of a list within another page
COUNTED_MOST = 1_000  # within another page: there "1,000 or more" says as much as the number
PEOPLE_SHOWN = 50  # of more the rest are searched
KEPT_MOST = 500
SHELF_MINUTES = {15: "15 min", 60: "1 h", 240: "4 h", 480: "8 h"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert as its row shows it. `rule`: what it came from; None: `poster` posted it. `words`: what the rule asks;
    `rest`: what of that is not in the alert's message.

    `acknowledged_by`, `resolved_by` and `shelved_by` are names; empty where nobody has.
    """

    alert: Alert
    kind: Kind
    rule: Rule | None
    words: str
    rest: str
    poster: str
    acknowledged_by: str
    resolved_by: str
    shelved_by: str

    @property
    def level(self) -> Level:
        return Level(self.alert.level.lower())

    @property
    def is_over(self) -> bool:
        return self.alert.is_resolved

    @property
    def over_at(self) -> datetime | None:
        """By the time of the reading that said so, as it was opened."""
        return self.alert.cleared_at or self.alert.resolved_at

    @property
    def is_shelved(self) -> bool:
        return self.alert.shelved_until is not None and not self.alert.is_resolved

    @property
    def is_new(self) -> bool:
        return self.alert.group is Group.NEW

    @property
    def news(self) -> tuple[str, str]:
        """The newest value and what it is judged by, where they are others than those in the message."""
        return since_opened(self.alert.message, value=self.alert.value, limit=self.alert.limit)

    @property
    def thing_address(self) -> str:
        return f"asset-{self.kind.name}"


@dataclass(frozen=True, slots=True)
class Tile:
    """How many, and the address that shows them alone; of the one that does (`is_current`) all again."""

    word: str
    level: Level
    icon: str
    count: int
    address: str
    is_current: bool


def alert_list(
    request: HttpRequest,
    caller: Caller,
    *,
    scope: Scope,
    kind: str = "",
    asset_id: int | None = None,
    is_resolved: bool = False,
    limit: int = 20,
) -> dict[str, Any]:
    """The first `limit` alerts of the scope, or of one thing: what asks for somebody, or (`is_resolved`) what is over.

    What asks for somebody comes in this order: open and not acknowledged, open and acknowledged, over by itself and
    not acknowledged, shelved; in each the worst level first, then the newest. What is over: the newest first.
    """
    chosen = AlertFilter(
        tenant_id=scope.tenant_id,
        tenant=scope.tenant_slug,
        site="" if asset_id else scope.site,
        kind=kind,
        asset_id=asset_id,
        me=caller.user_id,
        state=State.OVER if is_resolved else State.URGENT,
    )
    return list_part(caller, chosen, limit=limit)


def list_part(
    caller: Caller, chosen: AlertFilter, *, limit: int, kept: Collection[int] = frozenset()
) -> dict[str, Any]:
    """The list within another page: the first of the alerts that the filter means, and those of `kept`."""
    alerts = chosen.alerts()
    found = list(_with_tenant(alerts, chosen)[: limit + 1])
    total = len(found) if len(found) <= limit else alerts[:COUNTED_MOST].count()
    shown = _keeping(found[:limit], chosen, kept)
    return {
        **_context(caller, chosen, shown, {"limit": str(limit)}),
        "total": total,
        "many": total >= COUNTED_MOST,
        "left": max(total - len(shown), 0),
    }


def list_page(
    caller: Caller, chosen: AlertFilter, number: str, *, kept: Collection[int] = frozenset()
) -> dict[str, Any]:
    """The list that is a page's own, with a way through all that the filter means; those of `kept` on this page."""
    alerts = _with_tenant(chosen.alerts(), chosen)
    shown: Page[Alert] = Paginator(alerts, ROWS).get_page(number)
    own = {"page": str(shown.number)} if shown.number > 1 else {}
    return {
        **_context(caller, chosen, _keeping(list(shown.object_list), chosen, kept), own),
        "total": shown.paginator.count,
        "page": shown,
        "tiles": _tiles(chosen) if chosen.state is State.URGENT else [],
    }


def list_asked(request: HttpRequest, caller: Caller) -> dict[str, Any]:
    """The list that a request's address means: as `limit` says within another page, else a page's own.

    `keep`: ids of alerts that stay in it wherever their place is now, because somebody has ticked them.
    """
    chosen = filter_of(dict(request.GET.lists()), caller=caller)
    limit, ids = request.GET.get("limit", ""), request.GET.get("keep", "").split(",")[:KEPT_MOST]
    kept = {int(text) for text in ids if is_whole(text)}
    if is_whole(limit, digits=3) and int(limit) > 0:
        return list_part(caller, chosen, limit=min(int(limit), LIMIT_MOST), kept=kept)
    return list_page(caller, chosen, request.GET.get("page", ""), kept=kept)


def _keeping(shown: list[Alert], chosen: AlertFilter, kept: Collection[int]) -> list[Alert]:
    others = set(kept) - {alert.pk for alert in shown}
    return [*shown, *_with_tenant(chosen.alerts().filter(pk__in=others), chosen)] if others else shown


def alert_rows(alerts: Sequence[Alert]) -> list[AlertRow]:
    """What stands in the rows of these alerts, in a few questions; of a kind that is not installed any more none."""
    kinds = {kind.name: kind for kind in registry.kinds()}
    rules = rules_by_id({alert.rule_id for alert in alerts if alert.rule_id})
    known = [rule for rule in rules.values() if rule.kind in kinds]
    words = {rule.pk: words_of(rule, kinds[rule.kind])[0] for rule in known}
    rests = {rule.pk: words_of(rule, kinds[rule.kind], said=rest_of)[0] for rule in known}
    posters = posters_of([alert.pk for alert in alerts if alert.rule_id is None])
    said = {who for alert in alerts for who in (alert.acknowledged_by, alert.resolved_by, alert.shelved_by) if who}
    names = {"": "", **names_of({*said, *posters.values()})}
    return [
        AlertRow(
            alert=alert,
            kind=kinds[alert.kind],
            rule=rules.get(alert.rule_id) if alert.rule_id else None,
            words=words.get(alert.rule_id, "") if alert.rule_id else "",
            rest=rests.get(alert.rule_id, "") if alert.rule_id else "",
            poster=names[posters.get(alert.pk, "")],
            acknowledged_by=names[alert.acknowledged_by],
            resolved_by=names[alert.resolved_by],
            shelved_by=names[alert.shelved_by],
        )
        for alert in alerts
        if alert.kind in kinds
    ]


@dataclass(frozen=True, slots=True)
class People:
    """To whom alerts can be given, by id and name. `address`, where there are more of them: where they are searched."""

    shown: Sequence[tuple[int, str]]
    address: str = ""


def people_for(caller: Caller, *, tenant_id: int | None, tenant: str = "", search: str = "") -> People:
    """The people of the tenant (None: of all) who may take care of alerts, the caller first; of many the first.

    `tenant` is the slug by which a caller above tenants says which; `search` a part of a name.
    """
    people = users_of(caller, tenant_id=tenant_id, search=search, who_may=Action.ALERT_ACT)
    found = list(people[: PEOPLE_SHOWN + 1])
    shown, is_cut = found[:PEOPLE_SHOWN], len(found) > PEOPLE_SHOWN
    if is_cut and not search:
        shown = list(dict.fromkeys([*people.filter(pk=caller.user_id or 0), *shown]))
    named = [
        (one.pk, f"{one.get_username()} ({one.tenant})" if tenant_id is None else one.get_username()) for one in shown
    ]
    query = f"?{urlencode({'tenant': tenant})}" if tenant else ""
    address = f"{reverse('alerts-people')}{query}" if is_cut else ""
    return People(sorted(named, key=lambda one: one[0] != caller.user_id), address)


@page()
def alerts_listed(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The list alone, for a page that is there already."""
    return render(request, "wattkeeper/alerts/body.html", {"alerts": list_asked(request, caller)})


@page(read=Action.ALERT_ACT)
def alerts_people(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Those who may take care of alerts and are called like `search`, for the menu that gives alerts to somebody."""
    tenant_id = tenant_for_read(caller, request.GET.get("tenant", ""))
    found = people_for(caller, tenant_id=tenant_id, search=request.GET.get("search", ""))
    return render(request, "wattkeeper/alerts/people.html", {"alerts": {"people": found, "me": caller.user_id}})


@page()
def alerts_counted(request: HttpRequest, caller: Caller) -> HttpResponse:
    """How many are open, as it stands in the bar."""
    return render(request, "wattkeeper/alerts/count.html")


def _with_tenant(alerts: QuerySet[Alert], chosen: AlertFilter) -> QuerySet[Alert]:
    return alerts.select_related("tenant") if chosen.tenant_id is None else alerts


def _tiles(chosen: AlertFilter) -> list[Tile]:
    """How many alerts there are of each level, and of some sorts, each a filter; one that is on is switched off."""
    counts = urgent_counts(chosen.tenant_id, kind=chosen.kind, site=chosen.site)

    def tile(name: str, word: str, shown: Level, value: str, count: int, icon: str = "") -> Tile:
        current = chosen.describe().get(name) == value
        return Tile(word, shown, icon, count, f"?{chosen.query(**{name: None if current else value})}", current)

    def of(*groups: Group) -> int:
        return sum(count for (group, _), count in counts.items() if group in groups)

    levels = (
        tile(
            "level", level.capitalize(), Level(level.lower()), level, sum(counts.get((one, level), 0) for one in Group)
        )
        for level in reversed(AlertLevel)
    )
    return [
        *levels,
        tile("acknowledged", "Not acknowledged", Level.QUIET, "no", of(Group.NEW, Group.OVER), "bell-alert"),
        tile("shelved", "Shelved", Level.QUIET, "yes", of(Group.SHELVED), "pause-circle"),
    ]


def _context(
    caller: Caller, chosen: AlertFilter, alerts: Sequence[Alert], own: Mapping[str, str | None]
) -> dict[str, Any]:
    may_act = caller.may(Action.ALERT_ACT)
    query = chosen.query(**own)
    asked = f"?{query}" if query else ""
    return {
        "rows": alert_rows(alerts),
        "filter": chosen,
        "may_act": may_act,
        "may_resolve": caller.may(Action.ALERT_RESOLVE),
        "people": people_for(caller, tenant_id=chosen.tenant_id, tenant=chosen.tenant) if may_act and alerts else None,
        "me": caller.user_id,
        "shelf_minutes": list(SHELF_MINUTES.items()),
        "show_thing": chosen.asset_id is None,
        "show_tenant": chosen.tenant_id is None,
        "address": f"{reverse('alerts-list')}{asked}",
        "act": f"{reverse('alerts-act')}{asked}",
        "all": f"{reverse('alerts')}?{chosen.query()}",
    }
