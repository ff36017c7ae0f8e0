"""A vehicle's rows as lines, through the API."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.access.test_vehicle_data import key_of_all
from tests.people import Person
from tests.support import vehicles
from tests.support.vehicles import LIST, OLD_LIST, ask, post_rows, row_of, upload_real, upload_rows
from wattkeeper.base.accounts.matrix import Scope

pytestmark = pytest.mark.usefixtures("vehicle_store")

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()


def series(client: Any, path: str = LIST, **query: Any) -> dict[str, Any]:
    answer = ask(client, f"{path}series/", **{"vehicle_id": "V1", **query})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def fault(client: Any, **query: Any) -> tuple[int, set[str]]:
    answer = ask(client, f"{LIST}series/", **{"vehicle_id": "V1", **query})
    return answer.status_code, set(answer.json())


@pytest.mark.parametrize("path", [LIST, OLD_LIST])
def test_a_short_window_is_answered_row_by_row(path: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of(0), row_of(1, speed=None), row_of(3, speed=12.25, shift_state="P")])
    found = series(owner.jwt, path)
    channels = found.pop("channels")
    assert found == {
        "vehicle_id": "V1",
        "since": None,
        "until": None,
        "first": "2024-05-01T12:00:00Z",
        "last": "2024-05-01T12:00:03Z",
        "rows": 3,
        "thinned": False,
        "bucket_seconds": None,
        "gap_seconds": 60.0,
    }
    assert list(channels) == ["speed", "odometer", "soc", "elevation", "shift_state"]
    assert channels["speed"] == {
        "label": "Speed",
        "unit": "km/h",
        "type": "float",
        "aggregation": "gauge",
        "times": [NOON, NOON + 3],
        "values": [10.5, 12.25],
    }
    assert channels["shift_state"] == {
        "label": "Gear",
        "unit": "",
        "type": "text",
        "aggregation": "state",
        "times": [NOON, NOON + 3],
        "values": ["D", "P"],
    }


def test_a_long_window_is_thinned(owner: Person) -> None:
    upload_rows(owner.jwt, [row_of(second, soc=99 if second == 777 else 50) for second in range(2_500)])
    found = series(owner.jwt)
    assert (found["rows"], found["thinned"], found["gap_seconds"]) == (2_500, True, 60.0)
    assert found["bucket_seconds"] == pytest.approx(5.0, rel=0.01)
    assert all(len(line["times"]) == len(line["values"]) <= 2_000 for line in found["channels"].values())
    assert 99 in found["channels"]["soc"]["values"]
    state = found["channels"]["shift_state"]
    assert state["several"] == [False] * len(state["times"])


def test_the_real_car_has_gaps(owner: Person) -> None:
    upload_real(owner.jwt)
    found = series(owner.jwt, vehicle_id=vehicles.REAL_VEHICLE)
    assert None in found["channels"]["odometer"]["values"]
    samples = [value for value in found["channels"]["odometer"]["values"] if value is not None]
    assert len(samples) == found["rows"] == len(vehicles.real_rows())


def test_both_ends_of_the_time_are_inclusive(owner: Person) -> None:
    post_rows(owner.jwt, [row_of(second) for second in range(5)])
    window = {"initial_timestamp": "2024-05-01T14:00:01", "final_timestamp": "2024-05-01T14:00:03"}
    found = series(owner.jwt, timezone="Europe/Berlin", **window)
    assert (found["since"], found["until"]) == ("2024-05-01T12:00:01Z", "2024-05-01T12:00:03Z")
    assert found["channels"]["speed"]["times"] == [NOON + 1, NOON + 2, NOON + 3]


def test_a_window_without_rows_is_empty(owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    found = series(owner.jwt, initial_timestamp="2025-01-01")
    assert (found["rows"], found["first"], found["last"], found["thinned"]) == (0, None, None, False)
    assert {name: line["values"] for name, line in found["channels"].items()} == {
        name: [] for name in found["channels"]
    }


@pytest.mark.parametrize(
    ("channels", "drawn"), [("soc", ["soc"]), ("speed, soc,speed", ["speed", "soc"]), ("", list(vehicles.COLUMNS[2:]))]
)
def test_only_the_channels_that_are_named_are_drawn(channels: str, drawn: list[str], owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert list(series(owner.jwt, channels=channels)["channels"]) == drawn


@pytest.mark.parametrize("channels", ["volume", "speed,", "timestamp", "SPEED", "speed;soc", "\0", "`speed`", "é" * 99])
def test_an_unknown_channel_is_a_400_that_names_it(channels: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert fault(owner.jwt, channels=channels) == (400, {"channels"})


@pytest.mark.parametrize("points", ["3", "4001", "0", "-4", "x", "4.5", "1e3", "9" * 5_000, "٤٤"])
def test_a_wrong_number_of_points_is_a_400(points: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert fault(owner.jwt, points=points) == (400, {"points"})


@pytest.mark.parametrize("points", [4, 5, 4_000])
def test_a_number_of_points_is_kept(points: int, owner: Person) -> None:
    upload_rows(owner.jwt, [row_of(second) for second in range(100)])
    found = series(owner.jwt, points=points)
    assert found["thinned"] == (points < 100)
    assert max(len(line["times"]) for line in found["channels"].values()) <= points


@pytest.mark.parametrize("name", ["initial_timestamp", "final_timestamp"])
@pytest.mark.parametrize("time", ["x", "2024-02-30", "NaN", "2024-05-01T25:00:00", "2024-05-01T12:00:00\0"])
def test_a_time_that_cannot_be_read_is_a_400(name: str, time: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert fault(owner.jwt, **{name: time}) == (400, {name})


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "+02:00"])
def test_an_unknown_zone_is_a_400(zone: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert fault(owner.jwt, timezone=zone) == (400, {"timezone"})


@pytest.mark.parametrize("slug", ["south", "nowhere", "\0"])
def test_an_unknown_tenant_is_a_400(slug: str, owner: Person, stranger: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert fault(owner.jwt, tenant=slug) == (400, {"tenant"})


@pytest.mark.parametrize("query", ["", "?vehicle_id=", "?vehicle_id=%20"])
def test_whose_series_it_is_must_be_said(query: str, owner: Person) -> None:
    answer = owner.jwt.get(f"{LIST}series/{query}")
    assert (answer.status_code, set(answer.json())) == (400, {"vehicle_id"})


@pytest.mark.parametrize("vehicle_id", ["V2", "v1", "V1\0", "\0", "V1'", "é" * 900])
def test_a_vehicle_that_is_not_there_is_a_404(vehicle_id: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert fault(owner.jwt, vehicle_id=vehicle_id) == (404, {"detail"})


@pytest.mark.parametrize("door", ["jwt", "session", "key"])
def test_a_stranger_has_no_such_vehicle_and_draws_their_own(door: str, owner: Person, stranger: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    assert fault(stranger.by(door)) == (404, {"detail"})
    post_rows(stranger.by(door), [row_of(soc=7)])
    assert series(stranger.by(door))["channels"]["soc"]["values"] == [7]
    assert series(owner.by(door))["channels"]["soc"]["values"] == [50]


def test_a_colleague_draws_the_same(owner: Person, make_person: Any) -> None:
    post_rows(owner.jwt, [row_of()])
    assert series(make_person("viewer").jwt) == series(owner.jwt)


class TestWhoStandsAboveTenants:
    def test_names_the_tenant_where_several_have_the_vehicle(self, owner: Person, stranger: Person) -> None:
        key = key_of_all(Scope.READ)
        post_rows(owner.jwt, [row_of(soc=1)])
        assert series(key)["channels"]["soc"]["values"] == [1]
        post_rows(stranger.jwt, [row_of(soc=2)])
        assert fault(key) == (400, {"tenant"})
        for slug, soc in (("north", 1), ("south", 2)):
            assert series(key, tenant=slug)["channels"]["soc"]["values"] == [soc]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("", None), ("gzip", "gzip"), ("br;q=1.0, gzip;q=0.8", "gzip"), ("gzip;q=0", None), ("gzip;q=0.0, br", None)],
)
def test_the_answer_is_compressed_for_who_takes_it(accepted: str, encoding: str | None, owner: Person) -> None:
    post_rows(owner.jwt, [row_of(second) for second in range(20)])
    plain = series(owner.jwt)
    answer = owner.jwt.get(f"{LIST}series/?vehicle_id=V1", HTTP_ACCEPT_ENCODING=accepted)
    assert answer.headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in answer["Vary"]
    assert json.loads(gzip.decompress(answer.content) if encoding else answer.content) == plain


def test_a_refusal_is_not_compressed(owner: Person) -> None:
    answer = owner.jwt.get(f"{LIST}series/?vehicle_id=V9", HTTP_ACCEPT_ENCODING="gzip")
    assert answer.status_code == 404
    assert "Content-Encoding" not in answer.headers
