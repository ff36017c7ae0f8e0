"""Statements that change many rows at once, each to values of its own: one statement for a thousand rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

_ROWS_A_STATEMENT = 1_000

Row = Sequence[Any]


def rows_update(
    model: type[models.Model], rows: Sequence[Row], *, keys: Sequence[str], to: Sequence[str], where: str = ""
) -> int:
    """Change the rows that have the values of `keys`, in front in each of `rows`; gives how many.

    `to` names the columns that are set, in the order of what follows the keys. `where` is one condition more, in SQL.
    """
    table, quote = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name
    # Both databases call the columns of VALUES so. The statement begins with UPDATE, or SQLite's driver counts nothing.
    said = [f"said.column{number}" for number in range(1, len(keys) + len(to) + 1)]
    found = " AND ".join(f"{table}.{quote(key)} = {column}" for key, column in zip(keys, said, strict=False))
    moved = ", ".join(
        f"{quote(name)} = {_typed(model, name, column)}" for name, column in zip(to, said[len(keys) :], strict=True)
    )
    changed = 0
    with connection.cursor() as cursor:
        for chunk in _chunks(rows):
            cursor.execute(
                f"UPDATE {table} SET {moved} FROM ({_values(chunk)}) AS said "
                f"WHERE {found}{f' AND {table}.{where}' if where else ''}",
                _parameters(chunk),
            )
            changed += cursor.rowcount
    return changed


def rows_delete(model: type[models.Model], rows: Sequence[Row], *, keys: Sequence[str]) -> int:
    """Delete the rows that have the values of `keys`; gives how many."""
    table, quote = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name
    names = ", ".join(quote(key) for key in keys)
    deleted = 0
    with connection.cursor() as cursor:
        for chunk in _chunks(rows):
            cursor.execute(f"DELETE FROM {table} WHERE ({names}) IN ({_values(chunk)})", _parameters(chunk))
            deleted += cursor.rowcount
    return deleted


def _typed(model: type[models.Model], column: str, said: str) -> str:
    """PostgreSQL takes a column in which all are null, or quoted, for one of texts."""
    if connection.vendor != "postgresql":
        return said
    field = next(field for field in model._meta.concrete_fields if field.column == column)
    return f"CAST({said} AS {field.db_type(connection)})"


def _values(rows: Sequence[Row]) -> str:
    one = f"({', '.join(['%s'] * len(rows[0]))})"
    return f"VALUES {', '.join([one] * len(rows))}"


def _parameters(rows: Sequence[Row]) -> list[Any]:
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(part) if isinstance(part, datetime) else part for row in rows for part in row]


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + _ROWS_A_STATEMENT] for start in range(0, len(rows), _ROWS_A_STATEMENT))
