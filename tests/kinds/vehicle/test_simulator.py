"""The simulated fleet: plausible, repeatable, and with books that balance."""

import csv
import io
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wattkeeper.kinds.vehicle.simulator.feed import CLEAN, COLUMNS, Disorder, Manifest, write_csv
from wattkeeper.kinds.vehicle.simulator.vehicles import Leg, Sample, Vehicle, fleet_ids, simulate

START = datetime(2022, 7, 12, 16, 42, tzinfo=UTC)
SEEDS = st.integers()
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)  # delimiters, quotes, line ends: all
SHARES = st.floats(0, 0.33)

# --- Builders, and a reader that keeps the contract ---


def samples(
    count: int, *, vehicle_id: str = "VAN-0001", seed: int = 7, start: datetime = START, **options: Any
) -> list[Sample]:
    return list(islice(simulate(vehicle_id, seed=seed, start=start, **options), count))


def file_of(rows: int, *, vehicles: Sequence[str] = ("VAN-0001",), seed: int = 7, **options: Any) -> bytes:
    return written(rows, vehicles=vehicles, seed=seed, **options)[0]


def written(
    rows: int, *, vehicles: Sequence[str] = ("VAN-0001",), seed: int = 7, **options: Any
) -> tuple[bytes, Manifest]:
    out = io.BytesIO()
    manifest = write_csv(out, vehicles=vehicles, rows=rows, seed=seed, start=options.pop("start", START), **options)
    return out.getvalue(), manifest


def records(data: bytes, *, delimiter: str = ",") -> list[list[str]]:
    """The data rows, without the header."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))[1:]


def accepted(fields: Sequence[str], *, vehicle_id: str | None = None) -> Sample | None:
    """The sample that a row tells, or None where the contract refuses it."""
    if vehicle_id is not None:
        fields = [vehicle_id, *fields]
    try:
        name, timestamp, speed, odometer, soc, elevation, shift_state = fields
        sample = Sample(
            name,
            datetime.fromisoformat(timestamp).replace(tzinfo=UTC),
            None if speed == "NULL" else float(speed),
            float(odometer),
            int(soc),
            int(elevation),
            None if shift_state == "NULL" else shift_state,
        )
    except ValueError:
        return None
    return sample if in_hard_range(sample) else None


def in_hard_range(sample: Sample) -> bool:
    return (
        (sample.speed is None or 0 <= sample.speed <= 400)
        and 0 <= sample.odometer <= 3_000_000
        and 0 <= sample.soc <= 100
        and -500 <= sample.elevation <= 9_000
        and sample.shift_state in ("P", "R", "N", "D", None)
    )


def flags(rows: Iterable[Sample]) -> Iterator[str]:
    """What is kept but flagged. Soc is a whole number, so a step of one point says nothing about a rate."""
    for before, row in pairwise(rows):
        minutes = (row.timestamp - before.timestamp) / timedelta(minutes=1)
        if row.speed is not None and row.speed > (3 if row.shift_state == "P" else 200):
            yield f"too fast: {row}"
        if row.odometer < before.odometer - 0.5:
            yield f"odometer fell: {before} {row}"
        if abs(row.soc - before.soc) - 1 > 10 * minutes:
            yield f"soc jumped: {before} {row}"


def moving(rows: Sequence[Sample]) -> list[tuple[Sample, Sample]]:
    """Neighbouring samples of one trip."""
    return [
        (one, two) for one, two in pairwise(rows) if one.shift_state in ("D", "R") and two.shift_state in ("D", "R")
    ]


# --- What a vehicle does ---


@given(seed=SEEDS, vehicle_id=IDS, start=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))
@settings(max_examples=40, deadline=None)
def test_a_clean_feed_is_never_refused_or_flagged(seed: int, vehicle_id: str, start: datetime) -> None:
    rows = samples(6_000, vehicle_id=vehicle_id, seed=seed, start=start.replace(tzinfo=UTC))
    assert all(in_hard_range(row) for row in rows)
    assert list(flags(rows)) == []


def test_a_year_of_a_vehicle_is_never_refused_or_flagged() -> None:
    rows = samples(100_000, interval_seconds=300)
    assert rows[-1].timestamp - rows[0].timestamp > timedelta(days=300)
    assert all(in_hard_range(row) for row in rows)
    assert list(flags(rows)) == []


@given(interval=st.floats(0.01, 3_600), seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_time_moves_forward_in_whole_milliseconds_at_any_interval(interval: float, seed: int) -> None:
    rows = list(islice(simulate("a", seed=seed, start=START, interval_seconds=interval), 2_000))
    assert rows[0].timestamp > START
    assert all(one.timestamp < two.timestamp for one, two in pairwise(rows))
    assert all(row.timestamp.microsecond % 1_000 == 0 for row in rows)
    assert list(flags(rows)) == []


def test_soc_never_moves_by_more_than_ten_points_within_a_minute() -> None:
    rows = samples(50_000)
    first = 0
    for row in rows:
        while rows[first].timestamp < row.timestamp - timedelta(minutes=1):
            first += 1
        assert abs(row.soc - rows[first].soc) <= 10


def test_a_vehicle_drives_charges_and_parks() -> None:
    rows = samples(30_000)
    assert {row.shift_state for row in rows} == {"P", "R", "N", "D", None}
    assert max(row.speed or 0 for row in rows) > 80
    assert all(not row.speed for row in rows if row.shift_state in ("P", None))
    assert all(row.speed is None for row in rows if row.shift_state is None)
    assert max(row.soc for row in rows) - min(row.soc for row in rows) > 10


def test_a_vehicle_moves_only_in_gear() -> None:
    for one, two in pairwise(samples(30_000)):
        standing = {one.shift_state, two.shift_state} <= {"P", None}
        assert not standing or (one.odometer, one.elevation) == (two.odometer, two.elevation)


def test_driving_empties_the_battery_and_only_standing_in_p_fills_it() -> None:
    rows = samples(50_000)
    rises = [(one, two) for one, two in pairwise(rows) if two.soc > one.soc]
    assert len([two for _, two in rises if two.shift_state == "P"]) > 50
    assert all(two.soc == one.soc + 1 and two.shift_state == "D" for one, two in rises if two.shift_state != "P")
    driven = sum(two.soc - one.soc for one, two in moving(rows))
    assert driven < -100


def test_a_sleeping_vehicle_is_seldom_heard_of() -> None:
    rows = samples(10_000)
    gaps = [two.timestamp - one.timestamp for one, two in pairwise(rows) if one.shift_state is None is two.shift_state]
    assert timedelta(minutes=2) < sum(gaps, timedelta()) / len(gaps) < timedelta(minutes=5)


def test_the_odometer_agrees_with_the_speed() -> None:
    pairs = moving(samples(50_000))
    hours = [(two.timestamp - one.timestamp) / timedelta(hours=1) for one, two in pairs]
    by_speed = sum(
        ((one.speed or 0) + (two.speed or 0)) / 2 * time for (one, two), time in zip(pairs, hours, strict=True)
    )
    by_odometer = sum(two.odometer - one.odometer for one, two in pairs)
    assert by_odometer == pytest.approx(by_speed, rel=0.01)


def test_no_vehicle_pulls_away_or_brakes_harder_than_tyres_hold() -> None:
    for one, two in moving(samples(50_000)):
        seconds = (two.timestamp - one.timestamp).total_seconds()
        assert abs((two.speed or 0) - (one.speed or 0)) / 3.6 <= 2.5 * (seconds + 1)


def test_elevation_changes_smoothly() -> None:
    assert all(abs(two.elevation - one.elevation) <= 8 for one, two in moving(samples(50_000)))


def test_who_returns_home_is_as_high_as_before() -> None:
    rows = samples(50_000)
    charging = {
        two.elevation for one, two in pairwise(rows) if two.soc > one.soc and one.shift_state == two.shift_state == "P"
    }
    assert charging == {rows[0].elevation}


def test_a_vehicle_near_the_end_of_its_odometer_drives_no_more() -> None:
    vehicle = Vehicle("VAN-0001", seed=7, start=START)
    vehicle.metres = 2_998_999_000
    legs: list[Leg] = list(islice(vehicle.legs(), 6_000))
    assert 29_989_990 < legs[-1].odometer[-1] < 29_992_000
    assert set(legs[-1].shift_state) <= {"P", None}
    assert min(min(leg.soc) for leg in legs) >= 0


# --- The same seed, the same rows ---


def test_the_same_seed_gives_the_same_bytes() -> None:
    disorder = Disorder(late=0.1, double=0.1, broken=0.1)
    assert written(3_000, disorder=disorder) == written(3_000, disorder=disorder)


def test_another_process_gives_the_same_bytes() -> None:
    script = (
        f"import sys; from datetime import UTC, datetime; from {write_csv.__module__} import write_csv, Disorder;"
        "write_csv(sys.stdout.buffer, vehicles=['VAN-0001'], rows=500, seed=7, "
        "start=datetime(2022, 7, 12, 16, 42, tzinfo=UTC), disorder=Disorder(.1, .1, .1))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    output = subprocess.run([sys.executable, "-c", script], env=env, check=True, capture_output=True).stdout
    assert output == file_of(500, disorder=Disorder(0.1, 0.1, 0.1))


def test_another_seed_or_id_gives_other_rows() -> None:
    files = {file_of(200, with_vehicle_id=False, seed=seed, vehicles=[name]) for seed in (1, 2) for name in ("a", "b")}
    assert len(files) == 4


def test_a_vehicle_is_the_same_whatever_else_is_in_the_fleet() -> None:
    alone = records(file_of(2_000, vehicles=["b"]))
    for interleave in (True, False):
        together = records(file_of(3_000, vehicles=["a", "b", "c"], interleave=interleave))
        mine = [row for row in together if row[0] == "b"]
        assert len(mine) > 300
        assert mine == alone[: len(mine)]


def test_the_zone_of_the_start_changes_nothing() -> None:
    assert file_of(100, start=START.astimezone(timezone(timedelta(hours=5, minutes=45)))) == file_of(100)


@given(rows=st.integers(0, 3_000), seed=SEEDS, vehicle_id=IDS, delimiter=st.sampled_from(",;\t"), crlf=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_file_holds_just_what_the_simulation_tells(
    rows: int, seed: int, vehicle_id: str, delimiter: str, crlf: bool
) -> None:
    data = file_of(rows, vehicles=[vehicle_id], seed=seed, delimiter=delimiter, crlf=crlf)
    told = [accepted(row) for row in records(data, delimiter=delimiter)]
    assert told == samples(rows, vehicle_id=vehicle_id, seed=seed)


# --- The file ---


def test_a_file_has_the_form_of_the_real_one() -> None:
    header, *lines = file_of(20_000, with_vehicle_id=False).decode().splitlines()
    assert header == "timestamp,speed,odometer,soc,elevation,shift_state"
    line = re.compile(
        r"2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{0,2}[1-9])?,(NULL|\d+),\d+(\.[1-9])?,\d+,\d+,([PRND]|NULL)"
    )
    assert [text for text in lines if not line.fullmatch(text)] == []


def test_crlf_and_the_delimiter_are_as_asked() -> None:
    header, *lines = file_of(50, delimiter=";", crlf=True).decode().split("\r\n")
    assert header == ";".join(COLUMNS)
    assert lines.pop() == ""
    assert all(line.count(";") == 6 and "\n" not in line for line in lines)


def test_two_million_rows_stay_below_111_megabytes() -> None:
    data = file_of(200_000, vehicles=fleet_ids(20, seed=7, readable=True))
    assert len(data) * 10 < 111_000_000


def test_memory_stays_flat_however_long_the_file() -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        try:
            with open(os.devnull, "wb") as out:
                write_csv(out, vehicles=["a", "b"], rows=rows, seed=7, start=START)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    file_of(60_000, vehicles=["a", "b"])  # draws the roads, which are kept
    assert peak(60_000) < peak(20_000) + 2_500_000  # 40,000 lines alone are 4.5 MB


@given(rows=st.integers(0, 12_000), fleet=st.integers(1, 300))
@example(rows=30_000, fleet=50)  # several blocks
@settings(max_examples=20, deadline=None)
def test_an_interleaved_file_is_in_the_order_of_time(rows: int, fleet: int) -> None:
    times = [datetime.fromisoformat(row[1]) for row in records(file_of(rows, vehicles=fleet_ids(fleet, seed=7)))]
    assert len(times) == rows
    assert times == sorted(times)


@given(rows=st.integers(0, 500), fleet=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_else_one_vehicle_follows_the_other_with_its_share(rows: int, fleet: int) -> None:
    vehicles = fleet_ids(fleet, seed=7)
    names = [row[0] for row in records(file_of(rows, vehicles=vehicles, interleave=False))]
    assert names == sorted(names, key=vehicles.index)
    assert {names.count(name) for name in vehicles} <= {rows // fleet, -(-rows // fleet)}
    assert len(names) == rows


def test_a_file_without_rows_is_a_header() -> None:
    data, manifest = written(0, disorder=Disorder(0.3, 0.3, 0.3))
    assert data == b"vehicle_id,timestamp,speed,odometer,soc,elevation,shift_state\n"
    assert manifest == Manifest(rows=0, late=0, double=0, broken=0)


# --- Disorder ---


@given(
    rows=st.integers(0, 2_500),
    seed=SEEDS,
    vehicles=st.lists(IDS, min_size=1, max_size=6, unique=True),
    disorder=st.builds(Disorder, late=SHARES, double=SHARES, broken=SHARES),
    delimiter=st.sampled_from(",;\t"),
    crlf=st.booleans(),
    interleave=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_the_manifest_counts_what_is_late_double_and_broken(
    rows: int, seed: int, vehicles: list[str], disorder: Disorder, delimiter: str, crlf: bool, interleave: bool
) -> None:
    data, manifest = written(
        rows, seed=seed, vehicles=vehicles, disorder=disorder, delimiter=delimiter, crlf=crlf, interleave=interleave
    )
    assert counted(accepted(row) for row in records(data, delimiter=delimiter)) == manifest


def test_the_manifest_counts_in_a_file_without_ids_too() -> None:
    data, manifest = written(5_000, with_vehicle_id=False, disorder=Disorder(0.1, 0.1, 0.2))
    assert counted(accepted(row, vehicle_id="VAN-0001") for row in records(data)) == manifest


def counted(rows: Iterable[Sample | None]) -> Manifest:
    """The books as a reader keeps them: what it refuses, has already, or gets after a newer one."""
    total = late = double = broken = 0
    stored: set[tuple[str, datetime]] = set()
    newest: dict[str, datetime] = {}
    for row in rows:
        total += 1
        if row is None:
            broken += 1
        elif (row.vehicle_id, row.timestamp) in stored:
            double += 1
        else:
            late += row.timestamp < newest.get(row.vehicle_id, row.timestamp)
            stored.add((row.vehicle_id, row.timestamp))
            newest[row.vehicle_id] = max(row.timestamp, newest.get(row.vehicle_id, row.timestamp))
    return Manifest(total, late, double, broken)


def test_a_disturbed_file_has_about_the_shares_that_were_asked_for() -> None:
    for vehicles in (["a"], fleet_ids(300, seed=7)):
        _, manifest = written(30_000, vehicles=vehicles, disorder=Disorder(late=0.02, double=0.05, broken=0.1))
        assert manifest.late == pytest.approx(600, rel=0.15)
        assert manifest.double == pytest.approx(1_500, rel=0.15)
        assert manifest.broken == pytest.approx(3_000, rel=0.15)


@pytest.mark.parametrize(
    "disorder", [Disorder(late=1), Disorder(double=1), Disorder(broken=1), Disorder(0.4, 0.3, 0.3)]
)
def test_even_a_share_of_all_rows_is_counted_right(disorder: Disorder) -> None:
    data, manifest = written(5_000, disorder=disorder)
    assert counted(accepted(row) for row in records(data)) == manifest
    assert manifest.late + 2 * manifest.double + manifest.broken > 4_500


def test_a_copy_is_the_same_line_again() -> None:
    data, manifest = written(3_000, disorder=Disorder(double=0.1))
    lines = data.splitlines()
    assert len(lines) - len(set(lines)) == manifest.double > 200


def test_a_late_row_is_moved_and_not_changed() -> None:
    data, manifest = written(3_000, disorder=Disorder(late=0.1))
    clean = file_of(3_100).splitlines()
    assert manifest.late > 200
    assert data.splitlines() != clean[:3_001]
    assert set(data.splitlines()) <= set(clean)


def test_rows_break_in_many_ways() -> None:
    data, _ = written(4_000, disorder=Disorder(broken=0.5))
    lines = [line for line in data.decode().splitlines()[1:] if accepted(next(csv.reader([line]))) is None]
    widths = {len(line.split(",")) for line in lines}
    assert widths == {2, 3, 4, 5, 7, 8}
    assert any(line.count('"') == 1 for line in lines)
    for sign in (",101,", ",-1,", "2022-02-30", "yesterday", ",401,", "5x", ",,", ",X"):
        assert any(sign in line for line in lines), sign


def test_no_disorder_leaves_the_books_clean() -> None:
    assert written(1_000, disorder=CLEAN)[1] == Manifest(rows=1_000, late=0, double=0, broken=0)


# --- Ids, and what cannot be ---


def test_ids_look_like_the_real_ones_and_a_fleet_grows_at_its_end() -> None:
    ids = fleet_ids(500, seed=7)
    assert len(set(ids)) == 500
    assert all(UUID(name).version == 4 and str(UUID(name)) == name for name in ids)
    assert fleet_ids(100, seed=7) == ids[:100]
    assert fleet_ids(100, seed=8) != ids[:100]


def test_readable_ids_are_numbered() -> None:
    assert fleet_ids(3, seed=7, readable=True) == ["VAN-0001", "VAN-0002", "VAN-0003"]


@pytest.mark.parametrize(
    "options",
    [
        {"vehicles": []},
        {"vehicles": ["a", "a"]},
        {"vehicles": ["a", "b"], "with_vehicle_id": False},
        {"rows": -1},
        {"delimiter": "."},
        {"delimiter": ""},
        {"interval_seconds": 0},
        {"interval_seconds": float("nan")},
        {"start": datetime(2022, 7, 12)},
    ],
)
def test_a_file_that_cannot_be_is_an_error(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        written(**{"rows": 10, **options})


@pytest.mark.parametrize("shares", [(-0.1, 0, 0), (0.5, 0.4, 0.2), (float("nan"), 0, 0), (0, float("nan"), 0)])
def test_shares_that_cannot_be_are_an_error(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError):
        Disorder(*shares)
