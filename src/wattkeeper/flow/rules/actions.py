"""The one door for changes to rules. Each is audited, and outdates the plans made from the tenant's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.accounts.changes import row_change
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.queries import asset_by_id
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import RuleDefault
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.base.core.ids import batch_id_new
from wattkeeper.flow.rules.fields import TEXTS, RuleFields, fields_of, fields_of_default, spec_of
from wattkeeper.flow.rules.models import Revision, Rule

# (rule_id, why, by): "rule disabled", "rule removed" or "rule changed" (it asks something else, or of other things).
RuleEnded = Callable[[int, str, str], object]

NOBODY = "wattkeeper"  # who makes the default rules

# What of a rule says what it asks, and of which things: with another of these it is another question.
_QUESTION = ("type", "asset_id", "channel", "condition", "while_channel", "while_condition")
_ended: list[RuleEnded] = []


def connect(ended: RuleEnded) -> None:
    """Have `ended` called, in the transaction of the change, when a rule stops asking what it asked.

    What follows from the rule until then (alerts, watches) is to be closed there.
    """
    _ended[:] = [ended]


@transaction.atomic
def rule_add(*, tenant: Tenant, fields: RuleFields, actor: str) -> Rule:
    """A new rule. ValidationError by field."""
    written = _stripped(fields)
    rule_check(written, tenant_id=tenant.pk)
    defaults_ensure(tenant.pk, registry.kind(written.kind))  # they come first in every list
    now = clock.now()
    rule = Rule(tenant=tenant, created_at=now, created_by=actor, changed_at=now, changed_by=actor, **asdict(written))
    plans_outdate(tenant.pk)
    rule.save(force_insert=True)
    _audit(rule, actor=actor, action="rule_add", detail=asdict(written))
    return rule


@transaction.atomic
def rule_change(rule: Rule, *, fields: RuleFields, actor: str) -> None:
    """Give the rule other fields. ValidationError by field; ConflictError where somebody else was quicker."""
    written, before = _stripped(fields), fields_of(rule)
    if written == before:
        return
    if written.kind != before.kind:
        raise ValidationError({"kind": "A rule stays with its kind of thing; add another rule."})
    rule_check(written, tenant_id=rule.tenant_id, before=before)
    _claim(rule)
    changed = row_change(rule, asdict(written), changed_at=clock.now(), changed_by=actor)
    _audit(rule, actor=actor, action="rule_change", detail=changed)
    if before.enabled and not written.enabled:
        _end(rule, "rule disabled", by=actor)
    elif any(name in changed for name in _QUESTION):
        _end(rule, "rule changed", by=actor)


@transaction.atomic
def rule_enable(rule: Rule, *, enabled: bool, actor: str) -> None:
    """Switch the rule on or off. To switch it to what it is already changes nothing."""
    if rule.enabled == enabled:
        return
    _claim(rule)
    changed = row_change(rule, {"enabled": enabled}, changed_at=clock.now(), changed_by=actor)
    _audit(rule, actor=actor, action="rule_change", detail=changed)
    if not enabled:
        _end(rule, "rule disabled", by=actor)


@transaction.atomic
def rule_remove(rule: Rule, *, actor: str) -> None:
    """Take the rule away for good. ConflictError for a kind's default: that can only be disabled."""
    if rule.is_default:
        raise ConflictError("This rule is there for every tenant: disable it instead.")
    _claim(rule)
    now = clock.now()
    row_change(rule, {"removed_at": now}, changed_at=now, changed_by=actor)
    _audit(rule, actor=actor, action="rule_remove", detail={})
    _end(rule, "rule removed", by=actor)


def defaults_ensure(tenant_id: int, kind: Kind) -> None:
    """Give the tenant those of the kind's default rules that it has not yet. Whoever asks for rules calls it."""
    if not _missing(tenant_id, kind):
        return
    with transaction.atomic():
        plans_outdate(tenant_id)  # locks: of two that come here at once, the second finds nothing missing any more
        missing = _missing(tenant_id, kind)
        if not missing:
            return
        now = clock.now()
        Rule.objects.bulk_create(
            Rule(
                tenant_id=tenant_id,
                default_name=default.name,
                created_at=now,
                created_by=NOBODY,
                changed_at=now,
                changed_by=NOBODY,
                **asdict(fields_of_default(default, kind)),
            )
            for default in missing
        )
        audit_add(
            tenant=Tenant.objects.get(pk=tenant_id),
            actor=NOBODY,
            action="rule_defaults_add",
            target=f"kind:{kind.name} {kind.label}",
            detail={"rules": [default.name for default in missing]},
        )


def defaults_ensure_everywhere(tenant_id: int | None = None) -> None:
    """The same for every kind, for the tenant or (None) for all: one question where nothing is missing."""
    there: dict[tuple[int, str], set[str]] = {}
    found = Rule.objects.exclude(default_name="")
    found = found if tenant_id is None else found.filter(tenant_id=tenant_id)
    for owner, kind_name, name in found.values_list("tenant_id", "kind", "default_name"):
        there.setdefault((owner, kind_name), set()).add(name)
    owners = Tenant.objects.values_list("pk", flat=True) if tenant_id is None else [tenant_id]
    for owner in owners:
        for kind in registry.kinds():
            if {default.name for default in kind.default_rules} - there.get((owner, kind.name), set()):
                defaults_ensure(owner, kind)


def plans_outdate(tenant_id: int) -> None:
    """Have the tenant's plans made again: a nameplate is another. Call it in the transaction of the change.

    Until the transaction's end, no other changes this tenant's rules.
    """
    Revision.objects.bulk_create(
        [Revision(tenant_id=tenant_id, number=batch_id_new())],
        update_conflicts=True,
        unique_fields=["tenant"],
        update_fields=["number"],
    )


def rule_check(fields: RuleFields, *, tenant_id: int, before: RuleFields | None = None) -> None:
    """ValidationError by field where a rule of that tenant cannot be so; `before` is what it was."""
    kind = {one.name: one for one in registry.kinds()}.get(fields.kind)
    if kind is None:
        names = ", ".join(one.name for one in registry.kinds())
        raise ValidationError({"kind": f"Say one of {names}."})
    errors: dict[str, Any] = {}
    try:
        spec_of(fields, kind=kind, tenant_id=tenant_id)
    except ValidationError as error:
        errors = error.message_dict
    if fields.asset_id is not None and (before is None or before.asset_id != fields.asset_id):
        asset = asset_by_id(fields.asset_id, kind=kind.name, tenant_id=tenant_id)
        if asset is None or asset.archived_at is not None:
            errors["asset"] = f"There is no such {kind.label.lower()}."
    if errors:
        raise ValidationError(errors)


def _missing(tenant_id: int, kind: Kind) -> list[RuleDefault]:
    if not kind.default_rules:
        return []
    names = Rule.objects.filter(tenant_id=tenant_id, kind=kind.name).exclude(default_name="")
    there = set(names.values_list("default_name", flat=True))
    return [default for default in kind.default_rules if default.name not in there]


def _claim(rule: Rule) -> None:
    """The rule is this transaction's alone, and as it was read; else ConflictError."""
    plans_outdate(rule.tenant_id)
    if not Rule.objects.filter(pk=rule.pk, changed_at=rule.changed_at, removed_at=None).exists():
        raise ConflictError("Somebody else has changed this rule in the meantime; look at it again.")


def _end(rule: Rule, why: str, *, by: str) -> None:
    for ended in _ended:
        ended(rule.pk, why, by)


def _stripped(fields: RuleFields) -> RuleFields:
    return replace(fields, **{name: getattr(fields, name).strip() for name in TEXTS})


def _audit(rule: Rule, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    audit_add(tenant=rule.tenant, actor=actor, action=action, target=f"rule:{rule.pk} {rule.name}", detail=detail)
