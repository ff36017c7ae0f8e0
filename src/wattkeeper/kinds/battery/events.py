"""What is told after a commit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BatteryChanged:
    """Somebody has changed the battery, or taken it out of use: what is remembered of it is old."""

    asset_id: int
