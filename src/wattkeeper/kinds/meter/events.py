"""What is told of meters after a commit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoragesChanged:
    """A tenant's meters keep the values of the due date in other storages than before."""

    tenant_id: int
