"""Pages in order of time, which the store puts together without merging all that is meant, show what FINAL shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stores import AssetBook, load_text
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.parts import partitions_worth_merging, parts_merge
from wattkeeper.flow.store.queries import Ordering, Selection, StoredRow
from wattkeeper.flow.store.schema import table_of
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY

HEADER = b"vehicle_id,timestamp,speed,odometer,soc,elevation,shift_state\n"
ROWS = 60
COPIES = 5


@pytest.fixture
def unmerged(any_store: Store) -> Iterator[Store]:
    """A store that leaves every duplicate where it is."""
    with any_store.engine.client() as client:
        client.command(f"SYSTEM STOP MERGES {table_of(TELEMETRY)}")
    yield any_store
    with any_store.engine.client() as client:
        client.command(f"SYSTEM START MERGES {table_of(TELEMETRY)}")


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("of_one", [False, True])
def test_a_page_by_time_is_what_final_shows(
    unmerged: Store, tenant_id: int, tmp_path: Path, descending: bool, of_one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = AssetBook()
    for copy in range(COPIES):
        # Every copy has another speed, so that it shows which of them was taken; odometers fall, so that rows
        # are written once more with their flags.
        lines = (b"V%d,%d,%d,%d,50,3,D\n" % (n % 3, 1_714_564_800 + n // 3, copy, 100 - n) for n in range(ROWS))
        load_text(unmerged, TELEMETRY, HEADER + b"".join(lines), tmp_path, tenant_id=tenant_id, assets=book)
    selection = Selection(tenant_id=tenant_id, asset_ids=[book.ids["V1"]] if of_one else None)
    ordering = Ordering(column="timestamp", descending=descending)

    def page(offset: int, limit: int) -> list[StoredRow]:
        return queries.page(unmerged.engine, TELEMETRY, selection, ordering=ordering, offset=offset, limit=limit)

    pages = {(offset, limit): page(offset, limit) for offset in (0, 1, 7, 50, 70) for limit in (1, 2, 20, 100)}
    monkeypatch.setattr(queries, "MERGED_HERE", -1)
    everything = page(0, 1000)
    assert len(everything) == (ROWS // 3 if of_one else ROWS)
    assert {row.values["speed"] for row in everything} == {0.0}
    assert sum("odometer_falling" in row.flags for row in everything) >= len(everything) - 3
    for (offset, limit), found in pages.items():
        assert found == everything[offset : offset + limit]


def test_a_partition_in_several_heavy_parts_is_merged_into_one(
    embedded_store: Store, tenant_id: int, tmp_path: Path
) -> None:
    book = AssetBook()
    for vehicle in range(3):
        # The year 2001, which no other test writes.
        lines = (b"V%d,%d,1,1,1,1,D\n" % (vehicle, 990_000_000 + n) for n in range(50_000))
        load_text(embedded_store, TELEMETRY, HEADER + b"".join(lines), tmp_path, tenant_id=tenant_id, assets=book)
    parts_merge()
    assert "2001" not in partitions_worth_merging(embedded_store.engine, TELEMETRY)
    with embedded_store.engine.client() as client:
        parts = client.query(
            f"SELECT count() FROM system.parts WHERE active AND table = '{table_of(TELEMETRY)}' AND partition = '2001'"
        ).result_rows[0][0]
    assert parts == 1
    assert queries.count(embedded_store.engine, TELEMETRY, Selection(tenant_id=tenant_id)) == 150_000


def test_a_heavy_part_that_came_alone_is_merged_once(embedded_store: Store, tenant_id: int, tmp_path: Path) -> None:
    # The year 2002, which no other test writes.
    lines = (b"V1,%d,1,1,1,1,D\n" % (1_020_000_000 + n) for n in range(120_000))
    load_text(embedded_store, TELEMETRY, HEADER + b"".join(lines), tmp_path, tenant_id=tenant_id, assets=AssetBook())
    with embedded_store.engine.client() as client:
        levels = (
            f"SELECT level FROM system.parts WHERE active AND table = '{table_of(TELEMETRY)}' AND partition = '2002'"
        )
        assert set(client.query(levels).result_columns[0]) == {0}
        assert "2002" in partitions_worth_merging(embedded_store.engine, TELEMETRY)
        parts_merge()
        assert client.query(levels).result_columns == [[1]]
    assert "2002" not in partitions_worth_merging(embedded_store.engine, TELEMETRY)
