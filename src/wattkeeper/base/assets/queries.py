"""What is asked about assets."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from wattkeeper.base.assets.models import Asset

_KEYS_A_QUESTION = 5_000


def ids_of(*, tenant_id: int, kind: str, keys: Sequence[str]) -> dict[str, int]:
    """The ids of those keys that are known, by key."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), _KEYS_A_QUESTION):
        known = Asset.objects.filter(tenant_id=tenant_id, kind=kind, key__in=keys[start : start + _KEYS_A_QUESTION])
        found.update(known.values_list("key", "id"))
    return found


def assets_of_kind(kind: str, *, tenant_id: int | None) -> QuerySet[Asset]:
    """The assets of a kind in use; `tenant_id` None means all tenants."""
    assets = Asset.objects.filter(kind=kind, archived_at=None)
    return assets if tenant_id is None else assets.filter(tenant_id=tenant_id)


def asset_ids_by_key(kind: str, key: str, *, tenant_id: int | None) -> list[int]:
    """The ids of the assets of that key, archived ones too: their readings are still there."""
    assets = Asset.objects.filter(kind=kind, key=key)
    if tenant_id is not None:
        assets = assets.filter(tenant_id=tenant_id)
    return list(assets.values_list("id", flat=True))
