"""Lines to draw: few points, nothing lost that would be seen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.stores import AssetBook, load_text
from wattkeeper.base.catalog.channels import Channel, ChannelType, Range
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.clock import to_microseconds
from wattkeeper.flow.store.engine import Engine
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.schema import table_of
from wattkeeper.flow.store.series import Line, Series, gap_seconds_of, series, usual_distance
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.simulator.vehicles import simulate
from wattkeeper.kinds.vehicle.streams import TELEMETRY

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
AT = START.timestamp()
HEADER = b"vehicle_id,timestamp,speed,odometer,soc,elevation,shift_state\n"
Row = tuple[float, float | None, str | None]  # seconds after START, speed, shift_state


class Drawing:
    """Loads rows of one vehicle, and draws them."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self._folder = store, folder

    def load(self, rows: Sequence[Row], *, tenant_id: int, book: AssetBook) -> None:
        lines = (f"V1,{_iso(at)},{_cell(speed)},{100 + at},50,{-at % 97},{_cell(gear)}\n" for at, speed, gear in rows)
        content = HEADER + "".join(lines).encode()
        load_text(self.store, TELEMETRY, content, self._folder, tenant_id=tenant_id, assets=book)

    def draw(self, rows: Sequence[Row], *, tenant_id: int, points: int, **window: Any) -> Series:
        book = AssetBook()
        self.load(rows, tenant_id=tenant_id, book=book)
        return self.drawn(tenant_id=tenant_id, book=book, points=points, **window)

    def drawn(self, *, tenant_id: int, book: AssetBook, points: int, **window: Any) -> Series:
        channels = window.pop("channels", None)
        selection = Selection(tenant_id=tenant_id, asset_ids=[book.ids["V1"]], **window)
        return series(self.store.engine, TELEMETRY, selection, channels=channels, points=points)


@pytest.fixture
def drawing(any_store: Store, tmp_path: Path) -> Drawing:
    return Drawing(any_store, tmp_path)


@pytest.fixture
def draw(drawing: Drawing, tenant_id: int) -> Callable[..., Series]:
    def _draw(rows: Sequence[Row], **options: Any) -> Series:
        return drawing.draw(rows, tenant_id=tenant_id, **options)

    return _draw


def _iso(at: float) -> str:
    return (START + timedelta(seconds=at)).isoformat()


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def every(seconds: float, count: int, *, since: float = 0) -> list[Row]:
    return [(since + seconds * place, float(place % 7), "D") for place in range(count)]


def samples_of(line: Line) -> list[tuple[float, Any]]:
    """Without the gaps; times as seconds after START."""
    found = zip(line.times, line.values, strict=True)
    return [(round(at - AT, 3), value) for at, value in found if value is not None]


def gaps_of(line: Line) -> list[float]:
    return [round(at - AT, 3) for at, value in zip(line.times, line.values, strict=True) if value is None]


def m4_reference(samples: Sequence[tuple[float, Any]], *, first: float, width: float) -> dict[int, list[Any]]:
    """By bucket: its first and last sample, its least and its greatest value."""
    by_bucket = itertools.groupby(samples, key=lambda sample: round((sample[0] - first) * 1e6) // round(width * 1e6))
    return {
        bucket: [found[0], found[-1], min(value for _, value in found), max(value for _, value in found)]
        for bucket, found in ((bucket, list(group)) for bucket, group in by_bucket)
    }


WILD_ROWS = st.lists(
    st.tuples(
        st.integers(0, 100_000_000).map(lambda ms: ms / 1_000) | st.integers(0, 300).map(float),
        st.none() | st.floats(0, 400).map(lambda speed: round(speed, 2)),
        st.none() | st.sampled_from("PRND"),
    ),
    min_size=1,
    max_size=120,
    unique_by=lambda row: row[0],
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=WILD_ROWS, points=st.integers(4, 130))
def test_every_extreme_of_a_bucket_is_among_the_points(
    rows: list[Row], points: int, any_store: Store, tmp_path: Path, tenant_id: int
) -> None:
    drawing, book = Drawing(any_store, tmp_path), AssetBook()
    drawing.load(rows, tenant_id=tenant_id, book=book)
    drawn = drawing.drawn(tenant_id=tenant_id, book=book, points=points)
    rows = sorted(rows)
    speeds = [(at, speed) for at, speed, _ in rows if speed is not None]
    shown = samples_of(drawn.lines["speed"])
    assert drawn.rows == len(rows)
    assert drawn.first == START + timedelta(seconds=rows[0][0])
    assert drawn.last == START + timedelta(seconds=rows[-1][0])
    assert len(shown) <= points
    assert shown == sorted(shown)
    assert set(shown) <= set(speeds)
    assert drawn.thinned == (len(rows) > points)
    if not drawn.thinned:
        assert shown == speeds
    else:
        assert drawn.bucket_seconds
        ours = m4_reference(shown, first=rows[0][0], width=drawn.bucket_seconds)
        assert ours == m4_reference(speeds, first=rows[0][0], width=drawn.bucket_seconds)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=WILD_ROWS, points=st.integers(4, 130))
def test_a_line_is_broken_where_and_only_where_neighbours_are_too_far_apart(
    rows: list[Row], points: int, any_store: Store, tmp_path: Path, tenant_id: int
) -> None:
    drawing, book = Drawing(any_store, tmp_path), AssetBook()
    drawing.load(rows, tenant_id=tenant_id, book=book)
    drawn = drawing.drawn(tenant_id=tenant_id, book=book, points=points)
    times = [at for at, speed, _ in sorted(rows) if speed is not None]
    far = drawn.gap_seconds or float("inf")
    expected = [(one + other) / 2 for one, other in itertools.pairwise(times) if other - one > far + 1e-6]
    assert gaps_of(drawn.lines["speed"]) == pytest.approx(expected, abs=0.002)


def test_a_spike_of_one_sample_is_among_the_points(draw: Callable[..., Series]) -> None:
    rows = [(at, 399.0 if at == 3_210 else speed, gear) for at, speed, gear in every(1, 5_000)]
    drawn = draw(rows, points=40)
    assert drawn.thinned
    assert (3_210.0, 399.0) in samples_of(drawn.lines["speed"])


def test_of_each_channel_there_are_never_more_points_than_asked_for(draw: Callable[..., Series]) -> None:
    drawn = draw(every(1, 1_000), points=100)
    assert {name: len(line.times) <= 100 for name, line in drawn.lines.items()} == dict.fromkeys(drawn.lines, True)
    assert len(drawn.lines["elevation"].times) > 50


def test_a_window_of_few_rows_is_given_row_by_row(draw: Callable[..., Series]) -> None:
    rows = every(1, 50)
    drawn = draw(rows, points=50)
    assert (drawn.thinned, drawn.bucket_seconds, drawn.rows) == (False, None, 50)
    assert samples_of(drawn.lines["speed"]) == [(at, speed) for at, speed, _ in rows]
    assert drawn.lines["shift_state"].several is None


@pytest.mark.parametrize("points", [4, 4_000])
def test_an_empty_window_has_empty_lines(draw: Callable[..., Series], points: int) -> None:
    drawn = draw(every(1, 20), points=points, since=START + timedelta(days=1))
    assert (drawn.rows, drawn.first, drawn.last, drawn.gap_seconds, drawn.thinned) == (0, None, None, None, False)
    assert [line.times for line in drawn.lines.values()] == [[]] * len(TELEMETRY.channels)


@pytest.mark.parametrize("points", [8, 1_000])
def test_a_window_holds_its_first_moment_and_not_its_last(draw: Callable[..., Series], points: int) -> None:
    window = {"since": START + timedelta(seconds=10), "until": START + timedelta(seconds=90)}
    drawn = draw(every(1, 200), points=points, **window)
    assert drawn.rows == 80
    shown = samples_of(drawn.lines["odometer"])
    assert (shown[0], shown[-1]) == ((10.0, 110.0), (89.0, 189.0))


@pytest.mark.parametrize("points", [400, 4_000])
def test_an_outage_leaves_a_gap_in_every_line(draw: Callable[..., Series], points: int) -> None:
    drawn = draw([*every(2, 1_000), *every(2, 1_000, since=5_000)], points=points)
    assert drawn.gap_seconds is not None and drawn.gap_seconds < 3_000
    for line in drawn.lines.values():
        assert gaps_of(line) == [(1_998 + 5_000) / 2]


@pytest.mark.parametrize("points", [200, 4_000])
def test_a_parked_vehicle_keeps_its_line(draw: Callable[..., Series], points: int) -> None:
    """On the road every two seconds, asleep every three minutes: both are a rhythm."""
    asleep = [(4_000 + 180.0 * place, 0.0, "P") for place in range(12)]
    drawn = draw([*every(2, 2_000), *asleep], points=points)
    assert {name: gaps_of(line) for name, line in drawn.lines.items()} == {name: [] for name in drawn.lines}


@pytest.mark.parametrize("points", [40, 4_000])
def test_a_null_is_no_sample_and_breaks_no_line(draw: Callable[..., Series], points: int) -> None:
    rows = [(at, speed if at % 3 == 0 else None, gear) for at, speed, gear in every(1, 300)]
    drawn = draw(rows, points=points)
    assert drawn.rows == 300
    assert None not in drawn.lines["speed"].values
    assert {at % 3 for at, _ in samples_of(drawn.lines["speed"])} == {0}
    assert min(value for _, value in samples_of(drawn.lines["speed"])) == 0.0


@pytest.mark.parametrize("points", [40, 4_000])
def test_a_channel_without_a_sample_has_an_empty_line(draw: Callable[..., Series], points: int) -> None:
    drawn = draw([(at, None, None) for at, _, _ in every(1, 300)], points=points)
    assert (drawn.lines["speed"].values, drawn.lines["shift_state"].values) == ([], [])
    assert drawn.lines["odometer"].values


def test_a_channel_that_falls_silent_has_a_gap_though_the_others_speak(draw: Callable[..., Series]) -> None:
    rows = [(at, None if 300 <= at < 1_500 else speed, gear) for at, speed, gear in every(1, 2_000)]
    drawn = draw(rows, points=400)
    assert gaps_of(drawn.lines["speed"]) == [(299 + 1_500) / 2]
    assert gaps_of(drawn.lines["odometer"]) == []


@pytest.mark.parametrize("points", [40, 300, 4_000])
def test_of_duplicates_only_the_first_is_drawn(drawing: Drawing, tenant_id: int, points: int) -> None:
    book = AssetBook()
    with drawing.store.engine.client() as client:
        client.command(f"SYSTEM STOP MERGES {table_of(TELEMETRY)}")
    try:
        for speed in (1.0, 300.0, 0.0):
            rows = [(at, speed, gear) for at, _, gear in every(1, 300)]
            drawing.load(rows, tenant_id=tenant_id, book=book)
        drawn = drawing.drawn(tenant_id=tenant_id, book=book, points=points)
    finally:
        with drawing.store.engine.client() as client:
            client.command(f"SYSTEM START MERGES {table_of(TELEMETRY)}")
    assert drawn.rows == 300
    assert drawn.thinned == (points < 300)
    assert set(drawn.lines["speed"].values) == {1.0}


def test_a_state_is_given_where_it_changes(draw: Callable[..., Series]) -> None:
    gears = "PPPRRDDDDPPP"
    drawn = draw([(float(at), 1.0, gear) for at, gear in enumerate(gears)], points=12)
    expected = [(0.0, "P"), (3.0, "R"), (5.0, "D"), (9.0, "P"), (11.0, "P")]
    assert samples_of(drawn.lines["shift_state"]) == expected


def test_a_state_ends_with_its_last_sample_before_a_gap(draw: Callable[..., Series]) -> None:
    drawn = draw([*every(1, 10), *every(1, 10, since=1_000)], points=100)
    line = drawn.lines["shift_state"]
    assert [round(at - AT, 3) for at in line.times] == [0, 9, 504.5, 1_000, 1_009]
    assert line.values == ["D", "D", None, "D", "D"]


def test_a_bucket_of_several_states_says_so_and_shows_the_last(draw: Callable[..., Series]) -> None:
    rows = [(float(at), 1.0, "R" if at == 130 else "P" if at < 150 else "D") for at in range(400)]
    drawn = draw(rows, points=16)
    line = drawn.lines["shift_state"]
    assert line.values == ["P", "D", "D", "D"]
    assert line.several == [False, True, False, False]
    assert [round(at - AT) for at in line.times] == [0, 199, 200, 300]


def test_only_the_channels_asked_for_are_drawn(draw: Callable[..., Series]) -> None:
    for points in (10, 1_000):
        assert list(draw(every(1, 50), points=points, channels=["soc", "speed"]).lines) == ["soc", "speed"]


def test_whole_numbers_stay_whole(draw: Callable[..., Series]) -> None:
    for points in (10, 1_000):
        assert {type(value) for value in draw(every(1, 50), points=points).lines["soc"].values} == {int}


def test_another_assets_rows_are_not_in_the_line(drawing: Drawing, tenant_id: int) -> None:
    mine, theirs = AssetBook(), AssetBook()
    drawing.load(every(1, 30), tenant_id=tenant_id, book=mine)
    drawing.load([(at, 99.0, "R") for at, _, _ in every(1, 30)], tenant_id=tenant_id, book=theirs)
    drawn = drawing.drawn(tenant_id=tenant_id, book=mine, points=10)
    assert drawn.rows == 30
    assert set(drawn.lines["shift_state"].values) == {"D"}


@pytest.mark.parametrize("ids", [None, [], [1, 2]])
def test_a_series_is_of_one_asset(embedded_store: Store, ids: list[int] | None) -> None:
    with pytest.raises(ValueError, match="one asset"):
        series(embedded_store.engine, TELEMETRY, Selection(asset_ids=ids), points=10)


class TestFreeTexts:
    """No stream has a text channel without choices yet: the question is put to a table of the test's own."""

    STREAM = Stream(
        name="test.notes",
        label="Notes",
        asset_field="asset_id",
        channels=(
            Channel(name="note", label="Note", type=ChannelType.TEXT),
            Channel(name="level", label="Level", type=ChannelType.INTEGER, hard=Range(-1e18, 1e18)),
        ),
    )

    @pytest.fixture
    def engine(self, any_store: Store) -> Engine:
        with any_store.engine.client() as client:
            client.command("DROP TABLE IF EXISTS test_notes")
            client.command(
                "CREATE TABLE test_notes (tenant_id UInt64, asset_id UInt64, ts DateTime64(6, 'UTC'), version UInt64, "
                "note Nullable(String), level Nullable(Int64)) ENGINE = ReplacingMergeTree(version) "
                "ORDER BY (tenant_id, asset_id, ts)"
            )
            client.command(
                "INSERT INTO test_notes SELECT 1, 1, toDateTime64(1714564800 + number, 6, 'UTC'), 1, "
                "multiIf(number % 5 = 0, NULL, number < 50, '', number < 60, 'it''s', 'späť'), "
                "if(number % 2 = 0, NULL, -toInt64(number)) FROM numbers(100)"
            )
        return any_store.engine

    def test_they_are_states_too(self, engine: Engine) -> None:
        drawn = series(engine, self.STREAM, Selection(tenant_id=1, asset_ids=[1]), points=16)
        line = drawn.lines["note"]
        assert line.values == ["", "", "späť", "späť"]
        assert line.several == [False, False, True, False]

    def test_negative_whole_numbers_are_drawn_as_they_are(self, engine: Engine) -> None:
        drawn = series(engine, self.STREAM, Selection(tenant_id=1, asset_ids=[1]), points=16)
        assert samples_of(drawn.lines["level"])[:2] == [(1.0, -1), (23.0, -23)]


def _microseconds(seconds: Sequence[float]) -> list[int]:
    return [round(second * 1_000_000) for second in seconds]


class TestTheUsualDistance:
    def test_one_outage_is_not_usual(self) -> None:
        times = _microseconds([*range(0, 100, 2), *range(10_000, 10_100, 2)])
        assert usual_distance(times) == 2_000_000

    def test_a_second_rhythm_is_usual_however_seldom(self) -> None:
        asleep = range(20_000, 20_000 + 4 * 180, 180)
        assert usual_distance(_microseconds([*range(0, 20_000, 2), *asleep])) == 180_000_000

    @pytest.mark.parametrize(("times", "usual"), [([], None), ([5], None), ([5, 9], None), ([0, 1, 3_601], 1)])
    def test_few_times_tell_little(self, times: list[int], usual: int | None) -> None:
        assert usual_distance(times) == usual

    def test_neither_order_nor_duplicates_matter(self) -> None:
        assert usual_distance([30, 10, 20, 10, 40, 50, 20]) == 10

    def test_the_gap_is_at_least_a_minute(self) -> None:
        assert gap_seconds_of(_microseconds(range(100))) == 60.0
        assert gap_seconds_of(_microseconds(range(0, 10_000, 100))) == 300.0

    def test_a_simulated_vehicle_is_never_out(self) -> None:
        """Two weeks of a vehicle that drives, parks and sleeps, in windows of some hours."""
        vehicle = simulate("V1", seed=1, start=START)
        times = [to_microseconds(sample.timestamp) for sample in itertools.islice(vehicle, 30_000)]
        for begin in range(0, len(times), 3_000):
            window = times[begin : begin + 3_000]
            gap = gap_seconds_of(window)
            assert gap is not None
            assert max(later - earlier for earlier, later in itertools.pairwise(window)) <= gap * 1e6
