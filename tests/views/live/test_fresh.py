"""What a page has fetched, and the frames that came since, are what a fresh fetch says."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.support.batteries import API, BATTERY, client_of
from tests.support.live_client import Page, Socket, api_key
from tests.support.servers import Server, serving

ALERTS = "/api/alerts/"
STEPS = 60
_serials = itertools.count(1)


def register(client: httpx.Client) -> int:
    serial = f"FRESH-{next(_serials)}"
    return int(client.post(API, json={"serial_number": serial, **BATTERY}).raise_for_status().json()["id"])


class Course:
    """Somebody who does one thing after the other, by chance."""

    def __init__(self, client: httpx.Client, chance: Random) -> None:
        self._client, self._chance = client, chance
        self._batteries = [register(client) for _ in range(5)]

    def step(self) -> None:
        doings: dict[Callable[[], None], int] = {
            self._update: 12,
            self._write: 3,
            self._take_care: 6,
            self._hide: 1,
            self._rename: 1,
            self._register: 1,
            self._archive: 1,
        }
        self._chance.choices(list(doings), list(doings.values()))[0]()

    def _update(self) -> None:
        said = {
            "current_charge": self._chance.choice([3, 5, 50, 80]),
            "current_temperature": self._chance.choice([20, 30, 60, 70]),
            "current_status": self._chance.choice(["IDLE", "CHARGING", "FAULT"]),
        }
        self._client.post(f"{API}{self._one()}/update_status/", json=said).raise_for_status()

    def _write(self) -> None:
        self._client.patch(
            f"{API}{self._one()}/", json={"health_percentage": self._chance.choice([15, 70, 90])}
        ).raise_for_status()

    def _rename(self) -> None:
        pk = self._one()
        self._client.patch(f"{API}{pk}/", json={"serial_number": f"FRESH-{next(_serials)}-é☃"}).raise_for_status()

    def _register(self) -> None:
        self._batteries.append(register(self._client))

    def _archive(self) -> None:
        if len(self._batteries) > 2:
            pk = self._one()
            self._batteries.remove(pk)
            self._client.delete(f"{API}{pk}/").raise_for_status()

    def _take_care(self) -> None:
        doing, body = self._chance.choice(
            [
                ("acknowledge", {}),
                ("resolve", {"why": "seen to"}),
                ("shelve", {"minutes": 30, "reason": "later"}),
                ("comment", {"text": "well"}),
            ]
        )
        if (pk := self._alert()) is not None:
            answer = self._client.post(f"{ALERTS}{pk}/{doing}/", json=body)
            assert answer.status_code in {200, 201, 409}, answer.text  # it may be over already

    def _hide(self) -> None:
        if (pk := self._alert()) is not None:
            self._client.delete(f"{ALERTS}{pk}/").raise_for_status()

    def _one(self) -> int:
        return self._chance.choice(self._batteries)

    def _alert(self) -> int | None:
        found = self._client.get(ALERTS, params={"page_size": 50}).raise_for_status().json()["results"]
        own = [one["id"] for one in found if one["battery"] in self._batteries]
        return self._chance.choice(own) if own else None


def follow_a_course(server: Server, seed: int) -> Page:
    chance = Random(seed)
    with client_of(server) as client:
        course = Course(client, chance)
        page = Page(server, server.key)
        try:
            for _ in range(STEPS):
                course.step()
                if chance.random() < 0.2:
                    page.follow()
                if chance.random() < 0.15:
                    page.go()
                    for _ in range(chance.randrange(4)):
                        course.step()
                    page.come()
            page.follow_until_fresh()
        finally:
            page.end()
    return page


@pytest.mark.parametrize("seed", range(4))
def test_state_and_frames_are_what_a_fresh_fetch_says(running: Server, seed: int) -> None:
    assert follow_a_course(running, seed).resumed > 0, "the course never came back"


@pytest.mark.needs("redis")
def test_they_are_with_a_redis_between_too(tmp_path: Path, redis_database: str) -> None:
    with serving(tmp_path / "home", REDIS_URL=redis_database) as server:
        follow_a_course(server, 99)
        assert "live-redis" not in server.output


def test_a_battery_that_is_only_now_watched_is_shown_as_it_is(running: Server) -> None:
    with client_of(running) as client:
        first, second = register(client), register(client)
        page = Page(running, running.key, assets=str(first))
        try:
            client.post(f"{API}{second}/update_status/", json={"current_charge": 41}).raise_for_status()
            page.follow(0.3)
            assert page.batteries[second]["current_charge"] is None or page.batteries[second]["current_charge"] == 41
            assert page._socket is not None
            page._socket.watch([second])
            frames = page._socket.frames_until(lambda frame: frame["type"] == "battery_update")
            assert [one["id"] for one in frames[-1]["batteries"]] == [second]
            assert frames[-1]["batteries"][0] == client.get(f"{API}{second}/").json()
        finally:
            page.end()


def test_who_watches_some_and_then_all_is_told_to_fetch_anew(running: Server) -> None:
    with client_of(running) as client, Socket(running, api_key(running.key), assets="") as one:
        pk = register(client)
        one.watch(None)
        assert one.frame()["type"] == "resync"
        client.post(f"{API}{pk}/update_status/", json={"current_charge": 41}).raise_for_status()
        told = one.frames_until(lambda frame: frame["type"] == "battery_update")[-1]
        assert [battery["id"] for battery in told["batteries"]] == [pk]
