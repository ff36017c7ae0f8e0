"""What is wrong with a vehicle, unless its tenant sees it differently."""

from __future__ import annotations

from wattkeeper.base.catalog.alerting import AlertType, Condition, Level, RuleDefault

DEFAULT_RULES = (
    RuleDefault(
        name="low_charge",
        label="Charge is low",
        alert_type=AlertType.LOW_CHARGE,
        level=Level.WARNING,
        channel="soc",
        condition=Condition.BELOW,
        limit="10",
        deadband=2.0,
        off_delay_seconds=60,
        text="Charge the vehicle.",
    ),
)
