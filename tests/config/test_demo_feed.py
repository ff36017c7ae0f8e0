"""The demo's feed: what it sends at once, and what it does where the server cannot take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core.errors import BusyError
from wattkeeper.config.demo import feed
from wattkeeper.config.demo.feed import DemoFeed, Due
from wattkeeper.config.demo.fleets import FLEETS
from wattkeeper.config.demo.state import FleetState
from wattkeeper.flow.readings.reading import Reading

ORIGIN = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
SIZES = {"vehicles": 3, "packs": 20}


def seconds() -> Iterator[list[Due]]:
    return feed._by_second({name: FleetState(size, ORIGIN, ORIGIN) for name, size in SIZES.items()})


def due(count: int) -> list[Due]:
    """The first samples of the vehicles, which need nobody to register them."""
    rows = FLEETS["vehicles"].present(size=3, origin=ORIGIN, since=ORIGIN)
    return [Due(FLEETS["vehicles"], row) for row in islice(rows, count)]


Send = Callable[["Sequence[Due]", "Server"], bool]


class Server:
    """Takes readings, but for the first ones: of these it says what `fails` has in store, one after the other."""

    def __init__(self, *fails: Exception) -> None:
        self.taken: list[Reading] = []
        self._fails = list(fails)

    def submit(self, stream: object, readings: Sequence[Reading]) -> Future[None]:
        future: Future[None] = Future()
        if self._fails and isinstance(self._fails[0], BusyError):
            raise self._fails.pop(0)
        if self._fails:
            future.set_exception(self._fails.pop(0))
        else:
            self.taken += readings
            future.set_result(None)
        return future


@pytest.fixture
def sent(tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Send:
    monkeypatch.setattr(feed, "RETRY_SECONDS", 0)
    monkeypatch.setattr(feed, "close_old_connections", lambda: None)  # the test's own, which has its tenant in it

    def send(rows: Sequence[Due], server: Server) -> bool:
        monkeypatch.setattr(feed, "ingest_submit", server.submit)
        return DemoFeed(tmp_path)._send(rows, tenant.pk)

    return send


def test_what_is_due_in_a_second_goes_together_and_in_the_order_of_time() -> None:
    parts = list(islice(seconds(), 60))
    for rows in parts:
        assert len({one.row.at.replace(microsecond=0) for one in rows}) == 1
    times = [one.row.at for rows in parts for one in rows]
    assert times == sorted(times)
    assert times[-1] - times[0] < timedelta(minutes=2)
    assert {one.fleet.STREAM.name for rows in parts for one in rows} == {"vehicle.telemetry", "battery.status"}


def test_what_is_not_stored_is_sent_again_alone(sent: Send) -> None:
    server = Server(RuntimeError("the disk is full"))
    assert sent(due(5), server)
    assert [reading.row for reading in server.taken] == [one.row for one in [*due(5)[1:], due(1)[0]]]


def test_where_the_server_is_busy_all_is_sent_again(sent: Send) -> None:
    server = Server(BusyError("Too many wait."))
    assert sent(due(5), server)
    assert [reading.row for reading in server.taken] == [one.row for one in due(5)]


def test_what_was_never_registered_is_not_heard(sent: Send) -> None:
    packs = FLEETS["packs"].present(size=2, origin=ORIGIN, since=ORIGIN)
    server = Server()
    assert sent([Due(FLEETS["packs"], row) for row in islice(packs, 4)], server)
    assert server.taken == []
