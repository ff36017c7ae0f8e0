"""One rule: what it asks, what it would have raised, and for those who may the form that changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller, tenant_for_write
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.accounts.queries import zone_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.errors import BadRequestError, NotFoundError
from wattkeeper.flow.rules.actions import rule_add, rule_change, rule_check, rule_remove
from wattkeeper.flow.rules.fields import RuleFields, fields_of
from wattkeeper.flow.rules.models import Rule
from wattkeeper.views.dashboard.forms import done
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.rule_form import BLANK, RuleForm, without_strange_limits
from wattkeeper.views.dashboard.pages.rule_trial import DAYS_OFFERED, TrialShown, days_of, tried
from wattkeeper.views.dashboard.pages.rules import rule_known, rule_rows

EDIT = page(read=Action.RULE_EDIT, write=Action.RULE_EDIT)


@EDIT
def rule_new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The empty form; POST adds the rule, switched on or off as the button says."""
    kind, tenant = _kind(request), tenant_for_write(caller, request.GET.get("tenant"))
    form = _form(request, kind=kind, tenant=tenant)
    made: list[Rule] = []

    def add() -> None:
        fields = form.rule_fields(enabled="switch_on" in request.POST)
        made.append(rule_add(tenant=tenant, fields=fields, actor=caller.identity))

    if request.method == "POST" and done(form, add):
        told = "and judges from the next reading on" if made[0].enabled else "and is switched off"
        messages.success(request, f"{made[0].name} is added {told}.")
        return redirect("rule", made[0].pk)
    return _new_page(request, kind=kind, form=form)


@page(read=Action.READ, write=Action.RULE_EDIT)
def rule(request: HttpRequest, caller: Caller, rule_id: int) -> HttpResponse:
    """The rule; POST changes it."""
    found = rule_known(caller, rule_id)
    if not caller.may(Action.RULE_EDIT):
        return _page(request, found, form=None)
    form = _form(request, kind=_kind_of(found), tenant=found.tenant, rule=found)

    def change() -> None:
        rule_change(found, fields=form.rule_fields(enabled=found.enabled), actor=caller.identity)

    if request.method == "POST" and done(form, change):
        messages.success(request, "Saved.")
        return redirect("rule", rule_id)
    return _page(request, found, form=form)


@page(read=Action.READ, write=Action.RULE_EDIT)
def rule_try(request: HttpRequest, caller: Caller, rule_id: int) -> HttpResponse:
    """GET what the rule would have raised; POST what it would, if it were as the form says."""
    found = rule_known(caller, rule_id)
    kind = _kind_of(found)
    if request.method == "GET":
        trial = _trial(request, caller, fields_of(found), kind=kind, tenant=found.tenant)
        return _trial_part(request, trial) or _page(request, found, form=_form_if(request, caller, found), trial=trial)
    form = _form(request, kind=kind, tenant=found.tenant, rule=found, is_trial=True)
    trial = _trial_of_form(request, caller, form, tenant=found.tenant)
    return _trial_part(request, trial) or _page(request, found, form=form, trial=trial)


@EDIT
def rule_try_new(request: HttpRequest, caller: Caller) -> HttpResponse:
    """POST a form that is not saved yet, to hear what the rule would have raised."""
    kind, tenant = _kind(request), tenant_for_write(caller, request.GET.get("tenant"))
    if request.method != "POST":
        return redirect(f"{reverse('rule-new')}?{request.GET.urlencode()}")
    form = _form(request, kind=kind, tenant=tenant, is_trial=True)
    trial = _trial_of_form(request, caller, form, tenant=tenant)
    return _trial_part(request, trial) or _new_page(request, kind=kind, form=form, trial=trial)


@EDIT
def rule_end(request: HttpRequest, caller: Caller, rule_id: int) -> HttpResponse:
    """POST takes the rule away."""
    found = rule_known(caller, rule_id)
    if request.method != "POST":
        return redirect("rule", rule_id)
    rule_remove(found, actor=caller.identity)
    messages.success(request, f"{found.name} is removed, and its open alerts are closed.")
    return redirect("rules")


def _kind(request: HttpRequest) -> Kind:
    """The kind that the address names; the only one there is, or the first, where it names none."""
    name = request.GET.get("kind", "")
    kinds = {kind.name: kind for kind in registry.kinds()}
    if not name:
        return next(iter(kinds.values()))
    if name not in kinds:
        raise BadRequestError(f"{name[:40]!r} is not a kind of thing.", field="kind")
    return kinds[name]


def _kind_of(found: Rule) -> Kind:
    for kind in registry.kinds():
        if kind.name == found.kind:
            return kind
    raise NotFoundError(f"This rule is about a kind of thing, {found.kind}, that is not known here any more.")


def _form(
    request: HttpRequest, *, kind: Kind, tenant: Tenant, rule: Rule | None = None, is_trial: bool = False
) -> RuleForm:
    """Bound to what is sent; else filled with the rule, or with what the address says beside it."""
    initial = dict(BLANK) if rule is None else _initial(rule)
    if "shape" in request.GET:
        initial = _reshaped(request, kind)
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and is_trial:
        data["name"] = data.get("name") or "A rule"  # what is only tried needs no name
    return RuleForm(data, kind=kind, initial=initial, tenant_id=tenant.pk)


def _reshaped(request: HttpRequest, kind: Kind) -> dict[str, Any]:
    """What a form says that asks for its fields once more, because another choice has others."""
    said = {name: request.GET.get(name, "").replace("\0", "") for name in RuleForm.base_fields}
    if request.headers.get("HX-Trigger-Name") == "channel" or said["condition"] == Condition.SILENT:
        said["alert_type"] = ""  # it was another channel's
    return {**without_strange_limits(said, kind), "makes_work": "makes_work" in request.GET}


def _form_if(request: HttpRequest, caller: Caller, found: Rule) -> RuleForm | None:
    if not caller.may(Action.RULE_EDIT):
        return None
    return _form(request, kind=_kind_of(found), tenant=found.tenant, rule=found)


def _initial(found: Rule) -> Mapping[str, Any]:
    deadband = f"{found.deadband:.10g}"  # 3, not 3.0
    return {**asdict(fields_of(found)), "deadband": deadband, "asset": found.asset.key if found.asset else ""}


def _trial(request: HttpRequest, caller: Caller, fields: RuleFields, *, kind: Kind, tenant: Tenant) -> TrialShown:
    return tried(fields, kind=kind, tenant_id=tenant.pk, days=days_of(request), zone=zone_of(caller))


def _trial_of_form(request: HttpRequest, caller: Caller, form: RuleForm, *, tenant: Tenant) -> TrialShown:
    """What is wrong with the form is said where the alerts would stand."""
    shown: list[TrialShown] = []

    def check() -> None:
        fields = form.rule_fields(enabled=True)
        rule_check(fields, tenant_id=tenant.pk)
        shown.append(_trial(request, caller, fields, kind=form.kind, tenant=tenant))

    if done(form, check):
        return shown[0]
    wrong = [
        f"{form.fields[name].label or name.capitalize()}: {' '.join(map(str, errors))}"
        if name in form.fields
        else " ".join(map(str, errors))
        for name, errors in form.errors.items()
    ]
    return TrialShown(days=days_of(request), trouble=" ".join(wrong))


def _trial_part(request: HttpRequest, trial: TrialShown) -> HttpResponse | None:
    """The trial alone, for a page that is there already; None where there is none."""
    if "HX-Request" not in request.headers:
        return None
    return render(request, "wattkeeper/rules/trial.html", {"trial": trial})


def _new_page(request: HttpRequest, *, kind: Kind, form: RuleForm, trial: TrialShown | None = None) -> HttpResponse:
    query = request.GET.copy()
    for name in (*RuleForm.base_fields, "shape", "days", "csrfmiddlewaretoken"):
        query.pop(name, None)
    asked = f"?{query.urlencode()}" if query else ""
    context = {
        "kind": kind,
        "kinds": registry.kinds(),
        "form": form,
        "trial": trial,
        "days_offered": DAYS_OFFERED,
        "days": days_of(request),
        "save_url": reverse("rule-new") + asked,
        "kept": list(query.items()),
        "try_url": reverse("rule-try-new") + asked,
    }
    return _rendered(request, context, form)


def _page(request: HttpRequest, found: Rule, *, form: RuleForm | None, trial: TrialShown | None = None) -> HttpResponse:
    kind = _kind_of(found)
    (row,) = rule_rows([found])
    context = {
        "kind": kind,
        "rule": found,
        "row": row,
        "form": form,
        "may_edit": form is not None,
        "trial": trial,
        "days_offered": DAYS_OFFERED,
        "days": days_of(request),
        "save_url": reverse("rule", args=[found.pk]),
        "try_url": reverse("rule-try", args=[found.pk]),
    }
    return _rendered(request, context, form)


def _rendered(request: HttpRequest, context: dict[str, Any], form: RuleForm | None) -> HttpResponse:
    if form is not None:
        form.ask_at(context["save_url"])
    wrong = form is not None and form.is_bound and bool(form.errors)
    return render(request, "wattkeeper/rule.html", context, status=422 if wrong else 200)
