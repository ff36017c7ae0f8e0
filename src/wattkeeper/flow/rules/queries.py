"""What is asked about rules."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.actions import defaults_ensure, defaults_ensure_everywhere
from wattkeeper.flow.rules.fields import fields_of, spec_of
from wattkeeper.flow.rules.models import Revision, Rule
from wattkeeper.flow.rules.spec import RuleSpec

log = logging.getLogger(__name__)

ORDERINGS = ("name", "kind", "channel", "level", "alert_type", "enabled", "created_at", "changed_at")
LONGEST_SEARCH = 200


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
    defaults_ensure_everywhere(tenant_id)
    rules = Rule.objects.filter(removed_at=None).select_related("asset", "tenant")
    if tenant_id is not None:
        rules = rules.filter(tenant_id=tenant_id)
    if kind:
        rules = rules.filter(kind=kind)
    if channel:
        rules = rules.filter(channel=channel)
    if enabled is not None:
        rules = rules.filter(enabled=enabled)
    if text := search.replace("\0", "").strip()[:LONGEST_SEARCH]:
        parts = ("name", "channel", "alert_type", "text")
        found = Q()
        for part in parts:
            found |= Q(**{f"{part}__icontains": text})
        rules = rules.filter(found)
    return rules.order_by(ordering, "pk")


def rule_by_id(pk: int, *, tenant_id: int | None) -> Rule | None:
    """The rule of that id, if it is not removed and the tenant (None: any) has it."""
    rules = Rule.objects.filter(pk=pk, removed_at=None)
    return (rules if tenant_id is None else rules.filter(tenant_id=tenant_id)).select_related("asset", "tenant").first()


def rules_by_id(ids: Collection[int]) -> dict[int, Rule]:
    """Those rules by their ids, removed ones too: alerts still lead to them."""
    return Rule.objects.in_bulk(list(ids)) if ids else {}


def specs_of(tenant_id: int, kind: Kind) -> list[RuleSpec]:
    """The tenant's enabled rules of the kind as they judge, by id. A rule that no longer means anything is left out."""
    defaults_ensure(tenant_id, kind)
    rules = Rule.objects.filter(tenant_id=tenant_id, kind=kind.name, enabled=True, removed_at=None)
    return [spec for rule in rules.order_by("pk") if (spec := _spec(rule, kind)) is not None]


def silent_specs() -> list[RuleSpec]:
    """The enabled rules of all tenants and kinds that ask for silence."""
    defaults_ensure_everywhere()
    kinds = {kind.name: kind for kind in registry.kinds()}
    rules = Rule.objects.filter(condition=Condition.SILENT, kind__in=kinds, enabled=True, removed_at=None)
    return [spec for rule in rules.order_by("pk") if (spec := _spec(rule, kinds[rule.kind])) is not None]


def revisions() -> dict[int, int]:
    """The number of every tenant's rules, by tenant."""
    return dict(Revision.objects.values_list("tenant_id", "number"))


def revisions_of(tenant_ids: Collection[int]) -> dict[int, int]:
    """The number of each tenant's rules; of a tenant that never had rules none.

    Each flush asks it, so it is put without the ORM, which would take four times as long as the database.
    """
    if not tenant_ids:
        return {}
    table = connection.ops.quote_name(Revision._meta.db_table)
    places = ", ".join(["%s"] * len(tenant_ids))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tenant_id, number FROM {table} WHERE tenant_id IN ({places})", list(tenant_ids))
        return dict(cursor.fetchall())


def _spec(rule: Rule, kind: Kind) -> RuleSpec | None:
    try:
        return spec_of(fields_of(rule), kind=kind, tenant_id=rule.tenant_id, rule_id=rule.pk)
    except ValidationError as error:  # a channel of an earlier release, for example
        log.warning("Rule %s (%s) judges nothing: %s", rule.pk, rule.name, error.message_dict)
        return None
