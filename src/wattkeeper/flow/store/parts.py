"""A table's parts, put together once that is worth it: a question to one part takes a third of the time.

The engine merges by itself, too, but stops where a bulk load has left a few large parts of equal size.
"""

from __future__ import annotations

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.jobs.registry import periodic
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.schema import table_of
from wattkeeper.flow.store.store import StoreClosedError, store

LEAST_ROWS = 100_000
# Of a partition's rows, outside its largest part. A row is thus written again only as its partition grows by
# a third, however many small parts a feed brings.
LEAST_SHARE = 0.25


@periodic(minutes=1)
def parts_merge() -> None:
    """Merge what is worth it. Only inside this process: a server's operators have their own say."""
    try:
        engine = store().engine
    except StoreClosedError:
        return
    if engine.embedded:
        for stream in registry.streams():
            for partition in partitions_worth_merging(engine, stream):
                with engine.client() as client:
                    client.command(f"OPTIMIZE TABLE {table_of(stream)} PARTITION ID '{partition}' FINAL")


def partitions_worth_merging(engine: Engine, stream: Stream) -> list[str]:
    """The ids of the partitions that are in several parts of weight, or in one that was never merged."""
    with engine.client() as client:
        rows = client.query(
            "SELECT partition_id FROM system.parts "
            "WHERE active AND database = currentDatabase() AND table = {table:String} GROUP BY partition_id "
            f"HAVING sum(rows) >= {LEAST_ROWS} AND sum(rows) - max(rows) >= {LEAST_SHARE} * sum(rows) "
            # FINAL looks for duplicates within a part for as long as it was never merged: half its time again.
            f"OR maxIf(rows, level = 0) >= {LEAST_ROWS}",
            parameters={"table": table_of(stream)},
        ).result_rows
    return [partition for (partition,) in rows]
