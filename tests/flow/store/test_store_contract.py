"""What every store of readings must do, whichever transport carries the questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.stores import AssetBook, load_text, newest_of_text
from wattkeeper.base.core.errors import BusyError
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.reading import LoadReceipt, Outcome, Reading, Receipt, Row
from wattkeeper.flow.store import load as module
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.export import export_text
from wattkeeper.flow.store.load import UnbalancedLoadError, refused_rows
from wattkeeper.flow.store.queries import Ordering, Selection, StoredRow
from wattkeeper.flow.store.sources import numbered_lines
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
HEADER = b"vehicle_id,timestamp,speed,odometer,soc,elevation,shift_state\n"
BY_TIME = Ordering(column="timestamp")

Load = Callable[..., LoadReceipt]


@pytest.fixture
def load(any_store: Store, tenant_id: int, tmp_path: Path) -> Load:
    book = AssetBook()

    def _load(content: bytes, **options: object) -> LoadReceipt:
        options.setdefault("assets", book)
        return load_text(any_store, TELEMETRY, content, tmp_path, tenant_id=tenant_id, **options)  # type: ignore[arg-type]

    return _load


@pytest.fixture
def rows(any_store: Store, tenant_id: int) -> Callable[..., list[StoredRow]]:
    def _rows(ordering: Ordering = BY_TIME, **selection: object) -> list[StoredRow]:
        chosen = Selection(tenant_id=tenant_id, **selection)  # type: ignore[arg-type]
        return queries.page(any_store.engine, TELEMETRY, chosen, ordering=ordering, offset=0, limit=1000)

    return _rows


def reading(tenant_id: int, asset_id: int, at: datetime, **values: object) -> Reading:
    complete = {"speed": 10.0, "odometer": 100.0, "soc": 50, "elevation": 5.0, "shift_state": "D", **values}
    return Reading(tenant_id, asset_id, Row(f"V{asset_id}", at, complete))  # type: ignore[arg-type]


def line(second: int, *, vehicle: str = "V1", odometer: float = 100.0, soc: int = 50) -> bytes:
    at = (START + timedelta(seconds=second)).isoformat()
    return f"{vehicle},{at},12.5,{odometer},{soc},-3,D\n".encode()


def test_a_file_comes_back_as_it_was(load: Load, rows: Callable[..., list[StoredRow]]) -> None:
    receipt = load(HEADER + line(1) + line(0))
    assert (receipt.rows_read, receipt.stored, receipt.duplicate, receipt.refused) == (2, 2, 0, 0)
    first, second = rows()
    assert first.key.at == START and second.key.at == START + timedelta(seconds=1)
    assert first.asset_key == "V1"
    assert first.values == {"speed": 12.5, "odometer": 100.0, "soc": 50, "elevation": -3.0, "shift_state": "D"}


def test_the_same_file_again_is_all_duplicates(load: Load, rows: Callable[..., list[StoredRow]]) -> None:
    content = HEADER + line(0) + line(1) + line(2)
    load(content)
    again = load(content)
    assert (again.stored, again.duplicate) == (0, 3)
    assert len(rows()) == 3


def test_the_same_batch_again_counts_its_rows_as_stored(load: Load, rows: Callable[..., list[StoredRow]]) -> None:
    content = HEADER + line(0) + line(1) + b"V1,nonsense,1,1,1,1,D\n" + line(1)
    first = load(content, batch_id=77)
    again = load(content, batch_id=77)
    assert first == again
    assert (again.stored, again.duplicate, again.refused) == (2, 1, 1)
    assert len(rows()) == 2


def test_of_two_rows_with_one_key_the_first_in_the_file_wins(load: Load, rows: Callable[..., list[StoredRow]]) -> None:
    receipt = load(HEADER + line(0, odometer=1) + line(0, odometer=2))
    assert (receipt.stored, receipt.duplicate) == (1, 1)
    assert [row.values["odometer"] for row in rows()] == [1.0]


def test_a_row_that_came_before_the_file_wins_over_it(
    any_store: Store, load: Load, tenant_id: int, rows: Callable[..., list[StoredRow]]
) -> None:
    book = AssetBook()
    asset_id = book.register(["V1"])["V1"]
    any_store.write(TELEMETRY, [reading(tenant_id, asset_id, START, odometer=7.0)])
    receipt = load(HEADER + line(0, odometer=8) + line(1, odometer=9), assets=book)
    assert (receipt.stored, receipt.duplicate) == (1, 1)
    assert [row.values["odometer"] for row in rows()] == [7.0, 9.0]


def test_a_single_reading_is_stored_once(
    any_store: Store, tenant_id: int, rows: Callable[..., list[StoredRow]]
) -> None:
    asset_id = AssetBook().register(["V9"])["V9"]
    outcomes = [
        any_store.write(TELEMETRY, [reading(tenant_id, asset_id, at)])[0].outcome
        for at in (START, START, START - timedelta(seconds=5), START, START - timedelta(seconds=5))
    ]
    assert outcomes == [
        Outcome.STORED,
        Outcome.DUPLICATE,
        Outcome.STORED,
        Outcome.DUPLICATE,
        Outcome.DUPLICATE,
    ]
    assert len(rows()) == 2


def test_a_reading_acknowledged_while_a_file_brings_the_same_key_is_what_readers_see(
    any_store: Store, tenant_id: int, load: Load, rows: Callable[..., list[StoredRow]]
) -> None:
    book, count = AssetBook(), 60_000
    asset_id = book.register(["V1"])["V1"]
    file = HEADER + b"".join(line(second) for second in range(count))
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load, file, assets=book)
        receipts: list[Receipt] = []
        while not loading.done():
            second = (len(receipts) * 7_919) % count  # here and there, each but once
            single = reading(tenant_id, asset_id, START + timedelta(seconds=second), soc=1)
            receipts += any_store.write(TELEMETRY, [single])
        receipt = loading.result()
    ours = [one.reading.row.at for one in receipts if one.outcome is Outcome.STORED]
    assert ours
    assert receipt.stored + len(ours) == count
    kept = rows(Ordering(column="soc"), asset_ids=[asset_id])[: len(ours)]
    assert sorted(row.key.at for row in kept if row.values["soc"] == 1) == sorted(ours)[:1000]


def test_two_files_with_a_vehicle_in_common_share_its_rows_out_between_them(
    any_store: Store, tenant_id: int, tmp_path: Path
) -> None:
    book = AssetBook()
    book.register(["V1", "V2"])
    files = [HEADER + b"".join(line(second, vehicle=name) for second in range(20_000)) for name in ("V1", "V1", "V2")]

    def one(number: int) -> LoadReceipt:
        (folder := tmp_path / str(number)).mkdir()
        return load_text(any_store, TELEMETRY, files[number], folder, tenant_id=tenant_id, assets=book)

    with ThreadPoolExecutor(3) as pool:
        first, second, other = pool.map(one, range(3))
    assert sorted([first.stored, second.stored]) == [0, 20_000]
    assert other.stored == 20_000


def test_a_load_whose_books_do_not_balance_fails(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = numbered_lines

    @contextmanager
    def short(*args: object, **options: object) -> Iterator[str]:
        with whole(*args, **options) as source:  # type: ignore[arg-type]
            yield f"SELECT * FROM ({source}) WHERE row != 3"

    monkeypatch.setattr(module, "numbered_lines", short)
    with pytest.raises(UnbalancedLoadError, match="read 2 lines of 3"):
        load(HEADER + line(0) + line(1) + line(2))


def test_a_question_that_needs_too_much_memory_is_one_for_later(any_store: Store) -> None:
    with pytest.raises(BusyError, match="no memory"), any_store.engine.client() as client:
        client.query("SELECT groupArray(number) FROM numbers(10000000)", settings={"max_memory_usage": 1_000_000})


def test_readings_sent_at_once_are_told_apart(any_store: Store, tenant_id: int) -> None:
    asset_id = AssetBook().register(["V10"])["V10"]
    receipts = any_store.write(TELEMETRY, [reading(tenant_id, asset_id, START) for _ in range(50)])
    outcomes = [receipt.outcome for receipt in receipts]
    assert outcomes.count(Outcome.STORED) == 1


def test_an_empty_column_is_null_and_an_optional_one_may_be_missing(
    load: Load, rows: Callable[..., list[StoredRow]]
) -> None:
    load(b"vehicle_id,timestamp,odometer,soc,elevation,speed\nV1,2024-05-01 12:00:00,1,2,3,N/A\n")
    assert rows()[0].values == {"speed": None, "odometer": 1.0, "soc": 2, "elevation": 3.0, "shift_state": None}


@pytest.mark.parametrize(
    ("broken", "column", "value", "reason"),
    [
        (b"V1,2024-05-01 12:00:00,1,2,3,4", "", "", reasons.TOO_FEW_FIELDS),
        (b"V1,2024-05-01 12:00:00,1,2,3,4,D,5", "", "", reasons.TOO_MANY_FIELDS),
        (b'V1,2024-05-01 12:00:00,1,2,3,4,"D', "", "", reasons.UNBALANCED_QUOTE),
        (b"V1,2024-05-01 12:00:00,1,2,3,4,\xff", "", "", reasons.NOT_UTF8),
        (b"V1,2024-05-01 12:00:00,1,2,3,4,\x00", "", "", reasons.NUL_BYTE),
        (b"V1,2024-02-30 12:00:00,1,2,3,4,D", "timestamp", "2024-02-30 12:00:00", reasons.NOT_A_TIMESTAMP),
        (b"V1,,1,2,3,4,D", "timestamp", "", reasons.MISSING),
        (b"V1,1989-12-31 23:59:59,1,2,3,4,D", "timestamp", "1989-12-31 23:59:59", reasons.TOO_EARLY),
        (b"V1,2199-12-31 23:59:59,1,2,3,4,D", "timestamp", "2199-12-31 23:59:59", reasons.TOO_LATE),
        (b",2024-05-01 12:00:00,1,2,3,4,D", "vehicle_id", "", reasons.MISSING),
        (b"V1,2024-05-01 12:00:00,fast,2,3,4,D", "speed", "fast", reasons.NOT_A_NUMBER),
        (b"V1,2024-05-01 12:00:00,1,2,3.5,4,D", "soc", "3.5", reasons.NOT_WHOLE),
        (b"V1,2024-05-01 12:00:00,1,,3,4,D", "odometer", "", reasons.MISSING),
        (b"V1,2024-05-01 12:00:00,1,2,101,4,D", "soc", "101", reasons.outside_range(TELEMETRY.channel("soc"))),
        (b"V1,2024-05-01 12:00:00,1,1e400,1,4,D", "odometer", "1e400", reasons.outside_range(TELEMETRY.channel("odometer"))),
        (b"V1,2024-05-01 12:00:00,1,2,3,4,d", "shift_state", "d", reasons.not_a_choice(TELEMETRY.channel("shift_state"))),
    ],
)  # fmt: skip
def test_a_broken_row_is_refused_with_its_reason_and_its_neighbours_stay(
    load: Load, rows: Callable[..., list[StoredRow]], broken: bytes, column: str, value: str, reason: str
) -> None:
    receipt = load(HEADER + line(0) + broken + b"\n" + line(1))
    assert (receipt.stored, receipt.duplicate, receipt.refused) == (2, 0, 1)
    (refusal,) = receipt.first_refusals
    assert (refusal.row, refusal.column, refusal.value, refusal.reason) == (3, column, value, reason)
    assert len(rows()) == 2


def test_row_numbers_are_those_of_a_spreadsheet_also_behind_blank_lines(load: Load) -> None:
    receipt = load(HEADER + b"\n" + line(0) + b"  \r\n" + b"V1,x,1,2,3,4,D\n")
    assert (receipt.rows_read, receipt.stored) == (2, 1)
    assert [refusal.row for refusal in receipt.first_refusals] == [5]


def test_a_blank_line_followed_by_sql_is_a_refused_row(any_store: Store, load: Load) -> None:
    load(HEADER + line(0) + b"\n\ndrop table vehicle_telemetry\n;drop table vehicle_telemetry;\n")
    with any_store.engine.client() as client:
        assert client.query("EXISTS TABLE vehicle_telemetry").result_rows == [(1,)]


def test_quotes_keep_delimiters_and_doubled_quotes(load: Load, rows: Callable[..., list[StoredRow]]) -> None:
    load(
        b'note;vehicle_id;timestamp;odometer;soc;elevation\r\n"a;b ""c""";"V;""1""";"2024-05-01T12:00:00Z";1;"2";""\r\n'
        b'"";"V;""1""";"2024-05-01T12:00:00Z";1;"2";"7"\r\n'
    )
    assert [(row.asset_key, row.values["elevation"]) for row in rows()] == [('V;"1"', 7.0)]


def test_the_first_hundred_refusals_are_told_and_all_are_kept(any_store: Store, load: Load) -> None:
    receipt = load(HEADER + b"".join(b"V1,x%d,1,2,3,4,D\n" % n for n in range(250)), batch_id=4242)
    assert receipt.refused == 250
    assert [refusal.row for refusal in receipt.first_refusals] == list(range(2, 102))
    kept = [row for block in refused_rows(any_store.engine, batch_id=4242) for row in block]
    assert len(kept) == 250
    assert kept[249] == (251, "timestamp", "x249", reasons.NOT_A_TIMESTAMP, "V1,x249,1,2,3,4,D")


def test_an_asset_that_may_not_appear_by_itself_has_its_rows_refused(load: Load) -> None:
    book = AssetBook(registers=False)
    book.ids["V2"] = 999_999
    receipt = load(HEADER + line(0) + line(1, vehicle="V2"), assets=book)
    assert (receipt.stored, receipt.refused) == (1, 1)
    assert receipt.first_refusals[0].reason == reasons.UNKNOWN_ASSET


def test_an_asset_without_a_good_row_does_not_appear(load: Load) -> None:
    book = AssetBook()
    load(HEADER + line(0) + b"V2,x,1,2,3,4,D\n", assets=book)
    assert set(book.ids) == {"V1"}


def test_a_file_of_one_asset_may_not_speak_of_another(load: Load) -> None:
    receipt = load(HEADER + line(0) + line(1, vehicle="V2"), asset_key="V1")
    assert (receipt.stored, receipt.refused) == (1, 1)
    assert receipt.first_refusals[0].reason == reasons.other_asset("V1")


def test_implausible_rows_are_kept_and_flagged(load: Load, rows: Callable[..., list[StoredRow]]) -> None:
    receipt = load(
        HEADER
        + b"V1,2024-05-01 12:00:00,201,100,50,4,D\n"
        + b"V1,2024-05-01 12:00:10,5,100,50,4,P\n"
        + b"V1,2024-05-01 12:00:20,5,99.4,50,4,D\n"
        + b"V1,2024-05-01 12:00:30,5,99.4,61,4,D\n"
        + b"V1,2024-05-01 12:05:30,5,99.4,100,4,D\n"
        + b"V2,2024-05-01 12:00:00,5,1,1,4,D\n"
    )
    assert receipt.stored == 6
    assert receipt.flagged == 4
    flags = {(row.asset_key, row.key.at.minute * 60 + row.key.at.second): row.flags for row in rows()}
    assert flags == {
        ("V1", 0): ("speed_implausible",),
        ("V1", 10): ("moving_in_park",),
        ("V1", 20): ("odometer_falling",),
        ("V1", 30): ("soc_jump",),
        ("V1", 330): (),
        ("V2", 0): (),
    }
    assert receipt.flags == {
        "speed_implausible": 1,
        "moving_in_park": 1,
        "odometer_falling": 1,
        "soc_jump": 1,
    }


def test_the_receipt_of_many_vehicles_is_found_in_pieces(
    any_store: Store, tenant_id: int, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        line(minute * 60, vehicle=f"V{n}", odometer=100.0 - minute * (n % 2)) for n in range(12) for minute in range(3)
    ]
    file = HEADER + b"".join(lines) + lines[0]
    monkeypatch.setattr(module, "_PIECE_ROWS", 7)
    monkeypatch.setattr(module, "_IDS_AT_ONCE", 2)  # more vehicles than that are named by their range
    in_pieces = load(file)
    assert (in_pieces.stored, in_pieces.duplicate, in_pieces.flags) == (36, 1, {"odometer_falling": 12})
    monkeypatch.undo()
    again = load(file, batch_id=in_pieces.batch_id)
    assert (again.stored, again.duplicate, again.flags) == (in_pieces.stored, in_pieces.duplicate, in_pieces.flags)


def test_the_newest_row_of_each_vehicle_is_the_one_that_readers_see(
    any_store: Store, tenant_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IDS_AT_ONCE", 2)
    lines = [line(second, vehicle=f"V{n}", soc=n + second) for second in (5, 1) for n in range(5)]
    doubles = [line(5, vehicle=f"V{n}", soc=99) for n in range(5)]
    book = AssetBook()
    newest = newest_of_text(
        any_store, TELEMETRY, HEADER + b"".join(lines + doubles), tmp_path, tenant_id=tenant_id, assets=book
    )
    assert {row.asset_id: (row.at, row.values["soc"]) for row in newest} == {
        book.ids[f"V{n}"]: (START + timedelta(seconds=5), n + 5) for n in range(5)
    }


def test_a_single_reading_is_compared_with_the_one_before_it(any_store: Store, tenant_id: int) -> None:
    asset_id = AssetBook().register(["V11"])["V11"]
    any_store.write(TELEMETRY, [reading(tenant_id, asset_id, START, odometer=100.0)])
    later = reading(tenant_id, asset_id, START + timedelta(seconds=10), odometer=90.0)
    receipt = any_store.write(TELEMETRY, [later])[0]
    assert receipt.reading.row.flags == ("odometer_falling",)


def test_every_ordering_is_total_so_that_pages_never_overlap(any_store: Store, load: Load, tenant_id: int) -> None:
    load(HEADER + b"".join(line(n, vehicle=f"V{n % 3}", soc=n % 2) for n in range(30)))
    chosen = Selection(tenant_id=tenant_id)
    for column in TELEMETRY.columns:
        for descending in (False, True):
            ordering = Ordering(column=column, descending=descending)
            seen = [
                row.key
                for offset in range(0, 30, 7)
                for row in queries.page(any_store.engine, TELEMETRY, chosen, ordering=ordering, offset=offset, limit=7)
            ]
            assert len(set(seen)) == 30


def test_another_tenants_rows_are_not_seen(any_store: Store, load: Load, tenant_id: int) -> None:
    load(HEADER + line(0))
    stranger = Selection(tenant_id=tenant_id + 500_000)
    assert queries.count(any_store.engine, TELEMETRY, stranger) == 0
    mine = queries.page(
        any_store.engine, TELEMETRY, Selection(tenant_id=tenant_id), ordering=BY_TIME, offset=0, limit=1
    )
    assert queries.row(any_store.engine, TELEMETRY, mine[0].key, tenant_id=tenant_id + 500_000) is None
    assert queries.row(any_store.engine, TELEMETRY, mine[0].key, tenant_id=tenant_id) == mine[0]


def test_an_interval_has_its_begin_and_not_its_end(load: Load, rows: Callable[..., list[StoredRow]]) -> None:
    load(HEADER + line(0) + line(1) + line(2))
    found = rows(since=START, until=START + timedelta(seconds=2))
    assert [row.key.at.second for row in found] == [0, 1]


def test_numbers_of_lines_are_right_however_many_threads_read(
    any_store: Store, load: Load, rows: Callable[..., list[StoredRow]]
) -> None:
    lines = [b"V1,%d,1,1,1,1,D\n" % (1_600_000_000 + n) for n in range(300_000)]
    broken = set(range(7, 300_000, 1001))
    for number in broken:
        lines[number] = b"V1,never,%d,1,1,1,D\n" % number
    receipt = load(HEADER + b"".join(lines), batch_id=31337)
    assert receipt.refused == len(broken)
    kept = [row for block in refused_rows(any_store.engine, batch_id=31337) for row in block]
    assert [row[0] - 2 for row in kept] == sorted(broken)
    assert [int(row[4].split(",")[2]) for row in kept] == sorted(broken)


def test_an_export_has_every_row_in_order(any_store: Store, load: Load, tenant_id: int) -> None:
    load(HEADER + line(1) + line(0) + line(2, vehicle="=cmd()"))
    pieces = export_text(
        any_store.engine, TELEMETRY, Selection(tenant_id=tenant_id), ordering=BY_TIME, line_format="CSV"
    )
    assert b"".join(pieces).decode().splitlines() == [
        '"V1","2024-05-01T12:00:00.000000Z",12.5,100,50,-3,"D"',
        '"V1","2024-05-01T12:00:01.000000Z",12.5,100,50,-3,"D"',
        '"\'=cmd()","2024-05-01T12:00:02.000000Z",12.5,100,50,-3,"D"',
    ]
