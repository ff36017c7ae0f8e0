"""What is wrong with some meters. Days are counted from the origin of the building's history."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from wattkeeper.kinds.meter.codes import status

HISTORY_DAYS = 730


class Trouble(StrEnum):
    EXCHANGED = "exchanged"  # in the second year another meter was put in its place
    RESET = "reset"  # its counter began anew
    CLOCK_STANDS = "clock stands"  # since it was made
    NO_TIME = "no time"  # its telegrams do not say when they were made
    BATTERY_LOW = "battery low"  # since a month
    ERRORS = "errors"  # an error now and then, and an alarm
    SILENT = "silent"  # since a week
    LEAKS = "leaks"  # a toilet runs through since some days
    LATE = "late"  # some of its telegrams come a day late
    TWICE = "twice"  # two gateways hear it


# By the place's number in its building of sixty.
TROUBLED: Mapping[int, Trouble] = {
    9: Trouble.EXCHANGED,
    14: Trouble.RESET,
    20: Trouble.CLOCK_STANDS,
    23: Trouble.NO_TIME,
    26: Trouble.BATTERY_LOW,
    33: Trouble.ERRORS,
    38: Trouble.SILENT,
    43: Trouble.LEAKS,
    47: Trouble.LATE,
    52: Trouble.TWICE,
}
EXCHANGED_ON, RESET_ON = 480, 300
BATTERY_LOW_FROM = HISTORY_DAYS - 30
SILENT_FROM = HISTORY_DAYS - 7
LEAKS_FROM = HISTORY_DAYS - 5
LEAKED_DAILY = 1.4  # m³
_ERROR_EVERY, _ALARM_EVERY, _HOURS = 4, 23, 7  # days; and for how long


def status_of(trouble: Trouble | None, *, day: int, hour: int) -> int:
    """The status byte on that day since the origin, in its hour of that number."""
    if trouble is Trouble.BATTERY_LOW and day >= BATTERY_LOW_FROM:
        return status.POWER_LOW
    if trouble is Trouble.ERRORS and hour < _HOURS:
        if day % _ALARM_EVERY == HISTORY_DAYS % _ALARM_EVERY:
            return status.ALARM
        if day % _ERROR_EVERY == HISTORY_DAYS % _ERROR_EVERY:
            return status.TEMPORARY_ERROR
    return 0
