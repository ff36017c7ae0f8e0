"""All alerts: those that ask for somebody, those that are over, filtered and sorted as the address says."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.queries import user_by_id
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.flow.alerts.filters import ME, NOBODY, AlertFilter, State, filter_of
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.alert_rows import list_page, people_for

STATES = {
    State.URGENT: "Open",
    State.OVER: "Over",
    State.ALL: "All",
}
SORTS = {
    "-opened_at": "Newest first",
    "opened_at": "Oldest first",
    "-alert_level": "Worst first",
    "asset_key": "By thing",
    "-updated_at": "Last changed first",
}


@page()
def alerts(request: HttpRequest, caller: Caller) -> HttpResponse:
    """A page of the list."""
    chosen = filter_of(dict(request.GET.lists()), caller=caller)
    shown = list_page(caller, chosen, request.GET.get("page", ""))
    selects = _selects(chosen)
    context = {
        "alerts": shown,
        "filter": chosen,
        "states": [
            (label, f"?{chosen.query(state=None if state is State.URGENT else state.value, sort=None)}", state)
            for state, label in STATES.items()
        ],
        "selects": selects,
        "filters": sum(bool(said) for _, _, said, _ in selects),
        "assigned": _assigned(caller, chosen),
        "sorts": [("", "Most urgent first" if chosen.state is State.URGENT else "Last raised first"), *SORTS.items()],
        "kept": [(name, text) for name, text in chosen.describe().items() if name in _KEPT],
        "about": _about(shown, chosen),
        "export": f"{reverse('alerts-export')}?{chosen.query()}",
        "clear": f"{reverse('alerts')}?{_unfiltered(chosen).query()}",
    }
    return render(request, "wattkeeper/alerts.html", context)


_KEPT = frozenset({"tenant", "site", "state", "asset", "rule"})


def _selects(chosen: AlertFilter) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """The choices of the panel of filters: name, label, what is chosen, and what can be."""
    said = chosen.describe()
    yes_no = [("yes", "yes"), ("no", "no")]
    choices = {
        "level": ("Level", [(level.value, level.capitalize()) for level in reversed(Level)]),
        "kind": ("Kind", [(kind.name, kind.label_plural) for kind in registry.kinds()]),
        "type": ("Type", [(one.value, one.value.replace("_", " ").capitalize()) for one in AlertType]),
        "acknowledged": ("Acknowledged", yes_no),
        "shelved": ("Shelved", yes_no),
    }
    return [(name, label, said.get(name, ""), options) for name, (label, options) in choices.items()]


def _assigned(caller: Caller, chosen: AlertFilter) -> list[tuple[str, str]]:
    people = people_for(caller, tenant_id=chosen.tenant_id).shown
    others = {str(pk): name for pk, name in people if pk != caller.user_id}
    if chosen.assigned not in {"", ME, NOBODY, *others}:  # whom the list does not offer has alerts, too
        user = user_by_id(int(chosen.assigned), caller=caller)
        others[chosen.assigned] = user.get_username() if user else "somebody who is gone"
    return [(ME, "Mine"), (NOBODY, "Nobody's"), *others.items()]


def _about(shown: dict[str, object], chosen: AlertFilter) -> list[tuple[str, str]]:
    """Which thing or rule alone it is about, and the address without that."""
    rows = shown["rows"]
    assert isinstance(rows, list)
    first = rows[0] if rows else None
    named = {
        "asset": str(first.alert.asset) if first else "one thing",
        "rule": first.rule.name if first and first.rule else "one rule",
    }
    return [(named[name], f"?{chosen.query(**{name: None})}") for name in named if name in chosen.describe()]


def _unfiltered(chosen: AlertFilter) -> AlertFilter:
    return AlertFilter(tenant_id=chosen.tenant_id, tenant=chosen.tenant, site=chosen.site, state=chosen.state)
