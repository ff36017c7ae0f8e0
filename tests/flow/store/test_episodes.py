"""The engine's runs of equal verdicts are those that one finds by going through all readings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.stores import AssetBook, load_text
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import to_microseconds
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.store import episodes
from wattkeeper.flow.store.episodes import Run, readings_counted, rhythms, runs
from wattkeeper.flow.store.episodes_sql import Asked, Pause, Point, Question, Test, Word, Zone
from wattkeeper.flow.store.schema import table_of
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
END = START + timedelta(days=2)
ZERO = to_microseconds(START)
HEADER = b"vehicle_id,timestamp,speed,odometer,soc,elevation,shift_state\n"
Row = tuple[str, float, float | None, str | None]  # vehicle, seconds after START, speed, shift_state
BREACH, CLEAR, UNSURE = True, False, None


class History:
    """Loads rows, and asks about them."""

    def __init__(self, store: Store, folder: Path, tenant_id: int) -> None:
        self.store, self.tenant_id, self.book = store, tenant_id, AssetBook()
        self._folder = folder

    def load(self, rows: Sequence[Row]) -> None:
        lines = (
            f"{who},{(START + timedelta(seconds=at)).isoformat()},{_cell(speed)},{100 + at},50,0,{_cell(gear)}\n"
            for who, at, speed, gear in rows
        )
        content = HEADER + "".join(lines).encode()
        load_text(self.store, TELEMETRY, content, self._folder, tenant_id=self.tenant_id, assets=self.book)

    def runs(self, asked: Sequence[Asked], **question: Any) -> list[Run]:
        stream = question.pop("stream", TELEMETRY)
        question = {"channel": "speed", "since": START, "until": END, **question}
        whose = {"tenant_id": self.tenant_id, "asset_ids": [one.asset_id for one in asked]}
        counts = readings_counted(
            self.store.engine, TELEMETRY, **whose, since=question["since"], until=question["until"]
        )
        made = Question(tenant_id=self.tenant_id, **question)
        return list(runs(self.store.engine, stream, made, asked, counts=counts))


@pytest.fixture
def history(any_store: Store, tmp_path: Path, tenant_id: int) -> History:
    return History(any_store, tmp_path, tenant_id)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def verdict_of(test: Test | None, value: Any) -> bool | None:
    if value is None:
        return UNSURE
    match test:
        case Zone(low, high, clear_low, clear_high):
            breach, clear = value < low or value > high, clear_low <= value <= clear_high
        case Point(number, deadband):
            breach, clear = value == number, abs(value - number) > deadband
        case Word(text):
            breach, clear = value == text, True
        case _:
            raise AssertionError(test)
    return BREACH if breach else CLEAR if clear else UNSURE


Judged = tuple[int, bool | None, float]  # microseconds, verdict, value


def judged(rows: Sequence[Row], asked: Asked, question: dict[str, Any]) -> Iterator[Judged]:
    """One asset's readings, each with its verdict: as the engine is to see them."""
    rate, channel, carries = (
        question.get("is_rate"),
        question.get("channel", "speed"),
        question["stream"].carries_forward,
    )
    last_speed = last_gear = last_at = None
    for _, at, speed, gear in sorted(rows, key=lambda row: row[1]):
        known_gear = last_gear if gear is None else gear
        value: Any = speed if channel == "speed" else gear
        if rate:
            known = speed is not None and last_speed is not None
            minutes = max(round(at * 1e6) - round((last_at or 0) * 1e6), 60_000_000) / 60_000_000
            value = abs(speed - last_speed) / minutes if known else None
        found = verdict_of(asked.test, value)
        if asked.guard is not None:
            allowed = verdict_of(asked.guard, known_gear)
            found = found if allowed is BREACH else allowed
        yield ZERO + round(at * 1e6), found, value if isinstance(value, float) else 0.0
        last_at = at
        last_speed = last_speed if carries and speed is None else speed
        last_gear = known_gear if carries else gear


def runs_expected(readings: Sequence[Judged], asked: Asked, question: dict[str, Any]) -> list[Run]:
    delays = {True: question.get("breach_delays", ()), False: question.get("clear_delays", ())}
    sure = [reading for reading in readings if reading[1] is not UNSURE]
    found = []
    for verdict, group in itertools.groupby(sure, key=lambda reading: bool(reading[1])):
        run = list(group)
        times, values = [at for at, _, _ in run], [value for _, _, value in run]
        reached = tuple(
            next((at for at in times if at - times[0] >= delay // timedelta(microseconds=1)), None)
            for delay in delays[verdict]
        )
        found.append(Run(asked.asset_id, verdict, times[0], times[-1], reached, min(values), max(values)))
    return found


WILD_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["V1", "V2", "V3"]),
        st.integers(0, 600).map(float) | st.integers(0, 20_000).map(lambda tenths: tenths / 10),
        st.none() | st.integers(40, 60).map(float) | st.floats(45, 55).map(lambda speed: round(speed, 3)),
        st.none() | st.sampled_from("PRND"),
    ),
    min_size=1,
    max_size=80,
    unique_by=lambda row: row[:2],
)
CARRIED = replace(TELEMETRY, carries_forward=True)
NUMBERS = st.integers(40, 60).map(float) | st.sampled_from([-math.inf, math.inf])
ZONES = st.builds(
    lambda four: Zone(four[0], four[3], four[1], four[2]), st.lists(NUMBERS, min_size=4, max_size=4).map(sorted)
)
POINTS = st.builds(Point, st.integers(45, 55).map(float), st.sampled_from([0.0, 1.0, 2.5]))
WORDS = st.builds(Word, st.sampled_from("PD"))
DELAYS = st.lists(st.sampled_from([0, 1, 30, 300]).map(lambda seconds: timedelta(seconds=seconds)), max_size=2).map(
    tuple
)


@st.composite
def wild_questions(draw: st.DrawFn) -> tuple[dict[str, Any], st.SearchStrategy[Test], bool]:
    """What is asked, the tests for it, and whether there are guards."""
    question: dict[str, Any] = {"breach_delays": draw(DELAYS), "clear_delays": draw(DELAYS)}
    question["stream"] = draw(st.sampled_from([TELEMETRY, CARRIED]))
    tests: st.SearchStrategy[Test] = draw(st.sampled_from([ZONES, POINTS, WORDS]))
    if tests is WORDS:
        question["channel"] = "shift_state"
    else:
        question["is_rate"] = draw(st.booleans())
    has_guard = draw(st.booleans())
    if has_guard:
        question["guard_channel"] = "shift_state"
    return question, tests, has_guard


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=WILD_ROWS, wild=wild_questions(), data=st.data())
def test_the_runs_are_those_of_all_readings_one_by_one(
    rows: list[Row], wild: Any, data: st.DataObject, any_store: Store, tmp_path: Path, tenant_id: int
) -> None:
    question, tests, has_guard = wild
    history = History(any_store, tmp_path, tenant_id)
    history.load(rows)
    same, first, guard = data.draw(st.booleans()), data.draw(tests), data.draw(WORDS) if has_guard else None
    same = same or isinstance(first, Word)  # of a channel's texts all assets are asked for one
    asked = [
        Asked(asset_id, first if same else data.draw(tests), guard) for asset_id in sorted(history.book.ids.values())
    ]
    names = {asset_id: name for name, asset_id in history.book.ids.items()}
    expected = []
    for one in asked:
        own = [row for row in rows if row[0] == names[one.asset_id]]
        expected += runs_expected(list(judged(own, one, question)), one, question)
    assert history.runs(asked, **question) == expected


NEVER = Zone(-math.inf, 50.0, -math.inf, 50.0)


def test_each_asset_has_its_own_limits(history: History) -> None:
    history.load([(who, at, 50.0 + at, "D") for who in ("V1", "V2") for at in range(10)])
    low, high = history.book.ids["V1"], history.book.ids["V2"]
    found = history.runs(
        [Asked(low, Zone(-math.inf, 52.0, -math.inf, 52.0)), Asked(high, Zone(-math.inf, 57.5, 0, 57.0))]
    )
    assert [(run.asset_id, run.is_breach, run.first - ZERO, run.greatest) for run in found] == [
        (low, False, 0, 52.0),
        (low, True, 3_000_000, 59.0),
        (high, False, 0, 57.0),
        (high, True, 8_000_000, 59.0),
    ]


def test_readings_in_the_deadband_leave_a_run_as_it_was(history: History) -> None:
    history.load([("V1", at, speed, "D") for at, speed in enumerate([60.0, 49.0, None, 60.0, 49.0, 47.0])])
    found = history.runs([Asked(history.book.ids["V1"], Zone(-math.inf, 50.0, -math.inf, 48.0))])
    assert [(run.is_breach, run.first - ZERO, run.last - ZERO) for run in found] == [
        (True, 0, 3_000_000),
        (False, 5_000_000, 5_000_000),
    ]


def test_of_duplicates_only_the_first_counts(history: History) -> None:
    with history.store.engine.client() as client:
        client.command(f"SYSTEM STOP MERGES {table_of(TELEMETRY)}")
    try:
        for speed in (10.0, 90.0):
            history.load([("V1", at, speed, "D") for at in range(20)])
        found = history.runs([Asked(history.book.ids["V1"], NEVER)])
    finally:
        with history.store.engine.client() as client:
            client.command(f"SYSTEM START MERGES {table_of(TELEMETRY)}")
    assert [(run.is_breach, run.greatest) for run in found] == [(False, 10.0)]


def test_only_the_window_is_looked_at(history: History) -> None:
    history.load([("V1", at, 90.0, "D") for at in range(20)])
    window = {"since": START + timedelta(seconds=5), "until": START + timedelta(seconds=10)}
    found = history.runs([Asked(history.book.ids["V1"], NEVER)], **window)
    assert [(run.first - ZERO, run.last - ZERO) for run in found] == [(5_000_000, 9_000_000)]


def test_an_asset_of_another_tenant_has_no_runs(history: History, any_store: Store, tmp_path: Path) -> None:
    history.load([("V1", 0, 90.0, "D")])
    stranger = History(any_store, tmp_path, history.tenant_id + 500_000)
    assert stranger.runs([Asked(history.book.ids["V1"], NEVER)]) == []


def test_a_pause_ends_a_run_of_a_silent_rule(history: History) -> None:
    history.load([("V1", at, None, None) for at in [*range(0, 100, 10), *range(500, 600, 10)]])
    asked = [Asked(history.book.ids["V1"], Pause(10.0))]
    found = history.runs(asked, clear_delays=(timedelta(seconds=15),))
    assert [(run.is_breach, run.first - ZERO, run.last - ZERO, run.reached) for run in found] == [
        (False, 0, 90_000_000, (ZERO + 20_000_000,)),
        (False, 500_000_000, 590_000_000, (ZERO + 520_000_000,)),
    ]


def test_the_usual_interval_is_the_95th_percentile_of_the_pauses(history: History) -> None:
    pauses = [10.0] * 96 + [1_000.0] * 4
    history.load([("V1", at, None, None) for at in itertools.accumulate(pauses, initial=0)] + [("V2", 3, None, None)])
    ids = list(history.book.ids.values())
    found = rhythms(history.store.engine, TELEMETRY, tenant_id=history.tenant_id, asset_ids=ids, since=START, until=END)
    assert {key: (found[pk].readings, found[pk].usual_seconds) for key, pk in history.book.ids.items()} == {
        "V1": (101, 10.0),
        "V2": (1, None),
    }


def test_many_assets_are_asked_in_portions(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.load([(f"V{who}", at, 90.0, "D") for who in range(7) for at in range(10)])
    asked = [Asked(pk, Zone(-math.inf, 40.0 + pk % 3, -math.inf, 40.0)) for pk in history.book.ids.values()]
    whole = history.runs(asked)
    monkeypatch.setattr(episodes, "ASSETS_A_QUESTION", 2)
    monkeypatch.setattr(episodes, "ROWS_A_QUESTION", 25)
    assert history.runs(asked) == whole
    assert len(whole) == 7


def test_five_hundred_assets_with_limits_of_their_own_fit_into_a_question(
    embedded_store: Store, tenant_id: int
) -> None:
    """The engine takes 256 kB of text."""
    ids = [10**18 + place for place in range(episodes.ASSETS_A_QUESTION)]
    zones = [Zone(-1e300 / 7 - pk, 1e300 / 7 + pk, -1e299 / 7 + pk, 1e299 / 7 + pk) for pk in ids]
    asked = [Asked(pk, zone, zone) for pk, zone in zip(ids, zones, strict=True)]
    question = Question(tenant_id=tenant_id, channel="speed", guard_channel="elevation", since=START, until=END)
    assert list(runs(embedded_store.engine, TELEMETRY, question, asked, counts=dict.fromkeys(ids, 1))) == []


def test_more_than_can_be_answered_is_refused(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.load([("V1", at, 90.0 * (at % 2), "D") for at in range(20)])
    asked = [Asked(history.book.ids["V1"], NEVER)]
    monkeypatch.setattr(episodes, "RUNS_MOST", 19)
    with pytest.raises(BadRequestError, match="deadband"):
        history.runs(asked)
    monkeypatch.setattr(episodes, "ROWS_MOST", 19)
    with pytest.raises(BadRequestError, match="more than 19 readings"):
        history.runs(asked)


@pytest.mark.parametrize("number", [0.1 + 0.2, 1 / 3, 2.9600000000000004, -1e-7, 5e-324, 1.7976931348623157e308])
def test_a_limit_is_the_same_number_in_the_engine(embedded_store: Store, number: float) -> None:
    with embedded_store.engine.client() as client:
        assert client.query(f"SELECT toFloat64({number!r}), 1").result_rows[0][0] == number


@pytest.mark.parametrize(("stream", "expected"), [(TELEMETRY, []), (CARRIED, [True])])
def test_a_rate_needs_a_value_before_it(history: History, stream: Stream, expected: list[bool]) -> None:
    """As the current state has it: of a stream that carries forward, a reading without the value does not erase it."""
    history.load([("V1", 0, 10.0, "D"), ("V1", 60, None, "D"), ("V1", 120, 100.0, "D")])
    asked = [Asked(history.book.ids["V1"], Zone(-math.inf, 80.0, -math.inf, 80.0))]
    found = history.runs(asked, stream=stream, is_rate=True)
    assert [run.is_breach for run in found] == expected
    assert [run.greatest for run in found] == [90.0] * len(expected)


@pytest.mark.parametrize(("stream", "expected"), [(TELEMETRY, (0, 60)), (CARRIED, (0, 120))])
def test_a_guard_is_asked_of_what_is_known(history: History, stream: Stream, expected: tuple[int, int]) -> None:
    history.load([("V1", 0, 90.0, "D"), ("V1", 60, 90.0, None), ("V1", 120, 90.0, None), ("V1", 180, 90.0, "P")])
    asked = [Asked(history.book.ids["V1"], NEVER, Word("D"))]
    breach, clear = history.runs(asked, stream=stream, guard_channel="shift_state")
    assert ((breach.first - ZERO) // 1_000_000, (breach.last - ZERO) // 1_000_000) == expected
    assert (clear.is_breach, clear.first - ZERO) == (False, 180_000_000)
