"""The named questions that the store answers. No query text comes from above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import sql_time
from wattkeeper.flow.store.keys import ReadingKey
from wattkeeper.flow.store.schema import table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows: of whom, and when, in `[since, until)`. None means all."""

    tenant_id: int | None = None
    asset_ids: Sequence[int] | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """True where no row can be meant."""
        return self.asset_ids is not None and not self.asset_ids

    def sql(self) -> str:
        """The condition. All its parts are numbers and times, so nothing from outside is in it."""
        parts = ["1"]
        if self.tenant_id is not None:
            parts.append(f"tenant_id = {int(self.tenant_id)}")
        if self.asset_ids is not None:
            parts.append(f"asset_id IN ({', '.join(str(int(i)) for i in self.asset_ids) or 'NULL'})")
        if self.since is not None:
            parts.append(f"ts >= {sql_time(self.since)}")
        if self.until is not None:
            parts.append(f"ts < {sql_time(self.until)}")
        return " AND ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """By an outside column name. Ties are broken by asset and time, so that pages never overlap."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A reading as it lies in the store."""

    key: ReadingKey
    asset_key: str
    values: Mapping[str, Any]
    flags: tuple[str, ...]


def column_sql(stream: Stream, name: str) -> str:
    """The table's column behind an outside name."""
    return {stream.asset_field: "asset_key", stream.time_field: "ts"}.get(name, f"`{name}`")


def order_sql(stream: Stream, ordering: Ordering) -> str:
    direction = "DESC" if ordering.descending else "ASC"
    column = column_sql(stream, ordering.column)
    ties = [tie for tie in ("ts", "asset_id") if tie != column]
    return ", ".join([f"{column} {direction}", *(f"{tie} {direction}" for tie in ties)])


def count(engine: Engine, stream: Stream, selection: Selection) -> int:
    """How many rows are meant."""
    if selection.is_empty:
        return 0
    with engine.client() as client:
        rows = client.query(f"SELECT count() FROM {table_of(stream)} FINAL WHERE {selection.sql()}").result_rows
    return int(rows[0][0])


def page(
    engine: Engine, stream: Stream, selection: Selection, *, ordering: Ordering, offset: int, limit: int
) -> list[StoredRow]:
    """One page of the rows meant."""
    if selection.is_empty:
        return []
    return _rows(
        engine,
        stream,
        f"WHERE {selection.sql()} ORDER BY {order_sql(stream, ordering)} LIMIT {int(limit)} OFFSET {int(offset)}",
    )


def row(engine: Engine, stream: Stream, key: ReadingKey, *, tenant_id: int | None) -> StoredRow | None:
    """The row of that key, or None."""
    tenant = "" if tenant_id is None else f"tenant_id = {int(tenant_id)} AND "
    found = _rows(engine, stream, f"WHERE {tenant}asset_id = {int(key.asset_id)} AND ts = {sql_time(key.at)} LIMIT 1")
    return found[0] if found else None


def newest_of_batch(engine: Engine, stream: Stream, *, tenant_id: int, batch_id: int) -> list[NewestRow]:
    """The newest stored row of each asset that came with a batch: what current state may become of it."""
    names = [channel.name for channel in stream.channels]
    channels = "".join(f", argMax(tuple(`{name}`), ts).1" for name in names)
    with engine.client() as client:
        rows = client.query(
            f"SELECT asset_id, max(ts){channels} FROM {table_of(stream)} "
            "WHERE tenant_id = {tenant:UInt64} AND batch_id = {batch:UInt64} GROUP BY asset_id",
            parameters={"tenant": tenant_id, "batch": batch_id},
        ).result_rows
    return [NewestRow(asset_id, at, dict(zip(names, values, strict=True))) for asset_id, at, *values in rows]


def _rows(engine: Engine, stream: Stream, tail: str) -> list[StoredRow]:
    names = [channel.name for channel in stream.channels]
    selected = ", ".join(["asset_id", "ts", "asset_key", "flags", *(f"`{name}`" for name in names)])
    with engine.client() as client:
        rows = client.query(f"SELECT {selected} FROM {table_of(stream)} FINAL {tail}").result_rows
    return [
        StoredRow(ReadingKey(asset_id, at), asset_key, dict(zip(names, values, strict=True)), tuple(flags))
        for asset_id, at, asset_key, flags, *values in rows
    ]
