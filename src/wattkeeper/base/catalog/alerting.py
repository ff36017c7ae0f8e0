"""The vocabulary of rules and alerts: levels, alert types, conditions, and a kind's default rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is, from the least."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class AlertType(StrEnum):
    """What an alert is about, whatever the kind."""

    LOW_CHARGE = "LOW_CHARGE"
    OVERCHARGE = "OVERCHARGE"
    OVER_TEMPERATURE = "OVER_TEMPERATURE"
    UNDER_VOLTAGE = "UNDER_VOLTAGE"
    OVER_CURRENT = "OVER_CURRENT"
    HEALTH_DEGRADATION = "HEALTH_DEGRADATION"
    FAULT = "FAULT"
    COMMUNICATION_ERROR = "COMMUNICATION_ERROR"
    LOW_BATTERY = "LOW_BATTERY"  # of what a battery keeps alive, and is none itself
    CLOCK_OFF = "CLOCK_OFF"
    UNUSUAL_USE = "UNUSUAL_USE"


class Condition(StrEnum):
    """What a rule asks of its channel."""

    ABOVE = "above"
    BELOW = "below"
    OUTSIDE = "outside"  # below `low` or above `high`
    EQUALS = "equals"
    CHANGES = "changes"  # by more than the limit a minute
    SILENT = "silent"  # no sign of life for longer than the limit, in seconds by the clock


USUAL_INTERVAL = "usual_interval"  # what a silence may be relative to, beside the kind's nameplate: seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDefault:
    """A rule that every tenant has from the beginning, and may change.

    A limit is a number as text, `FACTOR * FIELD` of the asset's nameplate, or, for `equals`, the text itself.
    `while_*`: the rule speaks only while another channel meets a condition (above, below or equals).
    """

    name: str  # unique in the kind, never changed: by it a tenant's own version is found
    label: str
    alert_type: AlertType
    level: Level
    condition: Condition
    channel: str = ""  # none for `silent`
    limit: str = ""
    low: str = ""
    high: str = ""
    while_channel: str = ""
    while_condition: Condition | None = None
    while_limit: str = ""
    deadband: float = 0.0  # in the channel's unit
    on_delay_seconds: int = 0
    off_delay_seconds: int = 0
    text: str = ""
    makes_work: bool = False
