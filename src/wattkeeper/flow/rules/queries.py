"""What is asked about rules."""

from __future__ import annotations

from django.db.models import QuerySet

from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.spec import RuleSpec

ORDERINGS = ("name", "kind", "channel", "level", "alert_type", "enabled", "created_at", "changed_at")


def rules_of(
    tenant_id: int | None,
    *,
    kind: str = "",
    channel: str = "",
    enabled: bool | None = None,
    search: str = "",
    ordering: str = "kind",
) -> QuerySet[Rule]:
    """The rules of a tenant (None: of all) with their assets, without those that are removed.

    `search` stands in the name, the channel, the alert type or the text. `ordering` is one of ORDERINGS, with a `-`
    for descending.
    """
    raise NotImplementedError


def rule_by_id(pk: int, *, tenant_id: int | None) -> Rule | None:
    """The rule of that id, if it is not removed and the tenant (None: any) has it."""
    raise NotImplementedError


def specs_of(tenant_id: int, kind: Kind) -> list[RuleSpec]:
    """The tenant's enabled rules of the kind as they judge, by id. A rule that no longer means anything is left out."""
    raise NotImplementedError
