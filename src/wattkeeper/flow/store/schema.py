"""The tables of a stream, made from its declaration. Columns are only ever added.

A stream `vehicle.telemetry` has
- `vehicle_telemetry`: the readings. One row a key (tenant, asset, time; and the digest, in a stream that knows
  its readings by what they say): the least recently received wins.
- `vehicle_telemetry_intake`: keeps nothing. A file's rows pass through it once, and its three views put the
  good ones into the readings, the bad ones into `refused_rows` and the counts into `load_counts`.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from wattkeeper.base.catalog.channels import Channel, ChannelType
from wattkeeper.base.catalog.streams import BesideType, Stream

# First wins: version = FIRST_WINS - arrival sequence (microseconds). Corrections lie above FIRST_WINS.
FIRST_WINS = 1 << 62

KEY_COLUMNS = ("tenant_id", "asset_id", "ts")
# LZ4 throughout, the engine's own choice: ZSTD takes a third less of the disk and a seventh more of a load's time.
SYSTEM_COLUMNS = {
    "tenant_id": "UInt64",
    "asset_id": "UInt64",
    "ts": "DateTime64(6, 'UTC') CODEC(Delta, LZ4)",
    "asset_key": "LowCardinality(String)",
    "flags": "Array(LowCardinality(String))",
    "batch_id": "UInt64",
    "version": "UInt64 CODEC(Delta, LZ4)",
}
INTAKE_COLUMNS = {
    "row": "UInt64",
    "attempt": "UInt64",
    "blank": "UInt8",
    "problem_column": "LowCardinality(String)",
    "problem_value": "String",
    "problem_reason": "LowCardinality(String)",
    "line": "String",
}

# What was answered with a 2xx is on the disk.
DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1"

# Of these an engine gets those that it knows, for they are younger than some servers.
_TUNING = {
    # What is inserted lies in one file a part until it is merged: one to fsync instead of two for each column.
    "min_bytes_for_wide_part": str(128 << 20),
    # The four parts of a large file are not merged while the file's receipt is being counted; and a merge costs by its
    # columns more than by its rows. Inserts of 200 messages each: with 8 the merges take 22 us of a core a message,
    # with 16 12, with 32 7; and a page of one meter takes 9, 16 and 21 ms, for there are as many parts to look into.
    "min_parts_to_merge_at_once": "16",
    # No question here is planned by them, and each insert would make them.
    "auto_statistics_types": "''",
}

REFUSED_ROWS = f"""CREATE TABLE IF NOT EXISTS refused_rows (
    batch_id UInt64, row UInt64, attempt UInt64, stream LowCardinality(String), tenant_id UInt64,
    problem_column LowCardinality(String), problem_value String, problem_reason LowCardinality(String), line String
) ENGINE = ReplacingMergeTree(attempt) ORDER BY (batch_id, row) SETTINGS {DURABLE}"""

LOAD_COUNTS = f"""CREATE TABLE IF NOT EXISTS load_counts (
    batch_id UInt64, attempt UInt64, lines UInt64, blank UInt64, refused UInt64
) ENGINE = MergeTree ORDER BY (batch_id, attempt) SETTINGS {DURABLE}"""

_TYPES = {
    ChannelType.FLOAT: "Nullable(Float64)",
    ChannelType.INTEGER: "Nullable(Int64)",
    ChannelType.TEXT: "Nullable(String)",
}
_BESIDE_TYPES = {
    # What is read rarely, and is most of a row: a third of the size for a little more time.
    BesideType.TEXT: "Nullable(String) CODEC(ZSTD(1))",
    BesideType.NAME: "LowCardinality(Nullable(String))",
    BesideType.NAMES: "Array(LowCardinality(String))",
    BesideType.INTEGER: "Nullable(Int64)",
    BesideType.MOMENT: "Nullable(DateTime64(6, 'UTC'))",
    BesideType.DIGEST: "UInt64 CODEC(NONE)",
}


class Commands(Protocol):
    """What applying the schema needs of a client."""

    def command(self, cmd: str, parameters: dict[str, str] | None = None) -> object: ...


def table_of(stream: Stream) -> str:
    return stream.name.replace(".", "_")


def intake_of(stream: Stream) -> str:
    return f"{table_of(stream)}_intake"


def channel_type(channel: Channel) -> str:
    """The column's type. Always nullable: a channel may be added to a table that has rows."""
    if channel.choices:
        return "LowCardinality(Nullable(String))"
    return _TYPES[channel.type]


def key_columns_of(stream: Stream) -> tuple[str, ...]:
    """What a row is known by: of rows with one key readers see one."""
    return (*KEY_COLUMNS, stream.repeats.digest) if stream.repeats else KEY_COLUMNS


def value_columns_of(stream: Stream) -> tuple[str, ...]:
    """The columns of what a reading says: its channels, and what is kept beside them."""
    return (*(channel.name for channel in stream.channels), *(one.name for one in stream.beside))


def columns_of(stream: Stream) -> dict[str, str]:
    """Every column of the stream's table with its type."""
    channels = {channel.name: channel_type(channel) for channel in stream.channels}
    beside = {one.name: _BESIDE_TYPES[one.type] for one in stream.beside}
    if taken := (SYSTEM_COLUMNS.keys() | INTAKE_COLUMNS.keys()) & (channels.keys() | beside.keys()):
        raise ValueError(f"{stream.name}: the names {sorted(taken)} are the store's own")
    return {**SYSTEM_COLUMNS, **channels, **beside}


def plain_columns_of(stream: Stream) -> dict[str, str]:
    """Every column of the stream's table with its type alone, without its codec."""
    return {name: type_.partition(" CODEC")[0] for name, type_ in columns_of(stream).items()}


def apply_schema(client: Commands, streams: tuple[Stream, ...]) -> None:
    """Create what is missing and add new columns; nothing is ever dropped that holds data."""
    client.command(REFUSED_ROWS)
    client.command(LOAD_COUNTS)
    tuning = _tuning(client)
    for stream in streams:
        _apply_table(client, stream, tuning)
        if stream.takes_files:
            _apply_intake(client, stream)


def _tuning(client: Commands) -> str:
    known = str(client.command("SELECT arrayStringConcat(groupArray(name), ',') FROM system.merge_tree_settings"))
    return ", ".join(f"{name} = {value}" for name, value in _TUNING.items() if name in known.split(","))


def _apply_table(client: Commands, stream: Stream, tuning: str) -> None:
    columns = columns_of(stream)
    client.command(
        f"CREATE TABLE IF NOT EXISTS {table_of(stream)} ({_listed(columns)}) "
        f"ENGINE = ReplacingMergeTree(version) PARTITION BY toYear(ts) "
        f"ORDER BY ({', '.join(key_columns_of(stream))}) SETTINGS {DURABLE}"
    )
    for name, type_ in columns.items():
        client.command(f"ALTER TABLE {table_of(stream)} ADD COLUMN IF NOT EXISTS `{name}` {type_}")
    client.command(f"ALTER TABLE {table_of(stream)} MODIFY SETTING {tuning}")


def _apply_intake(client: Commands, stream: Stream) -> None:
    """The intake and its views hold no data, so a changed declaration makes them anew."""
    table, intake = table_of(stream), intake_of(stream)
    columns = columns_of(stream)
    plain = {**plain_columns_of(stream), **INTAKE_COLUMNS}
    statements = {
        intake: f"CREATE TABLE {intake} ({_listed(plain)}) ENGINE = Null",
        f"{intake}_accept": f"TO {table} AS SELECT {', '.join(f'`{c}`' for c in columns)} "
        f"FROM {intake} WHERE problem_reason = '' AND NOT blank",
        f"{intake}_refuse": "TO refused_rows AS SELECT batch_id, row, attempt, "
        f"'{stream.name}' AS stream, tenant_id, problem_column, problem_value, problem_reason, line "
        f"FROM {intake} WHERE problem_reason != ''",
        f"{intake}_count": "TO load_counts AS SELECT any(batch_id) AS batch_id, any(attempt) AS attempt, "
        f"count() AS lines, countIf(blank) AS blank, countIf(problem_reason != '') AS refused FROM {intake}",
    }
    digest = hashlib.sha256(repr(statements).encode()).hexdigest()[:16]
    current = client.command(
        "SELECT any(comment) FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
        parameters={"name": intake},
    )
    if current == digest:
        return
    for name in reversed(statements):
        client.command(f"DROP TABLE IF EXISTS {name}")
    for name, statement in statements.items():
        if name == intake:
            client.command(f"{statement} COMMENT 'unfinished'")
        else:
            client.command(f"CREATE MATERIALIZED VIEW {name} {statement}")
    # Only now, so that a crash in between makes them anew at the next start.
    client.command(f"ALTER TABLE {intake} MODIFY COMMENT '{digest}'")


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"`{name}` {type_}" for name, type_ in columns.items())
