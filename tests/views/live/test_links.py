"""Hubs over their links: one contract for a process alone and for several with a Redis between them."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import redis

from tests.support.live_hubs import Cable, Listener, hub_on, things, until
from tests.support.machine import REDIS
from wattkeeper.views.live import redis_link as redis_link_module
from wattkeeper.views.live.frames import Frame, Topic
from wattkeeper.views.live.links import Link, LocalLink
from wattkeeper.views.live.redis_link import FORMAT, RedisLink, _packed

MakeLink = Callable[[], Link]


@pytest.fixture
def prefix() -> Iterator[str]:
    """Nobody else's place in the Redis, empty afterwards."""
    name = f"wattkeeper-test:{secrets.token_hex(8)}"
    yield name
    with redis.Redis.from_url(REDIS) as client:
        if found := list(client.scan_iter(f"{name}:*")):
            client.delete(*found)


@pytest.fixture(params=["local", pytest.param("redis", marks=pytest.mark.needs("redis"))])
def make_link(request: pytest.FixtureRequest) -> MakeLink:
    if request.param == "local":
        return LocalLink
    name = request.getfixturevalue("prefix")
    return lambda: RedisLink(REDIS, prefix=name)


@pytest.fixture
def cable() -> Iterator[Cable]:
    """To the Redis, to be cut."""
    there = urlsplit(REDIS)
    laid = Cable(there.hostname or "127.0.0.1", there.port or 6379)
    yield laid
    laid.close()


@pytest.fixture(
    params=[
        {"x": "y"},
        {"f": b"\xc1"},  # no MessagePack at all
        {"f": msgspec.msgpack.encode(["a topic of tomorrow", 1, "battery", "batteries", []])},
        {"f": msgspec.msgpack.encode(["assets", 1])},
        {"f": msgspec.msgpack.encode(["assets", 1, "battery", "batteries", {"1": "a"}])},
        {"f": b"\x95\xa6assets\x01\xa1\xff\xa0\x90"},  # a text that is no UTF-8
    ],
    ids=["no frame", "noise", "unknown topic", "too short", "another shape", "no text"],
)
def unreadable(request: pytest.FixtureRequest) -> dict[Any, Any]:
    """The fields of an entry of the stream that nobody can read."""
    found: dict[Any, Any] = request.param
    return found


def entry(frame: Frame) -> dict[Any, Any]:
    """The fields of an entry as another process would write them."""
    return {"o": b"another", "n": 1, "f": _packed(frame)}


def stream_add(prefix: str, *entries: dict[Any, Any]) -> None:
    """Add these to the stream at once, so that they come in one batch."""
    with redis.Redis.from_url(REDIS) as client, client.pipeline(transaction=True) as pipe:
        for fields in entries:
            pipe.xadd(f"{prefix}:v{FORMAT}:frames", fields)
        pipe.execute()


def redis_link(prefix: str, cable: Cable | None = None) -> RedisLink:
    url = REDIS if cable is None else urlsplit(REDIS)._replace(netloc=f"127.0.0.1:{cable.port}").geturl()
    return RedisLink(url, prefix=prefix)


class TestEveryLink:
    def test_what_is_published_is_heard_once_and_in_its_order(self, make_link: MakeLink) -> None:
        async def run() -> None:
            link = make_link()
            async with hub_on(link) as hub:
                listener = Listener(hub)
                for number in range(50):
                    link.publish([things({number: "x"}), things({number: number})])
                await until(lambda: listener.assets.get(49, {}).get("value") == 49, "the last one is heard")
                assert {pk: said["value"] for pk, said in listener.assets.items()} == {n: n for n in range(50)}

        asyncio.run(run())

    def test_who_was_away_hears_what_was_missed_and_no_more(self, make_link: MakeLink) -> None:
        async def run() -> None:
            link = make_link()
            async with hub_on(link) as hub:
                first = Listener(hub)
                await until(lambda: hub._ring.is_any_wanted(at=0) or hub._ring._wanted, "it is known who listens")
                link.publish([things({1: "seen"})])
                await until(lambda: first.heard, "the first is heard")
                first.close()
                link.publish([things({2: "missed"}), things({3: "another's"}, tenant_id=2)])
                link.publish([things({2: "missed twice"})])
                end = Listener(hub)
                link.publish([things({4: "end"})])
                await until(lambda: 4 in end.assets, "all is delivered")
                again = Listener(hub, after=first.id)
                assert again.resumed
                assert {pk: said["value"] for pk, said in again.assets.items()} == {2: "missed twice", 4: "end"}

        asyncio.run(run())

    @pytest.mark.parametrize("after", ["another-1", "nonsense", "-", "{epoch}-99999999999999999"])
    def test_who_comes_with_what_is_no_number_of_ours_fetches_anew(self, make_link: MakeLink, after: str) -> None:
        async def run() -> None:
            async with hub_on(make_link()) as hub:
                assert not Listener(hub, after=after.format(epoch=hub.epoch)).resumed

        asyncio.run(run())

    def test_a_tenant_hears_nothing_of_anothers(self, make_link: MakeLink) -> None:
        async def run() -> None:
            link = make_link()
            async with hub_on(link) as hub:
                mine, above = Listener(hub, tenant_id=1), Listener(hub, tenant_id=None)
                link.publish([things({1: "a"}, tenant_id=2), things({2: "b"})])
                await until(lambda: above.assets.keys() == {1, 2}, "both are told")
                assert mine.assets.keys() == {2}

        asyncio.run(run())

    def test_a_resync_reaches_everybody(self, make_link: MakeLink) -> None:
        async def run() -> None:
            link = make_link()
            async with hub_on(link) as hub:
                listeners = [Listener(hub, tenant_id=number, watched=[1]) for number in (1, 2)]
                link.publish([Frame(Topic.RESYNC)])
                await until(lambda: all(one.heard for one in listeners), "all are told")
                assert [one.heard[0]["type"] for one in listeners] == ["resync", "resync"]

        asyncio.run(run())


@pytest.mark.needs("redis")
class TestSeveralProcesses:
    def test_a_frame_of_one_hub_is_heard_at_the_other_under_the_same_number(self, prefix: str) -> None:
        async def run() -> None:
            async with AsyncExitStack() as stack:
                links = [redis_link(prefix) for _ in range(2)]
                hubs = [await stack.enter_async_context(hub_on(link)) for link in links]
                listeners = [Listener(hub) for hub in hubs]
                links[0].publish([things({1: "a"})])
                links[1].publish([things({2: "b"})])
                await until(lambda: all(one.assets.keys() == {1, 2} for one in listeners), "both have heard both")
                assert listeners[0].id == listeners[1].id

        asyncio.run(run())

    def test_a_client_goes_on_at_a_process_that_has_only_just_started(self, prefix: str) -> None:
        async def run() -> None:
            link = redis_link(prefix)
            async with hub_on(link) as first:
                listener = Listener(first)
                await until(lambda: first._ring._wanted, "it is known who listens")
                link.publish([things({1: "seen"})])
                await until(lambda: listener.heard, "it is heard")
                listener.close()
                link.publish([things({2: "missed"})])
            async with hub_on(redis_link(prefix)) as second:
                again = Listener(second, after=listener.id)
                assert again.resumed
                assert again.assets.keys() == {2}

        asyncio.run(run())

    def test_that_somebody_listens_is_known_at_the_other(self, prefix: str) -> None:
        async def run() -> None:
            async with hub_on(redis_link(prefix)) as here, hub_on(redis_link(prefix)) as there:
                assert not here._is_heard(5)
                Listener(there, tenant_id=5)
                await until(lambda: here._is_heard(5), "it is known here")

        asyncio.run(run())

    def test_what_both_have_shown_at_the_same_time_the_later_one_looks_at_again(self, prefix: str) -> None:
        async def run() -> None:
            links = [redis_link(prefix) for _ in range(2)]
            async with hub_on(links[0]) as first, hub_on(links[1]) as second:
                looked: dict[str, list[int]] = {"first": [], "second": []}
                first.notes.look = looked["first"].extend  # type: ignore[method-assign]
                second.notes.look = looked["second"].extend  # type: ignore[method-assign]
                links[0].publish([things({1: "new"})])
                links[1].publish([things({1: "old"})])
                await until(lambda: looked["second"], "it looks again")
                assert looked == {"first": [], "second": [1]}

        asyncio.run(run())


@pytest.mark.needs("redis")
class TestWhatCannotBeRead:
    def test_it_costs_nothing_else_and_all_fetch_anew(
        self, prefix: str, unreadable: dict[Any, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        async def run() -> None:
            async with hub_on(redis_link(prefix)) as hub:
                listener = Listener(hub)
                await until(lambda: hub._ring._wanted, "it is known who listens")
                stream_add(prefix, entry(things({1: "before"})), unreadable, unreadable, entry(things({2: "after"})))
                await until(lambda: 2 in listener.assets, "what came after it is heard")
                assert listener.assets.keys() == {1, 2}
                assert "resync" in {said["type"] for said in listener.heard}

        asyncio.run(run())
        assert caplog.text.count("cannot be read") == 1

    def test_a_process_that_starts_afterwards_joins_all_the_same(
        self, prefix: str, unreadable: dict[Any, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        async def run() -> None:
            link = redis_link(prefix)
            async with hub_on(link) as first:
                listener = Listener(first)
                await until(lambda: first._ring._wanted, "it is known who listens")
                link.publish([things({1: "seen"})])
                await until(lambda: listener.assets, "it is heard")
                before = listener.id
                stream_add(prefix, unreadable)
                await until(lambda: listener.id != before, "all are told to fetch anew")
                after = listener.id
                listener.close()
                link.publish([things({2: "missed"})])
            caplog.clear()
            async with hub_on(redis_link(prefix)) as second:
                assert second.epoch == first.epoch
                assert not Listener(second, after=before).resumed, "nobody knows what that said"
                again = Listener(second, after=after)
                assert again.resumed
                assert again.assets.keys() == {2}

        asyncio.run(run())
        assert caplog.text.count("cannot be read") == 1

    def test_a_release_that_writes_otherwise_keeps_apart(self, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        async def run() -> None:
            link = redis_link(prefix)
            monkeypatch.setattr(redis_link_module, "FORMAT", FORMAT + 1)
            newer = redis_link(prefix)
            async with hub_on(link) as hub, hub_on(newer) as of_tomorrow:
                here, there = Listener(hub), Listener(of_tomorrow)
                link.publish([things({1: "here"})])
                newer.publish([things({2: "there"})])
                await until(lambda: here.assets and there.assets, "each hears its own")
                assert (here.assets.keys(), there.assets.keys()) == ({1}, {2})
                assert hub.epoch != of_tomorrow.epoch

        asyncio.run(run())


@pytest.mark.needs("redis")
class TestRedisGoesAway:
    def test_frames_still_reach_the_own_sockets_and_later_all_fetch_anew(self, prefix: str, cable: Cable) -> None:
        async def run() -> None:
            link, other = redis_link(prefix, cable), redis_link(prefix)
            async with hub_on(link) as hub, hub_on(other) as elsewhere:
                here, there = Listener(hub), Listener(elsewhere)
                link.publish([things({1: "before"})])
                await until(lambda: here.assets and there.assets, "it works")
                cable.cut()
                await asyncio.to_thread(link.publish, [things({2: "alone"})])
                await until(lambda: 2 in here.assets, "the own sockets are told")
                assert 2 not in there.assets
                cable.mend()
                await until(lambda: {"resync"} <= {said["type"] for said in here.heard}, "here all is fetched anew")
                await until(lambda: {"resync"} <= {said["type"] for said in there.heard}, "and there")
                link.publish([things({3: "after"})])
                await until(lambda: 3 in here.assets and 3 in there.assets, "it works again")
                assert here.id == there.id

        asyncio.run(run())

    def test_a_number_from_while_it_was_away_is_none_afterwards(self, prefix: str, cable: Cable) -> None:
        async def run() -> None:
            link = redis_link(prefix, cable)
            async with hub_on(link) as hub:
                listener = Listener(hub)
                cable.cut()
                await asyncio.to_thread(link.publish, [things({1: "alone"})])
                await until(lambda: listener.assets, "it is told")
                alone = listener.id
                cable.mend()
                await until(lambda: {"resync"} <= {said["type"] for said in listener.heard}, "Redis is back")
                assert not Listener(hub, after=alone).resumed

        asyncio.run(run())

    def test_a_process_starts_without_it_and_finds_it_later(self, prefix: str, cable: Cable) -> None:
        async def run() -> None:
            cable.cut()
            link = redis_link(prefix, cable)
            async with hub_on(link) as hub, hub_on(redis_link(prefix)) as elsewhere:
                here, there = Listener(hub), Listener(elsewhere)
                link.publish([things({1: "alone"})])
                await until(lambda: here.assets, "it is told here")
                cable.mend()
                await until(lambda: {"resync"} <= {said["type"] for said in there.heard}, "they have met")
                link.publish([things({2: "together"})])
                await until(lambda: 2 in here.assets and 2 in there.assets, "it is told everywhere")

        asyncio.run(run())

    def test_a_redis_that_was_emptied_is_another(self, prefix: str) -> None:
        async def run() -> None:
            link = redis_link(prefix)
            async with hub_on(link) as hub:
                listener = Listener(hub)
                link.publish([things({1: "before"})])
                await until(lambda: listener.assets, "it works")
                epoch = hub.epoch
                with redis.Redis.from_url(REDIS) as client:
                    client.delete(*client.scan_iter(f"{prefix}:*"))
                await until(lambda: {"resync"} <= {said["type"] for said in listener.heard}, "it is noticed")
                assert hub.epoch != epoch

        asyncio.run(run())

    def test_no_log_says_the_password(self, prefix: str, cable: Cable, caplog: pytest.LogCaptureFixture) -> None:
        cable.cut()
        caplog.set_level(logging.DEBUG)
        link = RedisLink(f"redis://user:hunter-2@127.0.0.1:{cable.port}/0", prefix=prefix)
        link.start(lambda delivery: None)
        link.stop()
        assert "Redis does not answer" in caplog.text
        assert "hunter-2" not in caplog.text
