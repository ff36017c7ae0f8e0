"""A count is asked for once, and again as soon as it could have changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.stores import AssetBook, load_text
from wattkeeper.flow.readings.reading import Reading, Row
from wattkeeper.flow.store.counts import MOST, CountMemory
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
OF_ONE = Selection(tenant_id=1, asset_ids=[7])
OF_ALL = Selection(tenant_id=1)


class Table:
    """What is counted, and how often it was asked."""

    def __init__(self) -> None:
        self.rows = 5
        self.asked = 0

    def count(self, selection: Selection) -> int:
        self.asked += 1
        return self.rows


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.mark.parametrize("selection", [OF_ONE, OF_ALL])
def test_the_second_page_does_not_count_again(table: Table, selection: Selection) -> None:
    memory = CountMemory()
    assert [memory.count(selection, table.count) for _ in range(3)] == [5, 5, 5]
    assert table.asked == 1


@pytest.mark.parametrize("selection", [OF_ONE, OF_ALL])
def test_a_change_makes_it_count_again(table: Table, selection: Selection) -> None:
    memory = CountMemory()
    memory.count(selection, table.count)
    with memory.changing([7, 7]):
        table.rows = 6
    assert memory.count(selection, table.count) == 6


def test_a_change_that_fails_makes_it_count_again_too(table: Table) -> None:
    memory = CountMemory()
    memory.count(OF_ONE, table.count)
    with pytest.raises(OSError, match="full"), memory.changing([7]):
        table.rows = 6
        raise OSError("full")
    assert memory.count(OF_ONE, table.count) == 6


def test_a_change_to_one_asset_leaves_the_others_counts(table: Table) -> None:
    memory = CountMemory()
    memory.count(OF_ONE, table.count)
    with memory.changing([8]):
        pass
    memory.count(OF_ONE, table.count)
    assert table.asked == 1


def test_nothing_is_remembered_in_the_middle_of_a_change(table: Table) -> None:
    memory = CountMemory()
    with memory.changing([7]):
        for rows in (6, 7, 8):
            table.rows = rows
            assert memory.count(OF_ONE, table.count) == memory.count(OF_ALL, table.count) == rows


def test_a_count_that_a_change_overtook_is_not_remembered(table: Table) -> None:
    memory = CountMemory()

    def overtaken(selection: Selection) -> int:
        counted = table.count(selection)
        with memory.changing([7]):
            table.rows = 9
        return counted

    assert memory.count(OF_ONE, overtaken) == 5
    assert memory.count(OF_ONE, table.count) == 9


def test_only_so_many_are_remembered(table: Table) -> None:
    memory = CountMemory()
    for tenant_id in range(MOST + 1):
        memory.count(Selection(tenant_id=tenant_id), table.count)
    memory.count(Selection(tenant_id=MOST), table.count)
    assert table.asked == MOST + 1
    memory.count(Selection(tenant_id=0), table.count)
    assert table.asked == MOST + 2


@pytest.mark.parametrize("of_one", [True, False])
def test_the_store_counts_what_has_just_come_by_either_door(
    any_store: Store, tenant_id: int, tmp_path: Path, of_one: bool
) -> None:
    book = AssetBook()
    asset_id = book.register(["V1"])["V1"]
    selection = Selection(tenant_id=tenant_id, asset_ids=[asset_id] if of_one else None)
    load: Callable[[int], object] = lambda minute: load_text(  # noqa: E731
        any_store,
        TELEMETRY,
        f"vehicle_id,timestamp,speed,odometer,soc,elevation,shift_state\nV1,2024-05-01T13:{minute}:00,1,1,1,1,D".encode(),
        tmp_path,
        tenant_id=tenant_id,
        assets=book,
    )
    counts = [any_store.count(TELEMETRY, selection)]
    for number in range(2):
        row = Row("V1", START + timedelta(seconds=number), {"speed": 1.0, "odometer": 1.0})
        any_store.write(TELEMETRY, [Reading(tenant_id, asset_id, row)])
        counts.append(any_store.count(TELEMETRY, selection))
        load(10 + number)
        counts.append(any_store.count(TELEMETRY, selection))
    assert counts == [0, 1, 2, 3, 4]
