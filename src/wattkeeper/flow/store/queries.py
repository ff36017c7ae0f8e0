"""The named questions that the store answers. No query text comes from above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import sql_time
from wattkeeper.flow.store.keys import ReadingKey
from wattkeeper.flow.store.schema import FIRST_WINS, key_columns_of, table_of, value_columns_of

MERGED_HERE = 1_000  # rows, counted from the first: past them FINAL is the cheaper


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows: of whom, and when, in `[since, until)`. None means all.

    `key_part`: only those whose asset was called, when they were stored, by a key with this in it, in any case.
    """

    tenant_id: int | None = None
    asset_ids: Sequence[int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    key_part: str = ""

    @property
    def is_empty(self) -> bool:
        """True where no row can be meant."""
        return self.asset_ids is not None and not self.asset_ids

    def sql(self) -> str:
        """The condition. Its parts are numbers, times and hexadecimal digits, so nothing from outside is in it."""
        parts = ["1"]
        if self.tenant_id is not None:
            parts.append(f"tenant_id = {int(self.tenant_id)}")
        if self.asset_ids is not None:
            ids = [str(int(asset_id)) for asset_id in self.asset_ids]
            parts.append(f"asset_id = {ids[0]}" if len(ids) == 1 else f"asset_id IN ({', '.join(ids) or 'NULL'})")
        if self.since is not None:
            parts.append(f"ts >= {sql_time(self.since)}")
        if self.until is not None:
            parts.append(f"ts < {sql_time(self.until)}")
        if self.key_part:
            parts.append(f"positionCaseInsensitiveUTF8(asset_key, unhex('{self.key_part.encode().hex()}')) > 0")
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


def order_sql(stream: Stream, selection: Selection, ordering: Ordering) -> str:
    direction = "DESC" if ordering.descending else "ASC"
    column = column_sql(stream, ordering.column)
    of_one = selection.asset_ids is not None and len(selection.asset_ids) == 1
    ties = [tie for tie in (("ts",) if of_one else ("ts", "asset_id")) if tie != column]
    if stream.repeats:  # of one time, in the order in which they came
        ties += [stream.repeats.received_at, "-toInt64(version)"]
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
    if ordering.column == stream.time_field and offset + limit <= MERGED_HERE:
        return _first_by_time(engine, stream, selection, ordering=ordering, count=offset + limit)[offset:]
    order = order_sql(stream, selection, ordering)
    tail = f"FINAL WHERE {selection.sql()} ORDER BY {order} LIMIT {int(limit)} OFFSET {int(offset)}"
    found = _found(engine, stream, tail)
    return [version.row for version in found]


def rows_at(engine: Engine, stream: Stream, selection: Selection, times: Sequence[float]) -> list[StoredRow]:
    """The rows meant that were taken at those times (seconds since 1970, to the millisecond), the oldest first."""
    if selection.is_empty or not times:
        return []
    moments = ", ".join(str(round(time * 1_000)) for time in times)
    found = _found(
        engine,
        stream,
        f"FINAL WHERE {selection.sql()} AND toUnixTimestamp64Milli(ts) IN ({moments}) ORDER BY ts, asset_id",
    )
    return [version.row for version in found]


def row(engine: Engine, stream: Stream, key: ReadingKey, *, tenant_id: int | None) -> StoredRow | None:
    """The row of that key, or None."""
    if bool(key.digest) != bool(stream.repeats):
        return None  # an id of another stream's
    tenant = "" if tenant_id is None else f"tenant_id = {int(tenant_id)} AND "
    found = _found(
        engine,
        stream,
        f"FINAL WHERE {tenant}asset_id = {int(key.asset_id)} AND ts = {sql_time(key.at)}"
        + (f" AND {stream.repeats.digest} = {int(key.digest)}" if stream.repeats else "")
        + " LIMIT 1",
    )
    return found[0].row if found else None


def newest_arrival(engine: Engine, stream: Stream) -> int:
    """The highest number in the stream's order of arrival; 0 where nothing has come."""
    with engine.client() as client:
        oldest = client.query(f"SELECT min(version) FROM {table_of(stream)} WHERE version <= {FIRST_WINS}").result_rows[
            0
        ][0]
    return FIRST_WINS - int(oldest) if oldest else 0


@dataclass(frozen=True, slots=True)
class ArrivedRow:
    """A single reading as it lies in the store, with its number in the order of arrival."""

    tenant_id: int
    row: StoredRow
    arrival: int


def arrived_after(engine: Engine, stream: Stream, arrival: int, *, limit: int) -> list[ArrivedRow]:
    """The first single readings that came after that number; the rows of files are not among them.

    Reads the order of arrival of the whole stream: for a start, and for after a failure.
    """
    names = value_columns_of(stream)
    selected = ", ".join(["tenant_id", "asset_id", "ts", "asset_key", "flags", "version", *(f"`{n}`" for n in names)])
    with engine.client() as client:
        rows = client.query(
            f"SELECT {selected} FROM {table_of(stream)} WHERE version < {FIRST_WINS - int(arrival)} "
            "AND batch_id NOT IN (SELECT batch_id FROM load_counts) "
            # What was written once more, with its flags, has the same version.
            f"ORDER BY version DESC, length(flags) DESC LIMIT 1 BY {', '.join(key_columns_of(stream)[1:])} "
            f"LIMIT {int(limit)}"
        ).result_rows
    return [
        ArrivedRow(tenant_id, _stored(stream, names, asset_id, at, key, flags, values), FIRST_WINS - version)
        for tenant_id, asset_id, at, key, flags, version, *values in rows
    ]


@dataclass(frozen=True, slots=True)
class _Version:
    """One of the rows that lie in the table under one key until the engine has merged them."""

    row: StoredRow
    version: int

    @property
    def rank(self) -> tuple[int, int]:
        """The highest is the one that FINAL shows.

        Of equal versions the row written last stands, and what is written once more has flags more than before.
        """
        return self.version, len(self.row.flags)


def _first_by_time(
    engine: Engine, stream: Stream, selection: Selection, *, ordering: Ordering, count: int
) -> list[StoredRow]:
    """The first `count` rows in an order of time.

    Without FINAL, that would merge all that is meant: the few rows that are wanted are merged here.
    """
    fetch = 2 * count + 1
    while True:
        found = _found(
            engine, stream, f"WHERE {selection.sql()} ORDER BY {order_sql(stream, selection, ordering)} LIMIT {fetch}"
        )
        best: dict[ReadingKey, _Version] = {}
        for version in found:
            key = version.row.key
            if key not in best or version.rank > best[key].rank:
                best[key] = version
        is_all = len(found) < fetch
        if not is_all:  # more versions of the last may follow, in between those of others of its time
            last = found[-1].row.key
            cut = [key for key in best if (key.asset_id, key.at) == (last.asset_id, last.at)]
            for key in cut:
                del best[key]
        if is_all or len(best) >= count:
            return [version.row for version in best.values()][:count]
        fetch *= 2


def _found(engine: Engine, stream: Stream, tail: str) -> list[_Version]:
    names = value_columns_of(stream)
    selected = ", ".join(["asset_id", "ts", "asset_key", "flags", "version", *(f"`{name}`" for name in names)])
    with engine.client() as client:
        rows = client.query(f"SELECT {selected} FROM {table_of(stream)} {tail}").result_rows
    return [
        _Version(_stored(stream, names, asset_id, at, asset_key, flags, values), version)
        for asset_id, at, asset_key, flags, version, *values in rows
    ]


def _stored(
    stream: Stream,
    names: Sequence[str],
    asset_id: int,
    at: datetime,
    asset_key: str,
    flags: Sequence[str],
    values: Sequence[Any],
) -> StoredRow:
    said = dict(zip(names, values, strict=True))
    digest = said[stream.repeats.digest] if stream.repeats else 0
    return StoredRow(ReadingKey(asset_id, at, digest), asset_key, said, tuple(flags))
