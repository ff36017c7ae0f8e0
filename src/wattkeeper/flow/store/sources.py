"""How the engine gets at a file's lines, each with its number: `row` from 1 and `line`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client

from wattkeeper.flow.store.file_sql import literal

_NUMBER_DIGITS = 12


@contextmanager
def numbered_lines(client: Client, path: Path, *, embedded: bool, name: str) -> Iterator[str]:
    """A subquery over the lines of `path`. `name`: of the staging table that a server needs for a while."""
    if embedded:
        # Without this setting several threads take blocks from the file, and the numbers are wrong.
        yield (
            "SELECT rowNumberInAllBlocks() + 1 AS row, line FROM ("
            f"SELECT line FROM file({literal(str(path))}, 'LineAsString', 'line String') "
            "SETTINGS parallelize_output_from_storages = 0)"
        )
        return
    client.command(f"DROP TABLE IF EXISTS {name}")
    client.command(f"CREATE TABLE {name} (numbered String) ENGINE = MergeTree ORDER BY tuple()")
    try:
        client.raw_insert(name, ["numbered"], _with_numbers(path), fmt="LineAsString")
        yield (
            f"SELECT toUInt64(substring(numbered, 1, {_NUMBER_DIGITS})) AS row, "
            f"substring(numbered, {_NUMBER_DIGITS + 1}) AS line FROM {name}"
        )
    finally:
        client.command(f"DROP TABLE IF EXISTS {name}")


def _with_numbers(path: Path) -> Generator[bytes, None, None]:
    """The file in blocks of lines, each line behind its number: a server's parser tells no line numbers."""
    block: list[bytes] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            block.append(b"%0*d" % (_NUMBER_DIGITS, number) + line)
            if len(block) == 16_384:
                yield b"".join(block)
                block.clear()
    yield b"".join(block)
