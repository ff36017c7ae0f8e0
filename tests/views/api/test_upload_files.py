"""What a file may contain, and what its report says of it."""

from __future__ import annotations

import io
import itertools
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.people import Person
from tests.support.uploads import (
    COLUMNS,
    GOOD,
    HEADER,
    LATER,
    PATH,
    FileUpload,
    counts,
    moment,
    refused_table,
    stored_rows,
)
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.readings import reasons
from wattkeeper.kinds.vehicle.streams import TELEMETRY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedded_store")]

VALUES = {
    "timestamp": "2024-05-01T12:00:00Z",
    "odometer": "1234.5",
    "soc": "56",
    "elevation": "-7.5",
    "speed": "88",
    "shift_state": "D",
}
STORED = {"odometer": 1234.5, "soc": 56, "elevation": -7.5, "speed": 88.0, "shift_state": "D"}


@pytest.fixture
def upload(owner: Person) -> FileUpload:
    return FileUpload(owner.jwt)


def table(*names: str, delimiter: str = ",", end: str = "\n", **changes: str) -> bytes:
    """A header and one row: the usual values, or `changes`, of the named columns."""
    names = names or COLUMNS
    row = [{**VALUES, **changes}.get(name.lower(), "x") for name in names]
    return f"{delimiter.join(names)}{end}{delimiter.join(row)}{end}".encode()


def only_row(upload: FileUpload, **filters: Any) -> dict[str, Any]:
    (row,) = stored_rows(upload.client, **filters)
    return row


@pytest.mark.parametrize(
    "names",
    [
        COLUMNS,
        tuple(reversed(COLUMNS)),
        ("soc", "speed", "timestamp", "shift_state", "elevation", "odometer"),
        tuple(name.upper() for name in COLUMNS),
        ("Soc", "oDoMeTeR", " Timestamp ", "SPEED", "Shift_State", "elevation"),
        tuple(f'"{name}"' for name in COLUMNS),
    ],
)
def test_columns_are_found_by_their_names_in_any_order_and_case(upload: FileUpload, names: tuple[str, ...]) -> None:
    values = ",".join(VALUES[name.strip(' "').lower()] for name in names)
    report = upload.load(f"{','.join(names)}\n{values}\n".encode())
    assert counts(report) == (1, 1, 0, 0)
    assert only_row(upload).items() >= STORED.items()


@pytest.mark.parametrize("chunk_bytes", [None, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_delimiter_line_end_and_byte_order_mark_do_not_matter(
    upload: FileUpload, delimiter: str, end: str, mark: bytes, chunk_bytes: int | None
) -> None:
    # Byte by byte, the mark and the line end are cut in their middle.
    report = upload.load(mark + table(delimiter=delimiter, end=end), chunk_bytes=chunk_bytes)
    assert counts(report) == (1, 1, 0, 0)
    assert only_row(upload).items() >= {**STORED, "vehicle_id": "V1"}.items()


def test_a_last_line_needs_no_line_break(upload: FileUpload) -> None:
    assert counts(upload.load(HEADER + GOOD + LATER.rstrip())) == (2, 2, 0, 0)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_quoted_field_may_hold_delimiters_and_doubled_quotes(upload: FileUpload, delimiter: str) -> None:
    row = {**VALUES, "soc": '"56"', "vehicle_id": f'"A{delimiter}""B"""', "note": '""""'}
    content = f"{delimiter.join(row)}\n{delimiter.join(row.values())}\n"
    assert counts(upload.named(vehicle_id=None).load(content.encode())) == (1, 1, 0, 0)
    assert only_row(upload).items() >= {**STORED, "vehicle_id": f'A{delimiter}"B"'}.items()


def test_extra_columns_are_ignored_and_reported(upload: FileUpload) -> None:
    report = upload.load(table("driver", *COLUMNS, "note"))
    assert counts(report) == (1, 1, 0, 0)
    assert report["ignored_columns"] == ["driver", "note"]
    assert "driver" not in only_row(upload)


@pytest.mark.parametrize("missing", ["timestamp", "odometer", "soc", "elevation"])
def test_a_missing_required_column_is_named_and_nothing_is_stored(upload: FileUpload, missing: str) -> None:
    upload.send([table(*(name for name in COLUMNS if name != missing))])
    response = upload.finalize()
    assert response.status_code == 400
    assert response.json()["detail"] == "CSV header missing required columns."
    assert response.json()["missing_columns"] == [missing]
    assert stored_rows(upload.client) == []
    assert not Asset.objects.exists()


def test_a_file_that_nobody_says_whose_it_is_lacks_the_vehicles_column(upload: FileUpload) -> None:
    fleet = upload.named(vehicle_id=None)
    fleet.send([HEADER + GOOD])
    response = fleet.finalize()
    assert response.status_code == 400
    assert response.json()["missing_columns"] == ["vehicle_id"]


def test_optional_columns_may_be_missing(upload: FileUpload) -> None:
    assert counts(upload.load(table("timestamp", "odometer", "soc", "elevation"))) == (1, 1, 0, 0)
    assert only_row(upload).items() >= {"speed": None, "shift_state": None}.items()


NULL_WORDS = ["", " ", "NULL", "null", "Null", "None", "NONE", "none", "N/A", "n/a", "nan", "NaN", "NAN", '""']


@pytest.mark.parametrize("word", NULL_WORDS)
def test_the_words_for_nothing_are_null(upload: FileUpload, word: str) -> None:
    assert counts(upload.load(table(speed=word, shift_state=word))) == (1, 1, 0, 0)
    assert only_row(upload).items() >= {"speed": None, "shift_state": None}.items()


@pytest.mark.parametrize("word", NULL_WORDS)
@pytest.mark.parametrize("column", ["timestamp", "odometer", "soc", "elevation"])
def test_nothing_in_a_required_column_refuses_the_row(upload: FileUpload, column: str, word: str) -> None:
    report = upload.load(table(**{column: word}))
    assert counts(report) == (1, 0, 0, 1)
    value = word.strip(' "')
    assert report["refused_rows"] == [{"row": 2, "column": column, "value": value, "reason": reasons.MISSING}]


def test_zero_is_a_value_and_not_nothing(upload: FileUpload) -> None:
    upload.load(table(speed="0", odometer="0", soc="0", elevation="0"))
    assert only_row(upload).items() >= {"speed": 0.0, "odometer": 0.0, "soc": 0, "elevation": 0.0}.items()


FRACTIONS = [("." + "123456789"[:digits], "." + "123456789"[: min(digits, 6)].ljust(6, "0")) for digits in range(1, 10)]
TIMES = [
    *[(f"2024-05-01T12:00:00{written}Z", f"2024-05-01T12:00:00{read}Z") for written, read in FRACTIONS],
    *[(f"2024-05-01 12:00:00{written}", f"2024-05-01T12:00:00{read}Z") for written, read in FRACTIONS],
    ("2024-05-01T12:00:00", "2024-05-01T12:00:00Z"),
    ("2024-05-01 12:00:00Z", "2024-05-01T12:00:00Z"),
    ("2024-05-01T12:00", "2024-05-01T12:00:00Z"),
    ("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z"),
    ("2024-05-01 12:00:00.5-0530", "2024-05-01T17:30:00.500000Z"),
    ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"),
    ("1714564800", "2024-05-01T12:00:00Z"),
    ("1714564800.25", "2024-05-01T12:00:00.250000Z"),
    ("1714564800250", "2024-05-01T12:00:00.250000Z"),
    ("999999999", "2001-09-09T01:46:39Z"),
    ("999999999999", "2001-09-09T01:46:39.999000Z"),
]


def test_every_way_to_write_a_time_is_read(upload: FileUpload) -> None:
    # A vehicle for each, so that equal times are no duplicates.
    names = {f"V{number}": read for number, (_, read) in enumerate(TIMES)}
    lines = "".join(f"V{number},{written},1,2,3\n" for number, (written, _) in enumerate(TIMES))
    report = upload.named(vehicle_id=None).load(b"vehicle_id,timestamp,odometer,soc,elevation\n" + lines.encode())
    assert report["refused_rows"] == []
    stored = {row["vehicle_id"]: row["timestamp"] for row in stored_rows(upload.client)}
    assert stored == names


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("yesterday", reasons.NOT_A_TIMESTAMP),
        ("2023-02-29T12:00:00", reasons.NOT_A_TIMESTAMP),
        ("2024-13-01T12:00:00", reasons.NOT_A_TIMESTAMP),
        ("2024-05-01T24:00:00", reasons.NOT_A_TIMESTAMP),
        ("2024-05-01T12:00:00.1234567890", reasons.NOT_A_TIMESTAMP),
        ("01.05.2024 12:00", reasons.NOT_A_TIMESTAMP),
        ("2024-05-01", reasons.NOT_A_TIMESTAMP),
        ("12", reasons.NOT_A_TIMESTAMP),
        ("1989-12-31T23:59:59Z", reasons.TOO_EARLY),
        ("100000000", reasons.TOO_EARLY),
        ("2199-01-01T00:00:00Z", reasons.TOO_LATE),
        ("9999999999", reasons.TOO_LATE),
    ],
)
def test_an_unreadable_time_is_refused_and_never_guessed(upload: FileUpload, written: str, reason: str) -> None:
    report = upload.load(table(timestamp=written))
    assert report["refused_rows"] == [{"row": 2, "column": "timestamp", "value": written, "reason": reason}]
    assert stored_rows(upload.client) == []


@pytest.mark.parametrize(
    ("line", "column", "value", "reason"),
    [
        (b"2024-05-01T12:00:05Z,1,2", "", "", reasons.TOO_FEW_FIELDS),
        (b"2024-05-01T12:00:05Z,1,2,3,4,D,5", "", "", reasons.TOO_MANY_FIELDS),
        (b"2024-05-01T12:00:05Z,1,2,3,4,D,", "", "", reasons.TOO_MANY_FIELDS),
        (b'2024-05-01T12:00:05Z,1,2,3,4,"D', "", "", reasons.UNBALANCED_QUOTE),
        (b"2024-05-01T12:00:05Z,1,2,3,4,\0D", "", "", reasons.NUL_BYTE),
        (b"2024-05-01T12:00:05Z,1,2,3,4,\xff\xfe", "", "", reasons.NOT_UTF8),
        (b"2024-05-01T12:00:05Z,1,2,3,4,\xc3", "", "", reasons.NOT_UTF8),
        (b"2024-05-01T12:00:05Z,far,2,3,4,D", "odometer", "far", reasons.NOT_A_NUMBER),
        (b"2024-05-01T12:00:05Z,1 000,2,3,4,D", "odometer", "1 000", reasons.NOT_A_NUMBER),
        (b"2024-05-01T12:00:05Z,1,2.5,3,4,D", "soc", "2.5", reasons.NOT_WHOLE),
        (b"'; DROP TABLE readings; --", "", "", reasons.TOO_FEW_FIELDS),
        (b"',0,0,0,0,0); DROP TABLE x; --", "timestamp", "'", reasons.NOT_A_TIMESTAMP),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value).replace(" ", "-")[:20],
)  # fmt: skip
def test_a_broken_row_is_refused_and_the_others_are_stored(
    upload: FileUpload, line: bytes, column: str, value: str, reason: str
) -> None:
    report = upload.load(HEADER + GOOD + line + b"\n" + LATER)
    assert counts(report) == (3, 2, 0, 1)
    assert report["refused_rows"] == [{"row": 3, "column": column, "value": value, "reason": reason}]
    assert len(stored_rows(upload.client)) == 2
    (kept,) = refused_table(upload.client, report)
    assert kept.items() >= {"row": "3", "column": column, "reason": reason}.items()


@pytest.mark.parametrize("text", ["; DROP TABLE vehicle_telemetry;", "'; DROP TABLE readings; --", "SELECT 1;"])
def test_sql_behind_a_blank_line_is_a_refused_row_and_nothing_else(upload: FileUpload, text: str) -> None:
    report = upload.load(HEADER + GOOD + b"\n\n" + text.encode() + b"\n\n" + LATER)
    assert counts(report) == (3, 2, 0, 1)
    assert report["refused_rows"][0]["row"] == 5
    assert len(stored_rows(upload.client)) == 2


def test_sql_in_names_is_a_name(upload: FileUpload) -> None:
    key = "V'); DROP TABLE vehicle_telemetry; --\\"
    assert counts(upload.named(vehicle_id=key, file_name=key).load(HEADER + GOOD)) == (1, 1, 0, 0)
    assert only_row(upload, vehicle_id=key)["vehicle_id"] == key


@pytest.mark.parametrize("channel", [channel for channel in TELEMETRY.channels if channel.hard], ids=lambda c: c.name)
def test_a_value_outside_its_hard_range_is_refused_and_its_ends_are_not(upload: FileUpload, channel: Any) -> None:
    ends = (channel.hard.low, channel.hard.high)
    outside = (channel.hard.low - 1, channel.hard.high + 1)
    lines = [{**VALUES, "timestamp": moment(n), channel.name: str(v)} for n, v in enumerate((*ends, *outside))]
    content = HEADER + "".join(",".join(line[name] for name in COLUMNS) + "\n" for line in lines).encode()
    report = upload.load(content)
    assert counts(report) == (4, 2, 0, 2)
    assert [(refused["row"], refused["column"]) for refused in report["refused_rows"]] == [
        (4, channel.name),
        (5, channel.name),
    ]
    assert {refused["reason"] for refused in report["refused_rows"]} == {reasons.outside_range(channel)}
    assert {row[channel.name] for row in stored_rows(upload.client)} == set(ends)


def test_implausible_rows_are_stored_and_counted_as_flagged(upload: FileUpload) -> None:
    report = upload.load(
        HEADER
        + b"2024-05-01T12:00:00Z,100,50,5,201,D\n"
        + b"2024-05-01T12:00:10Z,100,50,5,4,P\n"
        + b"2024-05-01T12:00:20Z,99.4,50,5,200,D\n"
        + b"2024-05-01T12:00:30Z,99.4,61,5,3,P\n"
        + b"2024-05-01T12:00:40Z,99.4,61,5,250,D\n"
    )
    assert counts(report) == (5, 5, 0, 0)
    assert report["flagged"] == 5
    assert report["flags"] == {
        "speed_implausible": 2,
        "moving_in_park": 1,
        "odometer_falling": 1,
        "soc_jump": 1,
    }


def test_a_row_of_another_vehicle_than_the_forms_is_refused(upload: FileUpload) -> None:
    names = ("vehicle_id", *COLUMNS)
    content = table(*names, vehicle_id="V1") + b"V2," + LATER + b"," + LATER
    report = upload.load(content)
    assert counts(report) == (3, 2, 0, 1)
    assert report["refused_rows"] == [
        {"row": 3, "column": "vehicle_id", "value": "V2", "reason": reasons.other_asset("V1")}
    ]
    assert {row["vehicle_id"] for row in stored_rows(upload.client)} == {"V1"}
    assert set(Asset.objects.values_list("key", flat=True)) == {"V1"}


@pytest.mark.parametrize("form", [None, "", "null"])
def test_a_fleets_file_says_itself_whose_rows_these_are(upload: FileUpload, form: str | None) -> None:
    lines = b"".join(b"V%d," % n + GOOD for n in range(3)) + b"," + LATER
    report = upload.named(vehicle_id=form).load(b"vehicle_id," + HEADER + lines)
    assert counts(report) == (4, 3, 0, 1)
    assert report["refused_rows"] == [{"row": 5, "column": "vehicle_id", "value": "", "reason": reasons.MISSING}]
    assert {row["vehicle_id"] for row in stored_rows(upload.client)} == {"V0", "V1", "V2"}


def test_the_first_hundred_refusals_are_told_and_all_can_be_downloaded(upload: FileUpload) -> None:
    report = upload.load(HEADER + GOOD + b"".join(b"=x%d,1,2,3,4,D\n" % n for n in range(120)))
    assert counts(report) == (121, 1, 0, 120)
    assert [refused["row"] for refused in report["refused_rows"]] == list(range(3, 103))
    kept = refused_table(upload.client, report)
    assert [row["row"] for row in kept] == [str(number) for number in range(3, 123)]
    # A value that a spreadsheet would run as a formula is a text in the download.
    assert kept[119] == {
        "row": "122",
        "column": "timestamp",
        "value": "'=x119",
        "reason": reasons.NOT_A_TIMESTAMP,
        "line": "'=x119,1,2,3,4,D",
    }


def test_a_file_without_refusals_has_an_empty_table_of_them(upload: FileUpload) -> None:
    assert refused_table(upload.client, upload.load(HEADER + GOOD)) == []


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("drive.csv", content)
    return out.getvalue()


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(HEADER + GOOD), "ZIP"),
        (PNG, "PNG"),
        ((HEADER + GOOD).replace(b"\n", b"\r"), "carriage return"),
        ((HEADER + GOOD).decode().encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + (HEADER + GOOD).decode().encode("utf-16-be"), "UTF-16"),
        ((HEADER + GOOD).decode().encode("utf-16-le"), "NUL byte"),
        (HEADER.replace(b"soc", b"s\xf6c") + GOOD, "not UTF-8"),
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\n \r\n\n", "empty"),
        (b"\0" * 4096, "NUL byte"),
        (b"x" * 100_000, "no line break"),
        (b"soc," + HEADER + b"1," + GOOD, "soc stands twice"),
    ],
    ids=[
        "zip",
        "png",
        "old mac",
        "utf-16",
        "utf-16-be",
        "utf-16 unmarked",
        "latin-1",
        "nothing",
        "mark",
        "blank",
        "nul",
        "x",
        "2",
    ],
)
def test_what_is_no_csv_file_is_a_400_that_says_what_it_is(upload: FileUpload, content: bytes, says: str) -> None:
    upload.send([content])
    response = upload.finalize()
    assert response.status_code == 400
    assert says in response.json()["detail"]
    assert stored_rows(upload.client) == []
    assert not Asset.objects.exists()


def test_a_header_alone_is_a_file_without_rows(upload: FileUpload) -> None:
    report = upload.load(HEADER)
    assert counts(report) == (0, 0, 0, 0)
    assert not Asset.objects.exists()


def test_a_line_longer_than_a_mebibyte_is_refused_and_the_others_are_stored(upload: FileUpload) -> None:
    long = b"2024-05-01T12:00:05Z,1,2,3,4," + b"D" * (3 << 20)
    report = upload.load(HEADER + GOOD + long + b"\n" + LATER)
    assert counts(report) == (3, 2, 0, 1)
    assert report["refused_rows"] == [{"row": 3, "column": "", "value": "", "reason": reasons.LINE_TOO_LONG}]


def test_of_rows_with_one_time_the_first_in_the_file_wins(upload: FileUpload) -> None:
    report = upload.load(HEADER + GOOD + GOOD.replace(b",100,", b",999,") + GOOD)
    assert counts(report) == (3, 1, 2, 0)
    assert only_row(upload)["odometer"] == 100.0


_numbers = itertools.count()
_good = st.integers(0, 30).map(lambda second: f"{moment(second)},{second},50,5,10,D".encode())
_bad = st.one_of(
    st.sampled_from([b"x", b",,,,,", b'"', b"2024-05-01T12:00:00Z,1,101,3,4,D", b"2024-05-01T12:00:00Z,1,2,3,4,Q"]),
    st.binary(min_size=1, max_size=40).map(lambda line: b"!" + line.replace(b"\n", b"") + b"!"),
)
_blank = st.sampled_from([b"", b"  ", b"\r"])


@given(
    lines=st.lists(st.tuples(st.one_of(_good, _bad), st.integers(1, 3)), max_size=25),
    blanks=st.lists(_blank, max_size=3),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_row_read_is_inserted_a_duplicate_or_refused(
    upload: FileUpload, lines: list[tuple[bytes, int]], blanks: list[bytes], end: bytes
) -> None:
    rows = [line for line, times in lines for _ in range(times)]
    good = {line for line in rows if line.startswith(b"2024") and line.endswith(b",50,5,10,D")}
    vehicle = f"P{next(_numbers)}"  # of this example alone
    report = upload.named(vehicle_id=vehicle).load(HEADER + end.join([*rows, *blanks]) + end)
    read, inserted, duplicates, refused = counts(report)
    assert read == len(rows) == inserted + duplicates + refused
    assert inserted == len(good) == len(stored_rows(upload.client, vehicle_id=vehicle))
    assert refused == len(rows) - sum(line in good for line in rows)
    assert len(refused_table(upload.client, report)) == refused


def test_the_rows_of_a_loaded_file_are_found_by_their_ids(upload: FileUpload) -> None:
    upload.load(HEADER + GOOD)
    row = only_row(upload)
    assert upload.client.get(f"{PATH}{row['id']}/").json() == row
