"""The ring: what a client has missed while it was away, or that this cannot be said."""

from __future__ import annotations

from tests.support.live_hubs import things
from wattkeeper.views.live.frames import Frame, Numbered, Topic
from wattkeeper.views.live.ring import LINGER_SECONDS, Ring

NOW = 1_000_000.0


def ring_of(*frames: Frame, **options: int) -> Ring:
    """With those frames, numbered from 1."""
    ring = Ring(**options)
    ring.restart("e", 0)
    for number, frame in enumerate(frames, start=1):
        ring.add(Numbered("e", number, frame), at=NOW)
    return ring


def wanted(tenant_id: int | None = 1) -> Frame:
    return Frame(Topic.WANTED, tenant_id)


def numbers(found: list[Numbered] | None) -> list[int] | None:
    return None if found is None else [one.number for one in found]


def test_what_came_since_is_there_in_its_order() -> None:
    ring = ring_of(wanted(), things({1: "a"}), things({2: "b"}), things({3: "c"}))
    assert numbers(ring.since(2, 1, at=NOW)) == [3, 4]
    assert numbers(ring.since(4, 1, at=NOW)) == []


def test_of_a_tenant_that_nobody_listened_to_frames_may_be_missing() -> None:
    ring = ring_of(wanted(2), things({1: "a"}))
    assert ring.since(1, 1, at=NOW) is None
    assert ring.since(1, 2, at=NOW) is not None


def test_before_somebody_listened_frames_may_be_missing() -> None:
    ring = ring_of(things({1: "a"}), things({2: "b"}), wanted(), things({3: "c"}))
    assert ring.since(2, 1, at=NOW) is None
    assert numbers(ring.since(3, 1, at=NOW)) == [4]


def test_who_listens_to_all_tenants_listens_to_each() -> None:
    ring = ring_of(wanted(None), things({1: "a"}))
    assert numbers(ring.since(1, 1, at=NOW)) == [2]
    assert ring.is_wanted(7, at=NOW)


def test_who_listens_to_one_does_not_listen_to_all() -> None:
    ring = ring_of(wanted(1), things({1: "a"}))
    assert ring.since(1, None, at=NOW) is None


def test_a_tenant_lingers_after_its_last_listener_and_then_begins_anew() -> None:
    ring = ring_of(wanted(), things({1: "a"}))
    assert ring.since(1, 1, at=NOW + LINGER_SECONDS) is not None
    assert ring.since(1, 1, at=NOW + LINGER_SECONDS + 1) is None
    ring.add(Numbered("e", 3, wanted()), at=NOW + LINGER_SECONDS + 1)
    assert ring.since(2, 1, at=NOW + LINGER_SECONDS + 1) is None  # what came in between was not made


def test_who_goes_on_listening_is_whole() -> None:
    ring = ring_of(wanted(), things({1: "a"}))
    for step in range(1, 10):
        ring.add(Numbered("e", 2 + step, wanted()), at=NOW + step * LINGER_SECONDS)
    assert numbers(ring.since(1, 1, at=NOW + 9 * LINGER_SECONDS)) == [2]


def test_it_holds_no_more_frames_than_it_may() -> None:
    ring = ring_of(wanted(), *(things({pk: "a"}) for pk in range(10)), frames_most=3)
    assert numbers(ring.since(8, 1, at=NOW)) == [9, 10, 11]
    assert ring.since(7, 1, at=NOW) is None


def test_it_holds_no_more_bytes_than_it_may() -> None:
    ring = ring_of(wanted(), *(things({pk: "x" * 1_000}) for pk in range(10)), bytes_most=3_500)
    assert numbers(ring.since(8, 1, at=NOW)) == [9, 10, 11]
    assert ring.since(7, 1, at=NOW) is None


def test_nobody_goes_on_over_a_resync() -> None:
    ring = ring_of(wanted(), things({1: "a"}), Frame(Topic.RESYNC), things({2: "b"}))
    assert ring.since(2, 1, at=NOW) is None
    assert numbers(ring.since(3, 1, at=NOW)) == [4]


def test_what_is_yet_to_come_was_not_seen_by_anybody() -> None:
    assert ring_of(wanted(), things({1: "a"})).since(3, 1, at=NOW) is None


def test_a_new_epoch_knows_nothing_of_the_old_one() -> None:
    ring = ring_of(wanted(), things({1: "a"}))
    ring.restart("f", 0)
    assert ring.since(1, 1, at=NOW) is None
    assert not ring.is_any_wanted(at=NOW)
