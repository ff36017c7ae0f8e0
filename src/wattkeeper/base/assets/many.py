"""Questions about some of very many rows, and statements with very many.

Django takes longer over each of thousands of parameters than the database does, so a set of ids goes as one, and
SQLite's driver gets a statement as it is. That is one for all rows and not one each (`executemany`): between two rows
the driver lets other threads in, and may have to wait for each of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

T = TypeVar("T")

FEW = 20
ROWS_A_STATEMENT = 1_000


def among(ids: Collection[int]) -> Any:
    """What `pk__in=` takes, of ids in any number."""
    if len(ids) <= FEW:
        return list(ids)
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])
    return RawSQL("SELECT value FROM json_each(%s)", [f"[{','.join(map(str, ids))}]"])


def rows_raw(rows: QuerySet[Any, Any]) -> Iterable[tuple[Any, ...]]:
    """What `values_list` would give, as the driver gives it: `moment_read` reads its times."""
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()  # type: ignore[no-any-return]


def moment_read(value: datetime | None) -> datetime | None:
    """A time out of a raw row, aware in UTC: SQLite's driver knows of no zones, and all that is stored is UTC."""
    return value if value is None or value.tzinfo is not None else value.replace(tzinfo=UTC)


def rows_write(sql: str, row: str, rows: Iterable[Sequence[Any]]) -> None:
    """The statement with `{rows}` in it as few times as may be: there stand as many `row`s, such as `(%s, %s)`."""
    adapt = lru_cache(connection.ops.adapt_datetimefield_value)  # of a flush many have the same time
    for some in _pieces(rows):
        parameters = [adapt(value) if type(value) is datetime else value for value in chain.from_iterable(some)]
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                with connection.wrap_database_errors:
                    sqlite3.Cursor.execute(cursor.cursor, _with_rows(sql, row, len(some), mark="?"), parameters)
            else:
                cursor.execute(_with_rows(sql, row, len(some)), parameters)


@lru_cache(maxsize=64)
def _with_rows(sql: str, row: str, count: int, *, mark: str = "%s") -> str:
    return sql.format(rows=", ".join([row] * count)).replace("%s", mark)


def _pieces(rows: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(rows)
    while some := list(islice(rest, ROWS_A_STATEMENT)):
        yield some
