"""The rules in a list, by kind: what each says, whether it is on, and how many alerts it has open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.flow.alerts.queries import open_counts_of
from wattkeeper.flow.rules.actions import rule_enable
from wattkeeper.flow.rules.fields import fields_of, spec_of
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.queries import rule_by_id, rules_of
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.rule_words import sentence_of
from wattkeeper.views.dashboard.scope import scope_of
from wattkeeper.views.dashboard.templatetags.components import Level

ROWS = 50
STATES = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as its row shows it. `broken`: it means nothing any more, and judges nothing."""

    rule: Rule
    kind: Kind
    words: str
    broken: bool
    open_alerts: int

    @property
    def level(self) -> Level:
        return Level(self.rule.level.lower())

    @property
    def asset_address(self) -> str:
        """Of the one thing that the rule is about."""
        return reverse(f"asset-{self.kind.name}", args=[self.rule.asset_id])


@page()
def rules(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The list, filtered by kind, state and what one searches for."""
    scope, kinds = scope_of(request, caller), registry.kinds()
    kind, state = request.GET.get("kind", ""), request.GET.get("state", "")
    if kind and kind not in {one.name for one in kinds}:
        raise BadRequestError(f"{kind[:40]!r} is not a kind of thing.", field="kind")
    if state and state not in STATES:
        raise BadRequestError(f"{state[:40]!r} is neither on nor off.", field="state")
    search = request.GET.get("search", "").replace("\0", "").strip()
    found = rules_of(scope.tenant_id, kind=kind, enabled=STATES.get(state), search=search)
    shown = Paginator(found, ROWS).get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "rows": rule_rows(list(shown.object_list)),
        "kinds": kinds,
        "kind": kind,
        "state": state,
        "search": search,
        "show_tenant": scope.tenant_id is None,
        "may_edit": caller.may(Action.RULE_EDIT),
        "may_add": caller.may(Action.RULE_EDIT) and scope.tenant_id is not None,
    }
    return render(request, "wattkeeper/rules.html", context)


@page(read=Action.RULE_EDIT, write=Action.RULE_EDIT)
def rule_switch(request: HttpRequest, caller: Caller, rule_id: int) -> HttpResponse:
    """POST `enabled=on` or `enabled=off`; a list gets the rule's row, a page of its own itself anew."""
    rule = rule_known(caller, rule_id)
    if request.method != "POST":
        return redirect("rule", rule_id)
    state = request.POST.get("enabled", "")
    if state not in STATES:
        raise BadRequestError(f"{state[:40]!r} is neither on nor off.", field="enabled")
    rule_enable(rule, enabled=STATES[state], actor=caller.identity)
    if "HX-Request" in request.headers:
        (row,) = rule_rows([rule])
        context = {"row": row, "may_edit": True, "show_tenant": scope_of(request, caller).tenant_id is None}
        return render(request, "wattkeeper/rules/row.html", context)
    messages.success(request, f"{rule.name} is switched {state}.")
    return redirect("rule", rule_id)


def rule_known(caller: Caller, rule_id: int) -> Rule:
    """The rule, if the caller may know of it; else NotFoundError."""
    rule = rule_by_id(rule_id, tenant_id=caller.tenant_id)
    if rule is None:
        raise NotFoundError("There is no such rule, or it is not yours.")
    return rule


def rule_rows(rules: Sequence[Rule]) -> list[RuleRow]:
    """What stands in the rows of these rules. A rule of a kind that is not installed any more has none."""
    kinds = {kind.name: kind for kind in registry.kinds()}
    counts = open_counts_of([rule.pk for rule in rules])
    return [_row(rule, kinds[rule.kind], counts) for rule in rules if rule.kind in kinds]


def _row(rule: Rule, kind: Kind, counts: Mapping[int, int]) -> RuleRow:
    words, broken = words_of(rule, kind)
    return RuleRow(rule, kind, words, broken, counts.get(rule.pk, 0))


def words_of(rule: Rule, kind: Kind, *, said: Callable[[RuleSpec, Kind], str] = sentence_of) -> tuple[str, bool]:
    """What the rule says, or what `said` tells of it, and whether that means nothing any more."""
    try:
        return said(spec_of(fields_of(rule), kind=kind, tenant_id=rule.tenant_id), kind), False
    except ValidationError as error:
        return " ".join(error.messages), True
