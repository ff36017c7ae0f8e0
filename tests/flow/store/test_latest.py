"""The latest reading of each asset in a window, asked of both forms of the engine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from tests.support.meters import message, reading_of
from wattkeeper.flow.store import latest
from wattkeeper.flow.store.latest import LatestRow, MonthCount, latest_rows, months_spoken, spoken
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.meter.streams import MESSAGE

AT = datetime(2021, 9, 7, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["embedded_store", "server_store"])
def any_store(request: pytest.FixtureRequest) -> Store:
    store: Store = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def tenant_id() -> int:
    """A tenant that no test had before; nobody asks the database for it."""
    return next(_tenant_ids)


_tenant_ids = count(880_000)


def write(store: Store, tenant: int, *said: tuple[int, datetime, datetime, object]) -> None:
    """Asset, its own time, reception, value."""
    readings = [
        reading_of(message(at=at, value=value), tenant_id=tenant, asset_id=tenant * 100 + asset, received_at=received)
        for asset, at, received, value in said
    ]
    store.write(MESSAGE, readings)


def found(store: Store, selection: Selection) -> list[tuple[int, str]]:
    rows = list(latest_rows(store.engine, MESSAGE, selection, ["main_value"]))
    return [(row.asset_id % 100, row.values[0]) for row in rows]


def test_it_is_by_time_and_then_by_reception(any_store: Store, tenant_id: int) -> None:
    write(
        any_store,
        tenant_id,
        (1, AT, AT, 1),
        (1, AT + HOUR, AT + HOUR, 2),
        (1, AT, AT + 2 * HOUR, 3),
        (2, AT, AT + 2 * HOUR, 4),
        (2, AT, AT + HOUR, 5),
    )
    assert found(any_store, Selection(tenant_id=tenant_id)) == [(1, "2"), (2, "4")]


def test_it_is_of_the_window_the_tenant_and_the_assets(any_store: Store, tenant_id: int) -> None:
    write(any_store, tenant_id, (1, AT, AT, 1), (1, AT + HOUR, AT + HOUR, 2), (2, AT + HOUR, AT + HOUR, 3))
    assert found(any_store, Selection(tenant_id=tenant_id, since=AT, until=AT + HOUR)) == [(1, "1")]
    assert found(any_store, Selection(tenant_id=tenant_id, asset_ids=[tenant_id * 100 + 2])) == [(2, "3")]
    assert found(any_store, Selection(tenant_id=tenant_id, asset_ids=[])) == []
    assert found(any_store, Selection(tenant_id=tenant_id + 1)) == []


def test_many_assets_are_asked_for_in_portions(
    any_store: Store, tenant_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(any_store, tenant_id, *((asset, AT, AT, asset) for asset in range(5)))
    monkeypatch.setattr(latest, "ASSETS_A_QUESTION", 2)
    meant = Selection(tenant_id=tenant_id, asset_ids=[tenant_id * 100 + asset for asset in (4, 0, 2, 3, 1)])
    assert found(any_store, meant) == [(asset, str(asset)) for asset in range(5)]
    assert spoken(any_store.engine, MESSAGE, meant) == set(meant.asset_ids or ())
    assert months_spoken(any_store.engine, MESSAGE, meant, zone="UTC", closed={}) == {
        date(2021, 9, 1): MonthCount(5, 0)
    }


def test_what_was_written_once_more_is_there_once(any_store: Store, tenant_id: int) -> None:
    for _ in range(2):
        with any_store.engine.client() as client:
            client.command(
                f"INSERT INTO meter_message (tenant_id, asset_id, ts, digest, version, received_at, main_value) "
                f"VALUES ({tenant_id}, {tenant_id * 100}, '2021-09-07 08:00:00', 7, 9, '2021-09-07 08:00:00', '1')"
            )
    rows = list(latest_rows(any_store.engine, MESSAGE, Selection(tenant_id=tenant_id), ["main_value", "message"]))
    assert rows == [LatestRow(tenant_id * 100, AT, [], ["1", None])]


def test_no_column_of_somebody_elses_is_asked_for(any_store: Store) -> None:
    with pytest.raises(ValueError, match="no_such"):
        next(latest_rows(any_store.engine, MESSAGE, Selection(), ["no_such"]))


def test_months_are_a_zones_own_and_late_is_what_came_afterwards(any_store: Store, tenant_id: int) -> None:
    first = datetime(2021, 9, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    late = first + 30 * HOUR
    write(
        any_store,
        tenant_id,
        (1, first - HOUR, first, 1),
        (1, first, first + HOUR, 2),
        (2, first + HOUR, late, 3),
    )
    counts = months_spoken(
        any_store.engine,
        MESSAGE,
        Selection(tenant_id=tenant_id),
        zone="Europe/Berlin",
        closed={date(2021, 9, 1): late - HOUR, date(2021, 8, 1): first},
    )
    assert counts == {date(2021, 8, 1): MonthCount(1, 0), date(2021, 9, 1): MonthCount(2, 1)}
