"""A rule as the pipeline sees it: parsed once, apart from the row that it is kept in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from wattkeeper.base.catalog.alerting import Condition, Level


@dataclass(frozen=True, slots=True)
class Limit:
    """A number, or `factor` times the asset's nameplate value `field`; or, for `equals`, a text."""

    factor: float = 0.0
    field: str = ""  # empty: `factor` is the number itself
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """The rule speaks only while `channel` meets this; else its verdict is clear, or unsure where nobody knows."""

    channel: str
    condition: Condition  # above, below or equals
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    """`type` empty: every type; `asset_id` None: every asset. `id` None: a rule that is only tried."""

    id: int | None
    tenant_id: int
    kind: str
    type: str = ""
    asset_id: int | None = None
    name: str
    channel: str
    condition: Condition
    low: Limit | None = None  # `below` and `outside`
    high: Limit | None = None  # `above` and `outside`
    limit: Limit | None = None  # `equals`, `changes` (a minute) and `silent` (seconds)
    guard: Guard | None = None
    deadband: float = 0.0
    on_delay: timedelta = timedelta(0)
    off_delay: timedelta = timedelta(0)
    level: Level
    alert_type: str
    text: str = ""
    makes_work: bool = False
