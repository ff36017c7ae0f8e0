"""Frames out of what the database says at this moment of things that have changed."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rest_framework.utils.encoders import JSONEncoder

from wattkeeper.base.assets.queries import whose_assets
from wattkeeper.base.catalog import registry
from wattkeeper.flow.alerts.queries import alerts_by_ids, newest_ids_of, unresolved_versions
from wattkeeper.views.live.frames import Frame, Topic
from wattkeeper.views.live.notes import Group, Taken
from wattkeeper.views.live.shown import alerts_shown, assets_shown

ITEMS_MOST = 500  # in a frame
_REMEMBERED_MOST = 50_000

_json = JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_escaped = JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False)


class Maker:
    """Reads with one question a kind. Remembers of open alerts which version was last shown, of changed things their
    keys: their alerts say them, too."""

    def __init__(self) -> None:
        self._versions: OrderedDict[int, datetime] = OrderedDict()
        self._keys: OrderedDict[int, str] = OrderedDict()

    def frames(self, taken: Taken, *, is_heard: Callable[[int], bool]) -> Iterator[list[Frame]]:
        """What was taken, as it is now: alerts first, which wait for nothing else, then assets.

        `is_heard`: whether anybody listens to a tenant.
        """
        groups = {group: dict.fromkeys(ids) for group, ids in taken.assets.items()}
        for pk, tenant_id, kind, _ in whose_assets(taken.looked_at):
            groups.setdefault((tenant_id, kind), {})[pk] = None
        alert_ids = dict.fromkeys(taken.alerts)
        alert_ids.update(dict.fromkeys(self._outdated(groups.values())))
        alert_ids.update(dict.fromkeys(self._of_renamed(taken.changed)))
        yield list(self._of_alerts(list(alert_ids), is_heard))
        yield list(self._of_assets(groups))

    def _of_assets(self, groups: Mapping[Group, Iterable[int]]) -> Iterator[Frame]:
        by_kind: dict[str, list[int]] = defaultdict(list)
        for (_, kind), ids in groups.items():
            by_kind[kind] += ids
        shown = {kind: assets_shown(kind, ids) for kind, ids in by_kind.items()}
        for (tenant_id, kind), ids in groups.items():
            items = {pk: _text(shown[kind].get(pk)) for pk in ids}
            listed_as = registry.kind(kind).label_plural.lower()
            for piece in _pieces(items):
                yield Frame(Topic.ASSETS, tenant_id, kind, listed_as, piece)

    def _of_alerts(self, alert_ids: list[int], is_heard: Callable[[int], bool]) -> Iterator[Frame]:
        found = alerts_by_ids(alert_ids) if alert_ids else []
        alerts = [alert for alert in found if is_heard(alert.tenant_id)]
        visible = [alert for alert in alerts if alert.hidden_at is None]
        shown = alerts_shown(visible)
        groups: dict[Group, dict[int, str | None]] = defaultdict(dict)
        for alert in alerts:
            groups[alert.tenant_id, alert.kind][alert.pk] = _text(shown.get(alert.pk))
            self._versions.pop(alert.pk, None)
            if not alert.is_resolved:
                self._versions[alert.pk] = alert.updated_at
        _shorten(self._versions)
        for (tenant_id, kind), items in groups.items():
            for piece in _pieces(items):
                yield Frame(Topic.ALERTS, tenant_id, kind, "alerts", piece)

    def _of_renamed(self, asset_ids: Collection[int]) -> list[int]:
        """The newest alerts of those assets that are called otherwise than when they were last looked at."""
        renamed = []
        for pk, _, _, key in whose_assets(asset_ids):
            if self._keys.pop(pk, None) != key:
                renamed.append(pk)
            self._keys[pk] = key
        _shorten(self._keys)
        return newest_ids_of(renamed, most=ITEMS_MOST) if renamed else []

    def _outdated(self, groups: Iterable[Iterable[int]]) -> Iterator[int]:
        """Unresolved alerts of these assets that say something newer than was shown: a verdict without a transition."""
        ids = [pk for group in groups for pk in group]
        if ids:
            for alert_id, updated_at in unresolved_versions(ids):
                if self._versions.get(alert_id) != updated_at:
                    yield alert_id


def _shorten(remembered: OrderedDict[int, Any]) -> None:
    while len(remembered) > _REMEMBERED_MOST:
        remembered.popitem(last=False)


def _pieces(items: Mapping[int, str | None]) -> Iterator[dict[int, str | None]]:
    ids = list(items)
    for start in range(0, len(ids), ITEMS_MOST):
        yield {pk: items[pk] for pk in ids[start : start + ITEMS_MOST]}


def _text(shown: Mapping[str, Any] | None) -> str | None:
    """JSON as the API writes it; half a character, as a database may hold, as the escape that it came as."""
    if shown is None:
        return None
    text = _json.encode(shown)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _escaped.encode(shown)
    return text
