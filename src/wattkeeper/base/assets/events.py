"""What is told after a commit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AssetChanged:
    """A thing was registered, changed or taken out of use, or somebody has written its state: what is remembered of
    it is old."""

    asset_id: int
    tenant_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class ZonesChanged:
    """A tenant's sites have other zones than before."""

    tenant_id: int
