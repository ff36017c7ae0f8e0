"""A window's readings, put together to the few moments at which something that watches them can change its mind.

What watches readings tells breaches from clears, and waits: it opens when a breach has lasted for so long, and closes
when a clear has. Between two changes of the verdict only three things matter: when the run of equal verdicts began,
which of its readings was the first to lie so long after that, and which was the last. The engine finds those; whoever
asked goes through them instead of through all readings, and comes to the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.episodes_sql import Asked, Question, rhythms_sql, runs_sql
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.schema import table_of

# What is answered at once lies in memory: at worst each reading is a run of its own. And an asset has up to 250
# characters in a question's text, of which the engine takes 256 kB.
ROWS_A_QUESTION, ASSETS_A_QUESTION = 1_000_000, 500
_IDS_A_QUESTION = 5_000

# An answer that takes minutes is none.
ROWS_MOST, RUNS_MOST = 200_000_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """Readings of one asset with the same verdict, one after the other; times in microseconds since 1970.

    `reached` has for each delay of that verdict the first reading that lies at least so long after `first`; None
    where the run ends before. `least` and `greatest` are of the values judged; 0 of texts.
    """

    asset_id: int
    is_breach: bool
    first: int
    last: int
    reached: tuple[int | None, ...]
    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often an asset has spoken in a window: `usual_seconds` is the 95th percentile of its pauses."""

    readings: int
    usual_seconds: float | None  # None for fewer than two readings


def rhythms(
    engine: Engine, stream: Stream, *, tenant_id: int, asset_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, Rhythm]:
    """How often those assets have spoken in `[since, until)`; who has not at all is left out."""
    found: dict[int, Rhythm] = {}
    counts = readings_counted(engine, stream, tenant_id=tenant_id, asset_ids=asset_ids, since=since, until=until)
    for ids in _portions(counts):
        selection = Selection(tenant_id=tenant_id, asset_ids=ids, since=since, until=until)
        with engine.client() as client:
            rows = client.query(rhythms_sql(stream, selection)).result_rows
        for asset_id, pause in rows:
            found[asset_id] = Rhythm(counts[asset_id], None if math.isnan(pause) else pause)
    return found


def readings_counted(
    engine: Engine, stream: Stream, *, tenant_id: int, asset_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, int]:
    """How many readings those assets have in `[since, until)`; who has none is left out.

    BadRequestError where there are more than ROWS_MOST.
    """
    counts: dict[int, int] = {}
    for start in range(0, len(asset_ids), _IDS_A_QUESTION):
        ids = asset_ids[start : start + _IDS_A_QUESTION]
        selection = Selection(tenant_id=tenant_id, asset_ids=ids, since=since, until=until)
        counted = f"SELECT asset_id, count() FROM {table_of(stream)} FINAL WHERE {selection.sql()} GROUP BY asset_id"
        with engine.client() as client:
            counts.update((asset_id, count) for asset_id, count in client.query(counted).result_rows)
        if sum(counts.values()) > ROWS_MOST:
            raise BadRequestError(f"There are more than {ROWS_MOST:,} readings in that time: ask for less of it.")
    return counts


def runs(
    engine: Engine, stream: Stream, question: Question, asked: Sequence[Asked], *, counts: Mapping[int, int]
) -> Iterator[Run]:
    """The runs of equal verdicts, by asset and time. Readings without a verdict are passed over.

    `counts` says how many readings an asset has; who has none is not asked about. BadRequestError where the verdicts
    change more than RUNS_MOST times. KeyError for a channel that the stream has not.
    """
    by_id = {one.asset_id: one for one in asked}
    seen = 0
    for ids in _portions({asset_id: counts[asset_id] for asset_id in by_id if counts.get(asset_id)}):
        with engine.client() as client:
            rows = client.query(runs_sql(stream, question, [by_id[asset_id] for asset_id in ids])).result_rows
        seen += len(rows)
        if seen > RUNS_MOST:
            raise BadRequestError(
                f"The readings go to and fro over the limit more than {RUNS_MOST:,} times in that time: give the rule "
                "a deadband, or ask for less time."
            )
        for asset_id, is_breach, first, last, least, greatest, *reached in rows:
            delays = question.breach_delays if is_breach else question.clear_delays
            at = tuple(reached_at or None for reached_at in reached[: len(delays)])
            yield Run(asset_id, bool(is_breach), first, last, at, least, greatest)


def _portions(counts: Mapping[int, int]) -> Iterator[list[int]]:
    """The assets, in portions small enough for one question."""
    portion: list[int] = []
    rows = 0
    for asset_id, count in counts.items():
        if portion and (rows + count > ROWS_A_QUESTION or len(portion) == ASSETS_A_QUESTION):
            yield portion
            portion, rows = [], 0
        portion.append(asset_id)
        rows += count
    if portion:
        yield portion
