"""What rules are asked about, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from wattkeeper.flow.readings.reading import Value
from wattkeeper.flow.rules.spec import RuleSpec


class Verdict(StrEnum):
    """What a rule says of one sample. UNSURE changes nothing: a value is missing, or lies in the deadband."""

    CLEAR = "clear"
    BREACH = "breach"
    UNSURE = "unsure"


class Sample(Struct, frozen=True, gc=False):
    """What is judged: values of one asset at one time. `values` leaves out, or has None for, what is not known.

    `at` is the event time, `received_at` the clock's when it came.
    """

    tenant_id: int
    asset_id: int
    at: datetime
    received_at: datetime
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule's verdict on one sample. `at` is the event time; of a silence, the clock's.

    `value` is what was judged (of `changes` the rate a minute, of `silent` the seconds); `limit` what it was judged
    by, as a person reads it: `above 50`.
    """

    rule: RuleSpec
    asset_id: int
    at: datetime
    verdict: Verdict
    value: Value
    limit: str
