"""What is wrong with a meter, unless its tenant sees it differently."""

from __future__ import annotations

from datetime import timedelta

from wattkeeper.base.catalog.alerting import AlertType, Condition, Level, RuleDefault
from wattkeeper.kinds.meter.telegram_times import AHEAD, TOLERANCE

_HOUR = timedelta(hours=1)  # the unit of `clock_offset`

ALERT_TYPES = (
    AlertType.FAULT,
    AlertType.COMMUNICATION_ERROR,
    AlertType.LOW_BATTERY,
    AlertType.CLOCK_OFF,
    AlertType.UNUSUAL_USE,
    AlertType.OVER_TEMPERATURE,
)
DEFAULT_RULES = (
    RuleDefault(
        name="error",
        label="Reports an error",
        alert_type=AlertType.FAULT,
        level=Level.ERROR,
        channel="error",
        condition=Condition.EQUALS,
        limit="1",
        text="Do not bill what it shows. Have the meter looked at.",
    ),
    RuleDefault(
        name="alarm",
        label="Reports an alarm",
        alert_type=AlertType.FAULT,
        level=Level.CRITICAL,
        channel="alarm",
        condition=Condition.EQUALS,
        limit="1",
        text="Go and see: something is not as it should be where the meter hangs, such as a leak or tampering.",
    ),
    RuleDefault(
        name="power_low",
        label="Battery is low",
        alert_type=AlertType.LOW_BATTERY,
        level=Level.WARNING,
        channel="power_low",
        condition=Condition.EQUALS,
        limit="1",
        text="Have the battery or the meter exchanged before it falls silent.",
    ),
    # A message that a gateway has kept for a day or two is late, and no clock is wrong for that.
    RuleDefault(
        name="clock_off",
        label="Clock is off",
        alert_type=AlertType.CLOCK_OFF,
        level=Level.WARNING,
        channel="clock_offset",
        condition=Condition.OUTSIDE,
        low=f"{-TOLERANCE / _HOUR:g}",
        high=f"{AHEAD / _HOUR:g}",
        text="Have the meter's clock set. Until then its messages count by the time of their reception.",
    ),
    RuleDefault(
        name="unusual_use",
        label="Use is unusual",
        alert_type=AlertType.UNUSUAL_USE,
        level=Level.WARNING,
        channel="daily_use",
        condition=Condition.OUTSIDE,
        low="1 * usual_least",
        high="1 * usual_most",
        text="Ask who uses it, or look for a leak, an open window, or an installation that was changed.",
    ),
    RuleDefault(
        name="silent",
        label="Is silent",
        alert_type=AlertType.COMMUNICATION_ERROR,
        level=Level.WARNING,
        condition=Condition.SILENT,
        limit="3 * usual_interval",
        text="See whether the gateway that hears it is on, and the meter in its reach.",
    ),
)
