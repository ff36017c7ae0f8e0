"""What is told after a commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wattkeeper.flow.alerts.models import Transition


@dataclass(frozen=True, slots=True)
class AlertsMoved:
    """Something has happened to alerts, whoever did it: opened, cleared, taken care of."""

    transitions: Sequence[Transition]
