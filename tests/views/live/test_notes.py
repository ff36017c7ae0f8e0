"""What is noted is made once, the oldest first; of whom nobody listens to it is kept for a moment only."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support.servers import PATIENCE_SECONDS
from wattkeeper.views.live import notes as noting
from wattkeeper.views.live.notes import Notes, Taken


def taken(notes: Notes, *, heard: tuple[int, ...] = (1,), most: int = 100, with_assets: bool = True) -> Taken:
    return notes.take(
        with_assets=with_assets, is_heard=lambda tenant: tenant in heard, assets_most=most, alerts_most=most
    )


def test_what_is_noted_again_and_again_is_taken_once() -> None:
    notes = Notes()
    for _ in range(3):
        notes.assets(1, "pump", [7, 8])
        notes.alerts([5])
    first, second = taken(notes), taken(notes)
    assert (first.assets, first.alerts) == ({(1, "pump"): [7, 8]}, [5])
    assert (second.assets, second.alerts) == ({}, [])


def test_more_than_may_be_taken_at_once_is_next() -> None:
    notes = Notes()
    notes.assets(1, "pump", range(10))
    notes.alerts(range(10))
    first, second = taken(notes, most=6), taken(notes, most=6)
    assert (first.assets[1, "pump"], second.assets[1, "pump"]) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])
    assert (first.alerts, second.alerts) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])


def test_alerts_do_not_wait_for_the_time_of_assets() -> None:
    notes = Notes()
    notes.assets(1, "pump", [7])
    notes.alerts([5])
    first = taken(notes, with_assets=False)
    assert (first.assets, first.alerts) == ({}, [5])
    assert taken(notes).assets == {(1, "pump"): [7]}


def test_which_things_have_changed_is_said_once() -> None:
    notes = Notes()
    notes.assets(1, "pump", [7, 8])
    notes.assets(1, "pump", [8], changed=True)
    assert taken(notes).changed == {8}
    notes.assets(1, "pump", [8])
    assert taken(notes).changed == set()


def test_who_comes_a_moment_later_is_told_of_what_was_noted_before(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Notes()
    notes.assets(2, "pump", [7])
    assert taken(notes).assets == {}
    assert taken(notes, heard=(2,)).assets == {(2, "pump"): [7]}
    notes.assets(2, "pump", [7])
    monkeypatch.setattr(noting, "RECENT_SECONDS", -1.0)
    assert taken(notes).assets == {}
    assert taken(notes, heard=(2,)).assets == {}


def test_a_change_wakes_who_makes_frames() -> None:
    notes, woken = Notes(), threading.Event()

    def wait() -> None:
        notes.wait(alerts_from=0.0, assets_from=time.monotonic() + PATIENCE_SECONDS, is_heard=lambda: True)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    notes.alerts([5])
    thread.join(PATIENCE_SECONDS)
    assert woken.is_set()
