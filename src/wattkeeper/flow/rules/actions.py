"""The one door for changes to rules. Each is audited, and outdates the plans made from the tenant's rules."""

from __future__ import annotations

from collections.abc import Callable

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.fields import RuleFields
from wattkeeper.flow.rules.models import Rule

# (rule_id, why, by): "rule disabled", "rule removed" or "rule changed" (it asks something else, or of other things).
RuleEnded = Callable[[int, str, str], None]


def connect(ended: RuleEnded) -> None:
    """Have `ended` called, in the transaction of the change, when a rule stops asking what it asked.

    What follows from the rule until then (alerts, watches) is to be closed there.
    """
    raise NotImplementedError


def rule_add(*, tenant: Tenant, fields: RuleFields, actor: str) -> Rule:
    """A new rule. ValidationError by field."""
    raise NotImplementedError


def rule_change(rule: Rule, *, fields: RuleFields, actor: str) -> None:
    """Give the rule other fields. ValidationError by field; ConflictError where somebody else was quicker."""
    raise NotImplementedError


def rule_enable(rule: Rule, *, enabled: bool, actor: str) -> None:
    """Switch the rule on or off. To switch it to what it is already changes nothing."""
    raise NotImplementedError


def rule_remove(rule: Rule, *, actor: str) -> None:
    """Take the rule away for good. ConflictError for a kind's default: that can only be disabled."""
    raise NotImplementedError


def defaults_ensure(tenant_id: int, kind: Kind) -> None:
    """Give the tenant those of the kind's default rules that it has not yet. Whoever asks for rules calls it."""
    raise NotImplementedError


def plans_outdate(tenant_id: int) -> None:
    """Have the tenant's plans made again: a nameplate or an asset's type is another. Call it in the transaction."""
    raise NotImplementedError
