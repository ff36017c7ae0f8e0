"""Which of some readings are in the store already: how a stream knows a reading that comes again.

Most are told from memory, since they are newer than all that has come of their asset; the rest are looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client
from msgspec import Struct
from msgspec.structs import replace

from wattkeeper.base.catalog.streams import Repeats, Stream
from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.readings.reading import Reading
from wattkeeper.flow.store.file_sql import sql_time
from wattkeeper.flow.store.schema import table_of


class Kept(Struct, frozen=True, gc=False):
    """A reading that there is, as it is stored. `received_at`, and whether it counts by a time of its own: only where
    repeats go by these."""

    at: datetime
    flags: Sequence[str] = ()
    received_at: datetime = EPOCH
    is_by_own_time: bool = False


class Repetition(Protocol):
    """The memory of one stream. Its callers see to it that one asks at a time."""

    def start(self, client: Client) -> None:
        """Learn what the store has."""

    def identity(self, reading: Reading) -> Hashable:
        """What two readings have in common of which the second may be the first once more."""

    def unsure(self, reading: Reading) -> bool:
        """Whether the store has to be asked."""

    def kept(self, client: Client, unsure: Collection[Reading]) -> Mapping[Hashable, Sequence[Kept]]:
        """What the store has of their identities, in the order in which it came."""

    def kept_as(self, reading: Reading) -> Kept:
        """What it will be in the store."""

    def again(self, reading: Reading, kept: Sequence[Kept]) -> Reading | None:
        """The reading as it is stored already; None where it is new. `kept`: all of its identity."""

    def saw(self, readings: Iterable[Reading]) -> None:
        """They are in the store now."""

    def saw_until(self, asset_id: int, at: datetime) -> None:
        """A file has brought a row of that time."""


def repetition_of(stream: Stream) -> Repetition:
    """By time, or by content where the stream says so."""
    return ByContent(stream, stream.repeats) if stream.repeats else ByTime(stream)


class ByTime:
    """Two readings of one asset and one time are one."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._newest: dict[int, datetime] = {}

    def start(self, client: Client) -> None:
        rows = client.query(f"SELECT asset_id, max(ts) FROM {table_of(self._stream)} GROUP BY asset_id")
        self._newest.update((asset_id, at) for asset_id, at in rows.result_rows)

    def identity(self, reading: Reading) -> Hashable:
        return (reading.asset_id, reading.row.at)

    def unsure(self, reading: Reading) -> bool:
        return reading.row.at <= self._newest.get(reading.asset_id, EPOCH)

    def kept(self, client: Client, unsure: Collection[Reading]) -> Mapping[Hashable, Sequence[Kept]]:
        keys = ", ".join({f"({r.tenant_id}, {r.asset_id}, {sql_time(r.row.at)})" for r in unsure})
        rows = client.query(
            f"SELECT DISTINCT asset_id, ts FROM {table_of(self._stream)} WHERE (tenant_id, asset_id, ts) IN ({keys})"
        )
        return {(asset_id, at): [Kept(at)] for asset_id, at in rows.result_rows}

    def kept_as(self, reading: Reading) -> Kept:
        return Kept(reading.row.at)

    def again(self, reading: Reading, kept: Sequence[Kept]) -> Reading | None:
        return reading if kept else None

    def saw(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            self.saw_until(reading.asset_id, reading.row.at)

    def saw_until(self, asset_id: int, at: datetime) -> None:
        self._newest[asset_id] = max(at, self._newest.get(asset_id, EPOCH))


class ByContent:
    """Two readings of one asset that say the same are one: for ever, where what they say has a time by which the first
    counts.

    The same content may have another time the second time: a clock's time in an hour that is there twice, a site that
    has been given another zone. So the newest of an asset is known by its digest, too.
    """

    def __init__(self, stream: Stream, repeats: Repeats) -> None:
        self._stream = stream
        self._digest_name, self._own_name, self._received_name = repeats.digest, repeats.own_time, repeats.received_at
        self._within = timedelta(seconds=repeats.within_seconds)
        self._own: dict[int, tuple[datetime, int]] = {}  # by asset, the newest time that one gave itself; its digest
        self._timeless: dict[int, datetime] = {}  # by asset, when the newest came that gave itself none

    def start(self, client: Client) -> None:
        own, received, digest = self._own_name, self._received_name, self._digest_name
        rows: Sequence[Sequence[Any]] = client.query(
            f"SELECT asset_id, max({own}), argMax({digest}, {own}), maxIf({received}, {own} IS NULL) "
            f"FROM {table_of(self._stream)} GROUP BY asset_id"
        ).result_rows
        for asset_id, newest, its_digest, timeless in rows:
            if newest is not None:
                self._own[asset_id] = newest, its_digest
            if timeless is not None:
                self._timeless[asset_id] = timeless

    def identity(self, reading: Reading) -> Hashable:
        return (reading.asset_id, self._digest(reading))

    def unsure(self, reading: Reading) -> bool:
        own, received = self._times(reading)
        if own is None:  # what comes late, as history does, may lie before the newest by any time
            return received < self._timeless.get(reading.asset_id, EPOCH) + self._within
        newest, digest = self._own.get(reading.asset_id, (EPOCH, 0))
        return own <= newest or self._digest(reading) == digest

    def kept(self, client: Client, unsure: Collection[Reading]) -> Mapping[Hashable, Sequence[Kept]]:
        digest, received, own = self._digest_name, self._received_name, self._own_name
        assets = ", ".join({f"({r.tenant_id}, {r.asset_id})" for r in unsure})
        digests = ", ".join({str(self._digest(r)) for r in unsure})
        rows: Sequence[Sequence[Any]] = client.query(
            f"SELECT asset_id, {digest}, ts, flags, {received}, coalesce({own} = ts, false) "
            f"FROM {table_of(self._stream)} "
            f"WHERE (tenant_id, asset_id) IN ({assets}) AND {digest} IN ({digests}) ORDER BY version DESC"
        ).result_rows
        found: dict[Hashable, list[Kept]] = {}
        for asset_id, number, at, flags, came, is_by_own_time in rows:
            found.setdefault((asset_id, number), []).append(Kept(at, tuple(flags), came, bool(is_by_own_time)))
        return found

    def kept_as(self, reading: Reading) -> Kept:
        own, received = self._times(reading)
        return Kept(reading.row.at, reading.row.flags, received, reading.row.at == own)

    def again(self, reading: Reading, kept: Sequence[Kept]) -> Reading | None:
        own, received = self._times(reading)
        for one in kept:
            # A time that did not count says nothing: that of a clock that stands still is in all that its meter says.
            if (own is not None and one.is_by_own_time) or abs(received - one.received_at) < self._within:
                return replace(reading, row=replace(reading.row, at=one.at, flags=tuple(one.flags)))
        return None

    def saw(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            own, received = self._times(reading)
            asset_id = reading.asset_id
            if own is None:
                self._timeless[asset_id] = max(received, self._timeless.get(asset_id, EPOCH))
            elif own >= self._own.get(asset_id, (EPOCH, 0))[0]:
                self._own[asset_id] = own, self._digest(reading)

    def saw_until(self, asset_id: int, at: datetime) -> None:
        raise NotImplementedError(f"No file brings rows of {self._stream.name}")

    def _digest(self, reading: Reading) -> int:
        return reading.row.values[self._digest_name]  # type: ignore[no-any-return]

    def _times(self, reading: Reading) -> tuple[datetime | None, datetime]:
        values = reading.row.values
        return values[self._own_name], values[self._received_name]
