"""Frames: what they say, narrowed and put together, without reading JSON again."""

from __future__ import annotations

import json

import pytest

from tests.support.live_hubs import things
from wattkeeper.views.live.frames import Frame, Numbered, Topic, id_of, merged, number_in


def test_a_frame_says_what_is_there_and_what_is_gone() -> None:
    said = json.loads(things({1: "a", 2: None}, kind="pump").text("e-7"))
    assert said == {"type": "pump_update", "id": "e-7", "things": [{"id": 1, "value": "a"}], "removed": [2]}


def test_alerts_have_one_type_whatever_they_are_about() -> None:
    frame = Frame(Topic.ALERTS, 1, "pump", "alerts", {5: '{"id":5}'})
    assert json.loads(frame.text("e-1"))["type"] == "alert_update"


def test_a_resync_says_no_more_than_that() -> None:
    assert json.loads(Frame(Topic.RESYNC).text("e-1")) == {"type": "resync", "id": "e-1"}


@pytest.mark.parametrize("wanted", [{2}, {2, 9}, set(range(2, 90))])
def test_a_narrowed_frame_has_the_wanted_things_alone(wanted: set[int]) -> None:
    narrowed = things({1: "a", 2: "b"}).narrowed(wanted)
    assert narrowed is not None
    assert narrowed.items.keys() == {2}


def test_a_frame_without_any_of_the_wanted_things_is_none() -> None:
    assert things({1: "a"}).narrowed({2, 3}) is None


def test_of_frames_put_together_the_later_says_how_a_thing_is() -> None:
    both = merged([things({1: "a", 2: "b", 3: "c"}), things({2: None, 1: "d"})])
    said = json.loads(both.text("e-1"))
    assert said["things"] == [{"id": 3, "value": "c"}, {"id": 1, "value": "d"}]
    assert said["removed"] == [2]


def test_the_text_of_a_numbered_frame_is_made_once() -> None:
    numbered = Numbered("e", 3, things({1: "a"}))
    assert numbered.whole is numbered.whole
    assert json.loads(numbered.whole)["id"] == id_of("e", 3)


@pytest.mark.parametrize(
    "id", ["", "e", "e-", "-1", "e-x", "f-1", "e--1", "e-1-2", "e-0021", "e-00", "e-²", "e-" + "9" * 99]
)
def test_what_is_no_id_of_the_epoch_has_no_number(id: str) -> None:
    assert number_in(id, "e") is None


def test_an_id_of_the_epoch_has_its_number() -> None:
    assert number_in(id_of("e", 12), "e") == 12
