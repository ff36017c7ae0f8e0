from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis

from tests.support.live_people import Credentials, people_make
from tests.support.machine import REDIS
from tests.support.servers import Server, home_make, serving
from wattkeeper.views.live.redis_link import PREFIX

DATABASES = range(1, 14)  # of the Redis, for servers, whose prefix is the program's own
CLAIM, CLAIM_SECONDS = "wattkeeper-test:claim", 1_800


@pytest.fixture(scope="session")
def inhabited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Credentials]]:
    home = tmp_path_factory.mktemp("live") / "home"
    key = home_make(home)
    people = people_make(home)
    with serving(home, key=key) as server:
        yield server, people


@pytest.fixture(scope="session")
def running(inhabited: tuple[Server, Credentials]) -> Server:
    """One server for all tests that need no other; each uses batteries of its own."""
    return inhabited[0]


@pytest.fixture(scope="session")
def people(inhabited: tuple[Server, Credentials]) -> Credentials:
    return inhabited[1]


@pytest.fixture
def redis_database() -> Iterator[str]:
    """The address of a database in the Redis that nobody else uses meanwhile, with nothing of ours in it."""
    for number in DATABASES:
        address = urlsplit(REDIS)._replace(path=f"/{number}").geturl()
        with redis.Redis.from_url(address) as client:
            # Whoever is killed leaves its claim to its end.
            if not client.set(CLAIM, 1, nx=True, ex=CLAIM_SECONDS):
                continue
            _sweep(client)
            yield address
            _sweep(client)
            client.delete(CLAIM)
            return
    pytest.fail("Every database of the Redis is in use by another test.")


def _sweep(client: redis.Redis) -> None:
    for key in client.scan_iter(f"{PREFIX}:*"):
        client.delete(key)
