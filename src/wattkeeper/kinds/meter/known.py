"""What is known of meters whose messages come: kept for a minute, since thousands come in a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from wattkeeper.base.assets.events import AssetChanged, ZonesChanged
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.kinds.meter.actions import meters_register
from wattkeeper.kinds.meter.events import StoragesChanged
from wattkeeper.kinds.meter.message import Identity
from wattkeeper.kinds.meter.models import DueStorage
from wattkeeper.kinds.meter.pairs import DUE_STORAGE
from wattkeeper.kinds.meter.streams import MESSAGE

SECONDS = 60.0
MOST = 200_000
_KEYS_A_QUESTION = 5_000
_NOTHING: tuple[float, None] = 0.0, None


@dataclass(frozen=True, slots=True)
class Known:
    """What it takes to understand a meter's message. `zone`: in which its clock goes."""

    asset_id: int
    zone: ZoneInfo
    due_storage: int


@dataclass(slots=True)
class _News:
    """What has changed since somebody began to ask."""

    asset_ids: set[int] = field(default_factory=set)
    is_all: bool = False


class KnownMeters:
    """By tenant and key. Another process hears of a change when its minute is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, str], tuple[float, Known]] = {}
        self._keys: dict[int, tuple[int, str]] = {}  # by asset id
        self._asking: list[_News] = []

    def remembered(self, tenant_id: int, keys: Iterable[str]) -> dict[str, Known]:
        """What is kept of them, by key, without asking anybody."""
        moment, found = time.monotonic(), dict[str, Known]()
        for key in keys:
            until, known = self._kept.get((tenant_id, key), _NOTHING)
            if known is not None and moment < until:
                found[key] = known
        return found

    def ask(self, tenant_id: int, meters: Sequence[Identity], *, by: str) -> Mapping[str, Known]:
        """What is known of them by key; those that are new appear, but for what goes beyond the cap of `by`."""
        wanted = {meter.key: meter for meter in meters}
        found = self.remembered(tenant_id, wanted)
        missing = [meter for key, meter in wanted.items() if key not in found]
        if missing:
            with self._listening() as news:
                asked = _asked(tenant_id, missing, by=by, news=news)
                self._keep(tenant_id, asked, news)
            found |= asked
        return found

    def forget(self, event: AssetChanged) -> None:
        """It has changed: its site, say."""
        with self._lock:
            for news in self._asking:
                news.asset_ids.add(event.asset_id)
            if name := self._keys.pop(event.asset_id, None):
                self._kept.pop(name, None)

    def forget_all(self, event: ZonesChanged | StoragesChanged) -> None:
        """What a tenant says of its sites' zones, or of storages, has changed."""
        with self._lock:
            for news in self._asking:
                news.is_all = True
            self._kept.clear()
            self._keys.clear()

    @contextmanager
    def _listening(self) -> Iterator[_News]:
        """What changes while somebody asks: an answer may be of before."""
        news = _News()
        with self._lock:
            self._asking.append(news)
        try:
            yield news
        finally:
            with self._lock:
                self._asking = [one for one in self._asking if one is not news]

    def _keep(self, tenant_id: int, asked: Mapping[str, Known], news: _News) -> None:
        until = time.monotonic() + SECONDS
        with self._lock:
            if news.is_all:
                return
            if len(self._kept) + len(asked) > MOST:
                self._kept.clear()
                self._keys.clear()
            for key, known in asked.items():
                if known.asset_id not in news.asset_ids:
                    self._kept[tenant_id, key] = until, known
                    self._keys[known.asset_id] = tenant_id, key


meters = KnownMeters()


def due_storages(tenant_id: int) -> Mapping[tuple[int, int | None, int | None], int]:
    """The tenant's settings: by manufacturer, device type and version, None for all of them."""
    rows = DueStorage.objects.filter(tenant_id=tenant_id)
    return {
        (maker, type_, version): storage
        for maker, type_, version, storage in rows.values_list("manufacturer", "device_type", "version", "storage")
    }


def due_storage_of(
    settings: Mapping[tuple[int, int | None, int | None], int], *, manufacturer: int, device_type: int, version: int
) -> int:
    """The number of the storage of the due date: what is said most closely of such a meter, else the convention's."""
    for name in (
        (manufacturer, device_type, version),
        (manufacturer, device_type, None),
        (manufacturer, None, version),
        (manufacturer, None, None),
    ):
        if name in settings:
            return settings[name]
    return DUE_STORAGE


def _asked(tenant_id: int, meters: Sequence[Identity], *, by: str, news: _News) -> dict[str, Known]:
    keys = [meter.key for meter in meters]
    rows = _rows(tenant_id, keys)
    if new := [meter for meter in meters if meter.key not in rows]:
        meters_register(tenant_id=tenant_id, meters=new, by=by)
        news.asset_ids.clear()  # that they have appeared is no news: all are asked again
        rows = _rows(tenant_id, keys)
    zones, settings = site_zones(tenant_id), due_storages(tenant_id)
    return {
        meter.key: Known(
            rows[meter.key][0],
            zones.of(rows[meter.key][1]),
            due_storage_of(settings, manufacturer=meter.manufacturer, device_type=meter.type, version=meter.version),
        )
        for meter in meters
        if meter.key in rows
    }


def _rows(tenant_id: int, keys: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Asset id and site of those that there are, by key."""
    rows: dict[str, tuple[int, str]] = {}
    for start in range(0, len(keys), _KEYS_A_QUESTION):
        some = Asset.objects.filter(
            tenant_id=tenant_id, kind=MESSAGE.kind, key__in=keys[start : start + _KEYS_A_QUESTION]
        )
        rows |= {key: (pk, site) for key, pk, site in some.values_list("key", "pk", "site")}
    return rows
