"""Two servers on one PostgreSQL, one ClickHouse and one Redis: whoever takes an update in, both show it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.batteries import API, BATTERY, client_of
from tests.support.live_client import DASHBOARD, Socket, api_key
from tests.support.servers import PATIENCE_SECONDS, Server, command, serving
from tests.support.stores import clickhouse

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.needs("redis")]


@pytest.fixture
def servers(tmp_path: Path, database_url: str, redis_database: str) -> Iterator[tuple[Server, Server]]:
    """Each with a home of its own, as on two machines."""
    homes = [tmp_path / name for name in ("first", "second")]
    command("migrate", "--verbosity", 0, home=homes[0], DATABASE_URL=database_url).check_returncode()
    added = command("key", "add", "tests", "--scope", "admin", home=homes[0], DATABASE_URL=database_url)
    homes[1].mkdir()
    with clickhouse(tmp_path / "readings") as readings_url:
        env = {
            "DATABASE_URL": database_url,
            "READINGS_URL": readings_url,
            "REDIS_URL": redis_database,
            "SECRET_KEY": secrets.token_hex(32),
        }
        key = added.stdout.strip()
        with serving(homes[0], key=key, **env) as first, serving(homes[1], key=key, **env) as second:
            yield first, second


def battery_at(server: Server, serial: str) -> int:
    with client_of(server) as client:
        answer = client.post(API, json={"serial_number": serial, **BATTERY})
        return int(answer.raise_for_status().json()["id"])


def update(server: Server, pk: int, **values: Any) -> None:
    with client_of(server) as client:
        client.post(f"{API}{pk}/update_status/", json=values).raise_for_status()


def heard(live: Socket, pk: int, charge: float) -> str:
    """The id of the frame that says so. A socket that hears nothing hears that it is alive, again and again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        frame = live.frame()
        if any(one["id"] == pk and one["current_charge"] == charge for one in frame.get("batteries", [])):
            return str(frame["id"])
    raise AssertionError(f"Waited in vain for a charge of {charge}")


def test_an_update_at_one_arrives_in_the_sockets_of_both(servers: tuple[Server, Server]) -> None:
    first, second = servers
    pk, headers = battery_at(first, "BOTH-1"), api_key(first.key)
    with Socket(first, headers, path=DASHBOARD) as here, Socket(second, headers, path=DASHBOARD) as there:
        for charge, server in ((41, first), (42, second), (43, first)):
            update(server, pk, current_charge=charge)
            for live in (here, there):
                heard(live, pk, charge)
        # Whoever was at the one goes on at the other.
        with Socket(first, headers, path=DASHBOARD) as left:
            update(first, pk, current_charge=44)
            newest = heard(left, pk, 44)
        update(first, pk, current_charge=45)
        with Socket(second, headers, path=DASHBOARD, after=newest) as again:
            assert again.hello["resumed"]
            heard(again, pk, 45)
    assert not any("live-redis" in server.output or "WARNING" in server.output for server in servers)
