"""What waits for a socket: the newest of each thing, of its own tenant, kind and choice, and never too much."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.live_hubs import things
from wattkeeper.views.live import mailbox as mailboxes
from wattkeeper.views.live.frames import Frame, Numbered, Topic
from wattkeeper.views.live.mailbox import FullError, Mailbox


def box(**options: Any) -> Mailbox:
    return Mailbox(**{"tenant_id": 1, **options})


def numbered(number: int, frame: Frame) -> Numbered:
    return Numbered("e", number, frame)


def alerts(said: dict[int, str], *, kind: str = "thing") -> Frame:
    return Frame(Topic.ALERTS, 1, kind, "alerts", {pk: json.dumps({"id": pk, "is": text}) for pk, text in said.items()})


def taken(mailbox: Mailbox) -> list[dict[str, Any]]:
    said = []
    while len(mailbox):
        said.append(json.loads(mailbox.take("e")))
    return said


def test_who_keeps_up_gets_each_frame_as_it_is_and_its_text_is_shared() -> None:
    one, other, frame = box(), box(), numbered(1, things({1: "a"}))
    assert one.put(frame)
    assert other.put(frame)
    assert one.take("e") is other.take("e")


def test_who_is_slow_gets_the_newest_of_each_thing_once() -> None:
    mailbox = box()
    for number in range(1, 200):
        mailbox.put(numbered(number, things({number % 3: number})))
    (said,) = taken(mailbox)
    assert said["id"] == "e-199"
    assert {one["id"]: one["value"] for one in said["things"]} == {0: 198, 1: 199, 2: 197}


def test_another_tenants_frames_are_not_for_it() -> None:
    mailbox = box()
    assert not mailbox.put(numbered(1, things({1: "a"}, tenant_id=2)))
    assert len(mailbox) == 0


def test_who_stands_above_tenants_gets_everybodys() -> None:
    mailbox = box(tenant_id=None)
    mailbox.put(numbered(1, things({1: "a"}, tenant_id=2)))
    mailbox.put(numbered(2, things({2: "b"}, tenant_id=3)))
    assert {one["id"] for said in taken(mailbox) for one in said["things"]} == {1, 2}


def test_of_one_kind_it_gets_things_and_alerts_of_that_kind() -> None:
    mailbox = box(kind="pump")
    assert mailbox.put(numbered(1, things({1: "a"}, kind="pump")))
    assert mailbox.put(numbered(2, alerts({1: "new"}, kind="pump")))
    assert not mailbox.put(numbered(3, things({1: "a"}, kind="fan")))
    assert not mailbox.put(numbered(4, alerts({1: "new"}, kind="fan")))


def test_who_watches_some_things_is_told_of_these_and_of_all_alerts() -> None:
    mailbox = box(watched={2})
    assert not mailbox.put(numbered(1, things({1: "a"})))
    assert mailbox.put(numbered(2, things({1: "b", 2: "b"})))
    assert mailbox.put(numbered(3, alerts({7: "new"})))
    first, second = taken(mailbox)
    assert [one["id"] for one in first["things"]] == [2]
    assert [one["id"] for one in second["alerts"]] == [7]


def test_who_watches_nothing_is_told_of_alerts_alone() -> None:
    mailbox = box(watched=set())
    assert not mailbox.put(numbered(1, things({1: "a"})))
    assert mailbox.put(numbered(2, alerts({7: "new"})))


def test_no_id_is_beyond_what_still_waits() -> None:
    """Whoever breaks off after a frame and comes back with its id gets all that was left in the mailbox."""
    mailbox = box()
    for number, frame in enumerate([things({1: "a"}), alerts({7: "x"}), things({2: "b"}), alerts({8: "y"})], start=1):
        mailbox.put(numbered(number, frame))
    first, second = taken(mailbox)
    assert (first["type"], first["id"]) == ("thing_update", "e-1")  # an alert of number 2 still waits
    assert (second["type"], second["id"]) == ("alert_update", "e-4")


def test_after_a_resync_nothing_from_before_it_is_sent() -> None:
    mailbox = box()
    mailbox.put(numbered(1, things({1: "a"})))
    mailbox.put(numbered(2, Frame(Topic.RESYNC)))
    mailbox.put(numbered(3, things({2: "b"})))
    assert [said["type"] for said in taken(mailbox)] == ["resync", "thing_update"]


def test_more_than_may_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "BYTES_MOST", 5_000)
    mailbox = box()
    with pytest.raises(FullError):
        for number in range(1, 100):
            mailbox.put(numbered(number, things({number: "x" * 100})))


def test_the_same_thing_again_and_again_never_fills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "BYTES_MOST", 5_000)
    mailbox = box()
    for number in range(1, 1_000):
        mailbox.put(numbered(number, things({1: "x" * 100})))
    assert len(taken(mailbox)) == 1


def test_what_was_taken_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "BYTES_MOST", 5_000)
    mailbox = box()
    for number in range(1, 1_000):
        mailbox.put(numbered(number, things({number: "x" * 1_000})))
        mailbox.take("e")
