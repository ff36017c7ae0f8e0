"""What has changed and is yet to be shown: ids alone, noted by those who change things, taken by who makes frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

RECENT_SECONDS = 5.0  # that a change is kept of a tenant that nobody listens to

Group = tuple[int, str]  # a tenant's things of a kind


@dataclass(slots=True)
class Taken:
    """Assets by tenant and kind; those of `changed` may be called otherwise than before, so their alerts are, too."""

    assets: dict[Group, list[int]] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    alerts: list[int] = field(default_factory=list)
    looked_at: list[int] = field(default_factory=list)  # assets that somebody has just begun to watch
    wanted: list[int | None] = field(default_factory=list)  # tenants that somebody listens to, None: all


class Notes:
    """Whoever notes is in the middle of something else: it costs an entry in a dictionary, and wakes one thread."""

    def __init__(self) -> None:
        self._noted = threading.Condition()
        self._assets: dict[Group, dict[int, float]] = {}
        self._changed: set[int] = set()
        self._alerts: dict[int, float] = {}
        self._looked_at: dict[int, None] = {}
        self._wanted: dict[int | None, None] = {}
        self._is_heard = False  # whether anybody listened when last looked: else nobody needs to be woken
        self._is_over = False

    # -- those who note ----------------------------------------------------------------------------------------------

    def assets(self, tenant_id: int, kind: str, asset_ids: Iterable[int], *, changed: bool = False) -> None:
        now = time.monotonic()
        with self._noted:
            group = self._assets.setdefault((tenant_id, kind), {})
            for asset_id in asset_ids:
                group.setdefault(asset_id, now)
                if changed:
                    self._changed.add(asset_id)
            if self._is_heard:
                self._noted.notify()

    def alerts(self, alert_ids: Iterable[int]) -> None:
        now = time.monotonic()
        with self._noted:
            for alert_id in alert_ids:
                self._alerts.setdefault(alert_id, now)
            if self._is_heard:
                self._noted.notify()

    def look(self, asset_ids: Iterable[int]) -> None:
        """Somebody has begun to watch these: they are shown as they are, changed or not."""
        with self._noted:
            self._looked_at.update(dict.fromkeys(asset_ids))
            self._noted.notify()

    def want(self, tenant_ids: Iterable[int | None]) -> None:
        with self._noted:
            self._wanted.update(dict.fromkeys(tenant_ids))
            self._noted.notify()

    def wake(self) -> None:
        """Somebody listens, perhaps at another process: look whether there is something for them."""
        with self._noted:
            self._noted.notify()

    def end(self) -> None:
        with self._noted:
            self._is_over = True
            self._noted.notify()

    # -- who makes frames --------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        return self._is_over

    def wait(self, *, alerts_from: float, assets_from: float, is_heard: Callable[[], bool]) -> None:
        """Until there is something to be made and its time has come, or for some seconds; times by `time.monotonic`.

        `is_heard`: whether anybody listens at all; else changes are only kept for a moment.
        """
        until = time.monotonic() + RECENT_SECONDS
        with self._noted:
            while not (self._is_over or self._wanted or time.monotonic() >= until):
                now, moments = time.monotonic(), list[float]()
                self._is_heard = is_heard()
                if self._is_heard:
                    if self._alerts:
                        moments.append(alerts_from)
                    if self._assets or self._looked_at:
                        moments.append(assets_from)
                    if moments and min(moments) <= now:
                        return
                else:
                    self._trim(now - RECENT_SECONDS)
                self._noted.wait(min([until, *moments]) - now)

    def take(self, *, with_assets: bool, is_heard: Callable[[int], bool], assets_most: int, alerts_most: int) -> Taken:
        """What is to be made now, the oldest first. `is_heard`: whether anybody listens to a tenant."""
        taken = Taken()
        with self._noted:
            taken.wanted, self._wanted = list(self._wanted), {}
            taken.alerts = _first(self._alerts, alerts_most)
            if with_assets:
                taken.looked_at = _first(self._looked_at, assets_most)
                room = assets_most - len(taken.looked_at)
                for group in sorted(self._assets, key=self._age):
                    noted = self._assets[group]
                    if is_heard(group[0]):
                        if found := _first(noted, room):
                            taken.assets[group] = found
                            room -= len(found)
                    else:
                        _forget(noted, time.monotonic() - RECENT_SECONDS)
                    if not noted:
                        del self._assets[group]
                taken.changed = {pk for found in taken.assets.values() for pk in found if pk in self._changed}
                self._changed -= taken.changed
        return taken

    def _age(self, group: Group) -> float:
        return next(iter(self._assets[group].values()), 0.0)

    def _trim(self, before: float) -> None:
        """While nobody listens, forget what is not recent any more."""
        _forget(self._alerts, before)
        for group, noted in list(self._assets.items()):
            _forget(noted, before)
            if not noted:
                del self._assets[group]
        self._looked_at.clear()
        if not self._assets:
            self._changed.clear()


def _first(noted: dict[int, float] | dict[int, None], most: int) -> list[int]:
    """Takes out those that were noted first."""
    found = list(noted)[:most] if len(noted) > most else list(noted)
    if len(found) == len(noted):
        noted.clear()
    else:
        for pk in found:
            del noted[pk]
    return found


def _forget(noted: dict[int, float], before: float) -> None:
    for pk, at in list(noted.items()):
        if at >= before:
            break
        del noted[pk]
