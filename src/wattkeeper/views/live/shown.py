"""How things and alerts are shown live. Kinds register how theirs are; what registers nothing has a default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wattkeeper.base.assets.queries import assets_in_use
from wattkeeper.base.assets.states import state_of
from wattkeeper.base.catalog import registry
from wattkeeper.flow.alerts.models import Alert

# Of ids of a kind: as JSON shows those that are in use, by id. One question for all of them.
AssetsShown = Callable[[Sequence[int]], Mapping[int, Mapping[str, Any]]]
# Alerts as JSON shows them, in their order.
AlertsShown = Callable[[Sequence[Alert]], Iterable[Mapping[str, Any]]]

_assets_shown: dict[str, AssetsShown] = {}
_alerts_shown: AlertsShown | None = None


def register(kind: str, shown: AssetsShown) -> None:
    """Show the things of `kind` as `shown` says; ValueError if somebody has said so already."""
    if kind in _assets_shown:
        raise ValueError(f"How the kind {kind} is shown live is registered twice")
    _assets_shown[kind] = shown


def connect(*, alerts_shown: AlertsShown) -> None:
    """Show alerts as `alerts_shown` says, which is how the API shows them."""
    global _alerts_shown
    _alerts_shown = alerts_shown


def assets_shown(kind: str, asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Those of the ids that are in use, as JSON shows them."""
    shown = _assets_shown.get(kind)
    return shown(asset_ids) if shown else _by_state(kind, asset_ids)


def alerts_shown(alerts: Sequence[Alert]) -> Mapping[int, Mapping[str, Any]]:
    """By id; RuntimeError before `connect`."""
    if _alerts_shown is None:
        raise RuntimeError("Nobody has said how alerts are shown")
    return {alert.pk: shown for alert, shown in zip(alerts, _alerts_shown(alerts), strict=True)}


def _by_state(kind: str, asset_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    known = registry.kind(kind)
    assets = assets_in_use(tenant_id=None).filter(kind=kind, pk__in=asset_ids).select_related(known.state_relation)
    return {
        asset.pk: {
            "id": asset.pk,
            "key": asset.key,
            "name": asset.name,
            "site": asset.site,
            **(state_of(asset, known) or {"at": None}),
        }
        for asset in assets
    }
