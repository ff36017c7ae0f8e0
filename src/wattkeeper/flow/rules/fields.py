"""A rule as a person writes it, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.spec import RuleSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFields:
    """What people may write of a rule. Limits are texts: `50`, `0.8 * voltage_nominal`, `FAULT`.

    `limit` is for above, below, equals, changes (a minute) and silent (seconds); `low` and `high` are for outside.
    `asset_id` None: every thing of the kind, and of the type where there is one.
    """

    kind: str
    type: str = ""
    asset_id: int | None = None
    name: str
    channel: str = ""
    condition: str
    limit: str = ""
    low: str = ""
    high: str = ""
    while_channel: str = ""
    while_condition: str = ""
    while_limit: str = ""
    deadband: float = 0.0
    on_delay_seconds: int = 0
    off_delay_seconds: int = 0
    level: str
    alert_type: str
    text: str = ""
    makes_work: bool = False
    enabled: bool = True


def fields_of(rule: Rule) -> RuleFields:
    """What stands in a rule."""
    raise NotImplementedError


def fields_changed(fields: RuleFields, given: Mapping[str, Any]) -> RuleFields:
    """`fields` with those of `given`; where the condition is another, limits that it does not have fall away."""
    raise NotImplementedError


def spec_of(fields: RuleFields, *, kind: Kind, tenant_id: int, rule_id: int | None = None) -> RuleSpec:
    """What the fields mean. Django's ValidationError names each field that means nothing, and says why.

    Whether the asset is there is not looked at.
    """
    raise NotImplementedError
