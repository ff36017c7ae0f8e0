"""Assets of which nothing has been heard for too long."""

from __future__ import annotations

from datetime import datetime

from wattkeeper.flow.rules.verdicts import Judged


def silences(now: datetime) -> list[Judged]:
    """A breach for each enabled `silent` rule and each asset in use that has been silent for longer than its limit."""
    raise NotImplementedError
