"""A whole file into the readings in one pass, so that it can be sent again after any failure.

The same `batch_id` loaded again stores nothing twice and counts the same: a row is "stored" when the version
that readers see came with this batch, and a duplicate when an earlier arrival won.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from clickhouse_connect.driver.client import Client

from wattkeeper.base.catalog.kinds import NewestRow
from wattkeeper.base.catalog.streams import ChangesFast, Falls, Stream
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import BadRequestError, WattkeeperError
from wattkeeper.flow.readings.files import DelimitedFile
from wattkeeper.flow.readings.reading import LoadReceipt, Refusal
from wattkeeper.flow.store.arrivals import ArrivalClock
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.file_sql import FileSql, literal, sql_time
from wattkeeper.flow.store.schema import FIRST_WINS, INTAKE_COLUMNS, columns_of, intake_of, table_of
from wattkeeper.flow.store.sources import numbered_lines

FIRST_REFUSALS = 100  # told inline; all of them stand in `refused_rows`
MAX_ASSETS = 1_000_000  # in one file
# A row's predecessor, for the checks that compare neighbours, is looked for this far back.
NEIGHBOUR_DAYS = 31
_PIECE_ROWS = 2_000_000  # are compared with their neighbours at once, in some 100 MB
_IDS_AT_ONCE = 1_000  # in the text of a question, which the engine limits
# Blocks half as large as the engine's own keep a file of 1 GB at 0.7 GB of memory instead of 1.5.
# What is double is found by whoever reads, and need not be looked for in each block as it is written.
_INSERT_SETTINGS = {
    "max_insert_threads": 2,
    "min_insert_block_size_rows": 524_288,
    "max_block_size": 32_768,
    "optimize_on_insert": 0,
}
# A question that ends as soon as it has found enough reads no more than it must.
_FEW_ROWS_SETTINGS = {"max_block_size": 8_192}


class Assets(Protocol):
    """Whom the rows belong to: asked once for a whole file."""

    def ids_of(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The ids of those keys that are known."""
        ...

    def register(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Make assets of unknown keys; those that may not appear by themselves are left out."""
        ...


class UnbalancedLoadError(WattkeeperError):
    """The engine read another number of lines than the file has. Nothing is lost: the load can run again."""

    status = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """What one load has put into the table."""

    tenant_id: int
    batch_id: int
    asset_ids: tuple[int, ...]
    since: datetime
    last: datetime

    def range(self, *, days_before: int = 0) -> str:
        """The condition by which a question looks only where the batch lies."""
        if len(self.asset_ids) <= _IDS_AT_ONCE:
            assets = f"IN ({', '.join(map(str, self.asset_ids))})"
        else:
            assets = f"BETWEEN {min(self.asset_ids)} AND {max(self.asset_ids)}"
        since = self.since - timedelta(days=days_before)
        return (
            f"tenant_id = {self.tenant_id} AND asset_id {assets} "
            f"AND ts >= {sql_time(since)} AND ts <= {sql_time(self.last)}"
        )


def load_file(
    engine: Engine,
    stream: Stream,
    file: DelimitedFile,
    *,
    tenant_id: int,
    batch_id: int,
    assets: Assets,
    arrivals: ArrivalClock,
    announce: Callable[[Sequence[int]], None],
    settle: Callable[[], None],
) -> tuple[LoadReceipt, list[NewestRow]]:
    """Read, check and store the rows of `file`; what is wrong with a row does not stop the others.

    Also gives the newest row of each asset among those that came with it. `announce` is told whose rows are about
    to come, `settle` returns when every single reading that could not know of them is stored.
    """
    asset_table = f"load_assets_{batch_id}"
    with engine.client() as client:
        lines = numbered_lines(client, file.path, embedded=engine.embedded, name=f"load_lines_{batch_id}")
        try:
            with lines as source:
                sql = FileSql(stream, file, source, now(), asset_table)
                announce(_resolve_assets(client, sql, file, assets))
                attempt = arrivals.reserve_for_load(file.lines + 1)
                intake = sql.intake(
                    tenant_id=tenant_id,
                    batch_id=batch_id,
                    attempt=attempt,
                    newest_version=FIRST_WINS - attempt,
                )
                columns = ", ".join(f"`{name}`" for name in (*columns_of(stream), *INTAKE_COLUMNS))
                client.command(
                    f"INSERT INTO {intake_of(stream)} ({columns}) {intake}",
                    settings=_INSERT_SETTINGS,
                )
        finally:
            client.command(f"DROP TABLE IF EXISTS {asset_table}")
        settle()
        return _receipt(client, stream, file, tenant_id=tenant_id, batch_id=batch_id, attempt=attempt)


def refusals(client: Client, *, batch_id: int, limit: int) -> list[Refusal]:
    """The first refused rows of a load, in the file's order."""
    rows = client.query(
        "SELECT row, problem_column, problem_value, problem_reason FROM refused_rows FINAL "
        "WHERE batch_id = {batch:UInt64} ORDER BY row LIMIT {limit:UInt32}",
        parameters={"batch": batch_id, "limit": limit},
    ).result_rows
    return [Refusal(column, value, reason, row) for row, column, value, reason in rows]


def refused_rows(engine: Engine, *, batch_id: int) -> Iterator[Sequence[Sequence[Any]]]:
    """All refused rows of a load in blocks: row, column, value, reason, the line as it came (its first 64 KiB)."""
    with (
        engine.client() as client,
        client.query_row_block_stream(
            "SELECT row, problem_column, problem_value, problem_reason, line FROM refused_rows FINAL "
            "WHERE batch_id = {batch:UInt64} ORDER BY row",
            parameters={"batch": batch_id},
        ) as blocks,
    ):
        yield from blocks


def _resolve_assets(client: Client, sql: FileSql, file: DelimitedFile, assets: Assets) -> list[int]:
    """Fill the table by which the load finds each row's asset; unknown keys with a good row are registered."""
    if file.asset_key is not None:
        keys = [file.asset_key]
    else:
        found = client.query(f"{sql.asset_keys()} LIMIT {MAX_ASSETS + 1}").result_rows
        keys = [row[0] for row in found]
    if len(keys) > MAX_ASSETS:
        raise BadRequestError(f"The file names more than {MAX_ASSETS:,} assets.")
    known = dict(assets.ids_of(keys))
    _asset_table(client, sql.asset_table, known)
    if missing := len(keys) - len(known):
        # Found as soon as each unknown key has shown one good row: most files end this within a block.
        good = client.query(f"{sql.good_unknown_keys()} LIMIT {missing}", settings=_FEW_ROWS_SETTINGS).result_rows
        known |= assets.register([row[0] for row in good])
        _asset_table(client, sql.asset_table, known)
    return list(known.values())


def _asset_table(client: Client, name: str, ids: Mapping[str, int]) -> None:
    client.command(f"DROP TABLE IF EXISTS {name}")
    client.command(
        f"CREATE TABLE {name} (asset_key String, asset_id UInt64) "
        "ENGINE = Join(ANY, LEFT, asset_key) SETTINGS persistent = 0"
    )
    if ids:
        client.insert(name, list(ids.items()), column_names=["asset_key", "asset_id"])


def _receipt(
    client: Client, stream: Stream, file: DelimitedFile, *, tenant_id: int, batch_id: int, attempt: int
) -> tuple[LoadReceipt, list[NewestRow]]:
    lines, blank, refused = client.query(
        "SELECT sum(lines), sum(blank), sum(refused) FROM load_counts "
        "WHERE batch_id = {batch:UInt64} AND attempt = {attempt:UInt64}",
        parameters={"batch": batch_id, "attempt": attempt},
    ).result_rows[0]
    if lines != file.lines - file.header_line:
        raise UnbalancedLoadError(
            f"The engine read {lines:,} lines of {file.lines - file.header_line:,}; the load can be sent again."
        )
    rows_read = lines - blank
    spans = _spans(client, stream, tenant_id=tenant_id, batch_id=batch_id)
    standing, flags = _Standing(), Counter[str]()
    for piece in _pieces(spans, tenant_id=tenant_id, batch_id=batch_id):
        found = _standing(client, stream, piece)
        if found.unfit:
            _write_flags(client, stream, piece)
            found = _standing(client, stream, piece)
        if found.flagged:
            flags += _flags(client, stream, piece)
        standing += found
    receipt = LoadReceipt(
        batch_id=batch_id,
        rows_read=rows_read,
        stored=standing.stored,
        duplicate=rows_read - refused - standing.stored,
        refused=refused,
        flagged=standing.flagged,
        flags=dict(sorted(flags.items())),
        first_refusals=tuple(refusals(client, batch_id=batch_id, limit=FIRST_REFUSALS) if refused else ()),
    )
    if receipt.duplicate < 0:
        raise UnbalancedLoadError(f"The load's books do not balance: {receipt}.")
    return receipt, _newest(client, stream, spans, tenant_id=tenant_id, batch_id=batch_id)


class _Span(NamedTuple):
    """What came of one asset."""

    asset_id: int
    first: datetime
    last: datetime
    rows: int


def _spans(client: Client, stream: Stream, *, tenant_id: int, batch_id: int) -> list[_Span]:
    """In the order of the asset ids."""
    rows = client.query(
        f"SELECT asset_id, min(ts), max(ts), count() FROM {table_of(stream)} "
        f"WHERE tenant_id = {int(tenant_id)} AND batch_id = {int(batch_id)} GROUP BY asset_id ORDER BY asset_id"
    ).result_rows
    return [_Span(*row) for row in rows]


def _pieces(spans: Sequence[_Span], *, tenant_id: int, batch_id: int) -> Iterator[Batch]:
    """The batch in pieces of whole assets, each small enough to be sorted in a little memory."""
    rows_before = itertools.accumulate((span.rows for span in spans), initial=0)
    of_pieces = zip(spans, (before // _PIECE_ROWS for before in rows_before), strict=False)
    for _, piece in itertools.groupby(of_pieces, key=lambda pair: pair[1]):
        ids, firsts, lasts, _ = zip(*(span for span, _ in piece), strict=True)
        yield Batch(tenant_id, batch_id, ids, min(firsts), max(lasts))


def _newest(
    client: Client, stream: Stream, spans: Sequence[_Span], *, tenant_id: int, batch_id: int
) -> list[NewestRow]:
    """The newest row of each asset among those that came."""
    names = [channel.name for channel in stream.channels]
    newest = []
    for start in range(0, len(spans), _IDS_AT_ONCE):
        # As texts, which a long list is read from five times faster than from expressions.
        some = ((span.asset_id, span.last.astimezone(UTC)) for span in spans[start : start + _IDS_AT_ONCE])
        keys = ", ".join(f"({asset_id}, '{last:%Y-%m-%d %H:%M:%S.%f}')" for asset_id, last in some)
        rows = client.query(
            f"SELECT asset_id, ts, {', '.join(f'`{name}`' for name in names)} FROM {table_of(stream)} "
            f"WHERE tenant_id = {int(tenant_id)} AND batch_id = {int(batch_id)} AND (asset_id, ts) IN ({keys}) "
            "ORDER BY asset_id, version DESC LIMIT 1 BY asset_id"
        ).result_rows
        newest += [NewestRow(asset_id, at, dict(zip(names, values, strict=True))) for asset_id, at, *values in rows]
    return newest


@dataclass(frozen=True, slots=True)
class _Standing:
    """How many of a batch's rows readers see; flagged; and unfit for their predecessors, flagged for it or not."""

    stored: int = 0
    flagged: int = 0
    unfit: int = 0

    def __add__(self, other: _Standing) -> _Standing:
        return _Standing(self.stored + other.stored, self.flagged + other.flagged, self.unfit + other.unfit)


def _standing(client: Client, stream: Stream, batch: Batch) -> _Standing:
    """One question, since its merging and sorting is what costs."""
    return _Standing(
        *client.query(
            f"SELECT count(), countIf(notEmpty(flags)), countIf(unfit) {_compared(stream, batch)}"
        ).result_rows[0]
    )


def _flags(client: Client, stream: Stream, batch: Batch) -> Counter[str]:
    """How often each flag was given."""
    of_batch = f"FROM {table_of(stream)} FINAL WHERE {batch.range()} AND batch_id = {batch.batch_id}"
    rows = client.query(f"SELECT arrayJoin(flags) AS flag, count() {of_batch} GROUP BY flag").result_rows
    return Counter({str(flag): int(number) for flag, number in rows})


def flag_neighbours(client: Client, stream: Stream, batch: Batch) -> bool:
    """Flag the batch's rows that do not fit their predecessors. True if there were any."""
    if not stream.neighbour_checks or not _standing(client, stream, batch).unfit:
        return False
    _write_flags(client, stream, batch)
    return True


def _write_flags(client: Client, stream: Stream, batch: Batch) -> None:
    """Write the rows that do not fit once more, with their flags.

    Same key, same version: the row written last stands, so that this can be repeated.
    """
    columns = tuple(columns_of(stream))
    kept = ", ".join("arrayDistinct(arrayConcat(flags, found))" if name == "flags" else f"`{name}`" for name in columns)
    names = ", ".join(f"`{name}`" for name in columns)
    client.command(f"INSERT INTO {table_of(stream)} ({names}) SELECT {kept} {_compared(stream, batch)} AND unfit")


def _compared(stream: Stream, batch: Batch) -> str:
    """`FROM .. WHERE ..`: the batch's rows as readers see them.

    `unfit` are those that do not fit their predecessors, `found` are the flags for that.
    """
    table = f"{table_of(stream)} FINAL"
    if not stream.neighbour_checks:
        source = f"SELECT *, 0 AS unfit, [] AS found FROM {table} WHERE {batch.range()}"
    else:
        conditions = [f"ifNull({_condition(check)}, 0)" for check in stream.neighbour_checks]
        flags = ", ".join(
            f"if({condition}, {literal(check.flag)}, '')"
            for condition, check in zip(conditions, stream.neighbour_checks, strict=True)
        )
        lags = "".join(
            f"lagInFrame({channel}) OVER neighbours AS previous_{channel}, "
            for channel in sorted({check.channel for check in stream.neighbour_checks})
        )
        source = (
            f"SELECT *, {' OR '.join(conditions)} AS unfit, arrayFilter(flag -> flag != '', [{flags}]) AS found "
            f"FROM (SELECT *, {lags}lagInFrame(ts, 1, ts) OVER neighbours AS previous_ts "
            f"FROM {table} WHERE {batch.range(days_before=NEIGHBOUR_DAYS)} "
            "WINDOW neighbours AS (PARTITION BY asset_id ORDER BY ts))"
        )
    return f"FROM ({source}) WHERE batch_id = {batch.batch_id}"


def _condition(check: Falls | ChangesFast) -> str:
    step = f"{check.channel} - previous_{check.channel}"
    if isinstance(check, Falls):
        return f"{step} < -{check.by}"
    minutes = "greatest(dateDiff('microsecond', previous_ts, ts) / 60000000, 1)"
    return f"abs({step}) / {minutes} > {check.per_minute}"
