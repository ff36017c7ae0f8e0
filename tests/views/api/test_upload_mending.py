"""Refused rows as a file: mended, sent again, and stored."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.people import Person
from tests.support.uploads import (
    GOOD,
    HEADER,
    LATER,
    PATH,
    FileUpload,
    counts,
    mend_table,
    moment,
    refused_table,
    stored_rows,
)
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.sources.csv_upload.models import Upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedded_store")]

FRONT = ["refused_row", "refused_because"]
NAMES = HEADER.decode().strip().split(",")


@pytest.fixture
def upload(owner: Person) -> FileUpload:
    return FileUpload(owner.jwt)


def written(table: list[list[str]], delimiter: str = ",") -> bytes:
    """The table as a spreadsheet saves it."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(table)
    return out.getvalue().encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("vehicle", ["V1", None], ids=["named by the form", "named by the file"])
def test_refused_rows_mended_and_sent_again_are_all_stored_and_nothing_is_doubled(
    upload: FileUpload, delimiter: str, vehicle: str | None
) -> None:
    upload = upload.named(vehicle_id=vehicle)
    names = [*NAMES, "Driver, ü"] if vehicle else ["vehicle_id", *NAMES, "Driver, ü"]
    rows = [
        [*([] if vehicle else ["V1"]), moment(n), "100", "50", "-5", "10", "D", f'"{n}" {delimiter}'] for n in range(6)
    ]
    for row, column, value in ((1, "soc", "101"), (3, "timestamp", "yesterday"), (4, "elevation", "-5 m")):
        rows[row][names.index(column)] = value
    report = upload.load(written([names, *rows], delimiter))
    assert counts(report) == (6, 3, 0, 3)

    header, *mended = mend_table(upload.client, report, delimiter)
    assert header == [*FRONT, *names]
    assert [row[0] for row in mended] == ["3", "5", "6"]
    assert [row[1].partition(":")[0] for row in mended] == ["soc", "timestamp", "elevation"]
    for row, column, value in ((0, "soc", "51"), (1, "timestamp", moment(3)), (2, "elevation", "-5")):
        mended[row][header.index(column)] = value
    again = upload.load(written([header, *mended], delimiter))
    assert counts(again) == (3, 3, 0, 0)
    stored = stored_rows(upload.client)
    assert [row["timestamp"] for row in stored] == [moment(n) for n in range(6)]
    assert {(row["vehicle_id"], row["elevation"]) for row in stored} == {("V1", -5.0)}


def test_the_reason_names_the_column_where_there_is_one(upload: FileUpload) -> None:
    report = upload.load(HEADER + b"x,1,2,3,4,D\nshort\n")
    _, named, whole = mend_table(upload.client, report)
    assert named[:2] == ["2", f"timestamp: {reasons.NOT_A_TIMESTAMP}"]
    assert whole[:2] == ["3", reasons.TOO_FEW_FIELDS]


def test_whatever_the_lines_were_the_file_is_well_formed(upload: FileUpload) -> None:
    lines = [
        b'2024-05-01T12:00:00Z,"1,2,3,4,D',
        b"1,2",
        b"1,2,3,4,5,6,7,8",
        b"a\0b,\xff,3,4,5,D",
        b'"a ""b""",2,3,4,5,"D"\r',
    ]
    report = upload.load(HEADER + b"\n".join(lines))
    assert report["refused"] == 5
    assert [row[2:] for row in mend_table(upload.client, report)[1:]] == [
        ["2024-05-01T12:00:00Z", '"1', "2", "3", "4", "D"],
        ["1", "2"],
        ["1", "2", "3", "4", "5", "6", "7", "8"],
        ["a\ufffdb", "\ufffd", "3", "4", "5", "D"],
        ['a "b"', "2", "3", "4", "5", "D"],
    ]


def test_what_a_spreadsheet_would_run_is_a_text_and_a_negative_number_stays_one(upload: FileUpload) -> None:
    names = HEADER.replace(b"shift_state", b"shift_state,=note")
    report = upload.load(names + b'-5,+7.5,-1e3,-5+1,\t=cmd,"@x",=1\n')
    header, row = mend_table(upload.client, report)
    assert header[-1] == "'=note"
    assert row[2:] == ["-5", "+7.5", "-1e3", "'-5+1", "'=cmd", "'@x", "'=1"]


def test_a_mended_file_that_is_refused_again_has_its_two_columns_once(upload: FileUpload) -> None:
    table = mend_table(upload.client, upload.load(HEADER + GOOD + b"x,1,2,3,4,D\n"))
    report = upload.load(written(table))
    assert (counts(report), report["ignored_columns"]) == ((1, 0, 0, 1), FRONT)
    assert mend_table(upload.client, report) == [table[0], ["2", *table[1][1:]]]


_numbers = itertools.count()


@given(lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=10))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_row_that_nobody_mends_is_refused_again(upload: FileUpload, lines: list[bytes]) -> None:
    report = upload.named(file_name=f"{next(_numbers)}.csv").load(HEADER + b"\n".join(lines) + b"\n" + GOOD)
    table = mend_table(upload.client, report)
    again = upload.named(file_name=f"{next(_numbers)}.csv").load(written(table))
    assert counts(again) == (report["refused"], 0, 0, report["refused"])
    assert again["refused"] == len(table) - 1


def test_without_a_layout_the_table_is_the_one_it_always_was(upload: FileUpload) -> None:
    report = upload.load(HEADER + b"x,1,2,3,4,D\n")
    assert upload.client.get(report["refused_csv"], {"layout": "report"}).status_code == 200
    (row,) = refused_table(upload.client, report)
    assert list(row) == ["row", "column", "value", "reason", "line"]


@pytest.mark.parametrize("layout", ["Mend", "xlsx", "\0", "x" * 300])
def test_an_unknown_layout_is_a_400_that_names_it(upload: FileUpload, layout: str) -> None:
    report = upload.load(HEADER + GOOD)
    response = upload.client.get(report["refused_csv"], {"layout": layout})
    assert (response.status_code, list(response.json())) == (400, ["layout"])


def test_a_file_without_refused_rows_gives_its_header_alone(upload: FileUpload) -> None:
    assert mend_table(upload.client, upload.load(HEADER + GOOD)) == [[*FRONT, *NAMES]]


def test_a_file_that_is_not_loaded_has_nothing_to_mend(upload: FileUpload) -> None:
    upload.send([HEADER + LATER])
    place = f"{PATH}uploads/{Upload.objects.get().pk}/refused/"
    assert upload.client.get(place, {"layout": "mend"}).status_code == 409


def test_who_may_follow_an_upload_may_have_its_refused_rows(
    upload: FileUpload, owner: Person, colleague: Person, stranger: Person, make_person: Callable[..., Person]
) -> None:
    sender = upload.named(client=owner.key(Scope.INGEST))
    place = sender.load(HEADER + b"x,1,2,3,4,D\n")["refused_csv"]
    for client in (sender.client, owner.jwt, colleague.jwt):
        assert client.get(place, {"layout": "mend"}).status_code == 200
    for client in (stranger.jwt, stranger.key(), owner.key(Scope.INGEST)):
        assert client.get(place, {"layout": "mend"}).status_code == 404
