"""What the names are that stand beside a stream's channels, in a list each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.base.catalog.streams import BesideType, Stream
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.schema import table_of


@dataclass(frozen=True, slots=True)
class NameSeen:
    """One name: in how many readings, the times of the first and the last of them, and whose the last is."""

    name: str
    count: int
    first_seen: datetime
    last_seen: datetime
    asset_id: int
    asset_key: str


def names_seen(
    engine: Engine, stream: Stream, selection: Selection, column: str, *, prefix: str = "", offset: int, limit: int
) -> tuple[int, Sequence[NameSeen]]:
    """How many names there are in the readings meant, and a page of them, those seen last first.

    `column` is one of NAMES. `prefix`: only names that begin so.
    """
    if BesideType.NAMES not in {one.type for one in stream.beside if one.name == column}:
        raise ValueError(f"{stream.name} has no list of names {column!r}")
    if selection.is_empty:
        return 0, []
    source = (
        f"FROM {table_of(stream)} FINAL ARRAY JOIN `{column}` AS one "
        f"WHERE {selection.sql()} AND notEmpty(`{column}`) AND startsWith(one, {{prefix:String}})"
    )
    with engine.client() as client:
        asked = {"prefix": prefix}
        ((count,),) = client.query(f"SELECT uniqExact(one) {source}", parameters=asked).result_rows
        rows = client.query(
            "SELECT toString(one), count(), min(ts), max(ts), argMax(asset_id, (ts, asset_id)), "
            f"toString(argMax(asset_key, (ts, asset_id))) {source} "
            f"GROUP BY one ORDER BY max(ts) DESC, one LIMIT {int(limit)} OFFSET {int(offset)}",
            parameters=asked,
        ).result_rows
    return int(count), [NameSeen(*row) for row in rows]
