"""The vehicles' rows as files, read back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from rest_framework.test import APIClient

from tests.people import Person
from tests.support import exports, vehicles
from tests.support.exports import FORMATS
from tests.support.vehicles import COLUMNS, LIST, REAL_VEHICLE, ask, body_of, listed, post_rows, row_of, seconds_of
from wattkeeper.base.core import download
from wattkeeper.base.core.formulas import FORMULA_STARTS
from wattkeeper.flow.sources.csv_upload.models import Upload
from wattkeeper.flow.store import export
from wattkeeper.flow.store.store import Store
from wattkeeper.views.exports import formats, workbook

pytestmark = pytest.mark.usefixtures("vehicle_store")

EXPORT = f"{LIST}export/"
NEWER = {"vehicle_telemetry": "version + 1 AS version", "refused_rows": "attempt + 1 AS attempt"}
in_each_format = pytest.mark.parametrize("format_", FORMATS)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A0", '="1"', "-", "@")
ODD_IDS = ("007", "1e5", "TRUE", "null and void", "2024-05-01", "a,b;c", 'say "hi"', "two\nlines",
           "https://a.example/", "漢字 é 😀",
           "'quoted'", "<b>&amp;", "\\N", "x" * 100)  # fmt: skip


def exported(client: APIClient, format_: str, path: str = EXPORT, **query: Any) -> bytes:
    response = ask(client, path, export=format_, **query)
    assert response.status_code == 200, response.content
    return body_of(response)


def rows_in(client: APIClient, format_: str, **query: Any) -> list[dict[str, Any]]:
    return exports.read(format_, exported(client, format_, **query))


def as_exported(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The list's rows as a file holds them: without id and flags, and with times as such."""
    return [
        {name: datetime.fromisoformat(row[name]) if name == "timestamp" else row[name] for name in COLUMNS}
        for row in rows
    ]


@in_each_format
def test_a_file_holds_the_rows_of_the_list(format_: str, owner: Person) -> None:
    vehicles.upload_real(owner.jwt)
    post_rows(owner.jwt, [row_of(1), row_of(0, speed=None, shift_state=None), row_of(2, vehicle_id="V2", speed=0)])
    rows = rows_in(owner.jwt, format_)
    assert rows == as_exported(listed(owner.jwt))
    assert len(rows) == len(vehicles.real_rows()) + 3


@in_each_format
@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ({"vehicle_id": "V1"}, [0, 2, 4]),
        ({"vehicle_id": "V2", "ordering": "-timestamp"}, [5, 3, 1]),
        ({"ordering": "-odometer"}, [0, 1, 2, 3, 4, 5]),
        ({"ordering": "odometer"}, [5, 4, 3, 2, 1, 0]),
        ({"initial_timestamp": "2024-05-01T12:00:02Z", "final_timestamp": "2024-05-01T12:00:04Z"}, [2, 3, 4]),
        ({"final_timestamp": "2024-05-01T14:00:01", "timezone": "Europe/Berlin"}, [0, 1]),
        ({"vehicle_id": "V1", "initial_timestamp": "2024-05-01T12:00:02Z"}, [2, 4]),
        ({"page": 2, "page_size": 1}, [0, 1, 2, 3, 4, 5]),  # a file has no pages
        ({"vehicle_id": ""}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_the_lists_filters_choose_the_rows(
    query: Mapping[str, Any], seconds: list[int], format_: str, owner: Person
) -> None:
    post_rows(owner.jwt, [row_of(n, vehicle_id=f"V{1 + n % 2}", odometer=100 - n / 10) for n in range(6)])
    rows = rows_in(owner.jwt, format_, **query)
    assert [row["timestamp"].second for row in rows] == seconds


@pytest.mark.parametrize(
    ("name", "value"),
    [("ordering", "id"), ("timezone", "Mars/Olympus"), ("initial_timestamp", "x"), ("final_timestamp", "2024-02-30"),
     *(("export", value) for value in ("pdf", "CSV", "csv ", "../csv", "\0", "é", "x" * 5000))],
    ids=lambda value: ascii(value[:20]),
)  # fmt: skip
def test_what_cannot_be_exported_is_a_400_that_names_the_reason(name: str, value: str, owner: Person) -> None:
    response = ask(owner.jwt, EXPORT, **{"export": "json", name: value})
    assert response.status_code == 400
    assert set(response.json()) == {name}


@in_each_format
def test_a_caller_who_accepts_only_the_files_own_type_gets_it(format_: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    accept = formats.FORMATS[format_].content_type.partition(";")[0]
    response = owner.jwt.get(f"{EXPORT}?export={format_}", HTTP_ACCEPT=accept)
    assert (response.status_code, response["Content-Type"].partition(";")[0]) == (200, accept)
    assert exports.read(format_, body_of(response)) == as_exported(listed(owner.jwt))
    refused = owner.jwt.get(f"{EXPORT}?export=pdf", HTTP_ACCEPT=accept)
    assert (refused.status_code, set(refused.json())) == (400, {"export"})


def test_refused_rows_are_had_as_csv_by_who_accepts_nothing_else(owner: Person) -> None:
    report = vehicles.upload(owner.jwt, vehicles.csv_of([row_of(0), row_of(1, soc=101)]))
    response = owner.jwt.get(report["refused_csv"], HTTP_ACCEPT="text/csv")
    assert response.status_code == 200
    assert body_of(response).startswith(b"row,column,value,reason,line")


@pytest.mark.parametrize("query", [{}, {"export": ""}])
def test_a_file_is_csv_where_nothing_is_said(query: dict[str, str], owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    response = ask(owner.jwt, EXPORT, **query)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert exports.read("csv", body_of(response)) == as_exported(listed(owner.jwt))


@in_each_format
@pytest.mark.parametrize("query", [{}, {"vehicle_id": "nowhere"}, {"initial_timestamp": "2025-01-01T00:00:00Z"}])
def test_an_empty_result_still_has_its_header(query: dict[str, str], format_: str, owner: Person) -> None:
    if query:
        post_rows(owner.jwt, [row_of()])
    content = exported(owner.jwt, format_, **query)
    assert exports.raw(format_, content) == []
    if format_ != "json":
        assert exports.columns(format_, content) == list(COLUMNS)


@in_each_format
def test_zero_is_zero_and_null_is_empty(format_: str, owner: Person) -> None:
    zero = {"speed": 0, "odometer": 0, "soc": 0, "elevation": 0}
    post_rows(owner.jwt, [row_of(0, **zero), row_of(1, speed=None, shift_state=None)])
    of_zero, of_null = exports.raw(format_, exported(owner.jwt, format_))
    empty = "" if format_ == "csv" else None
    assert [float(of_zero[name]) for name in zero] == [0, 0, 0, 0]
    assert [of_null["speed"], of_null["shift_state"]] == [empty, empty]
    assert of_zero["shift_state"] == "D"


@in_each_format
def test_nothing_but_nulls_before_a_number_takes_nothing_from_it(format_: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of(n, speed=None, shift_state=None) for n in range(3)] + [row_of(3, speed=1.25)])
    assert [row["speed"] for row in rows_in(owner.jwt, format_)] == [None, None, None, 1.25]


@in_each_format
def test_numbers_keep_all_their_digits(format_: str, owner: Person) -> None:
    exact = {"speed": 0.1 + 0.2, "odometer": 2_999_999.123456789, "soc": 100, "elevation": -499.99999999999994}
    post_rows(owner.jwt, [row_of(**exact)])
    (row,) = rows_in(owner.jwt, format_)
    assert {name: row[name] for name in exact} == exact


@pytest.mark.parametrize("format_", ["csv", "json", "xlsx"])
def test_times_are_iso_8601_in_utc(format_: str, owner: Person) -> None:
    moments = {
        "2024-05-01T14:00:00.5+02:00": datetime(2024, 5, 1, 12, 0, 0, 500_000, UTC),
        "2024-12-31T23:59:59.123456-01:00": datetime(2025, 1, 1, 0, 59, 59, 123_456, UTC),
    }
    post_rows(owner.jwt, [row_of(timestamp=written) for written in moments])
    texts = [row["timestamp"] for row in exports.raw(format_, exported(owner.jwt, format_))]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", text) for text in texts), texts
    assert [datetime.fromisoformat(text) for text in texts] == list(moments.values())


def test_parquet_has_types(owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    for query in ({}, {"vehicle_id": "nowhere"}):
        schema = exports.table(exported(owner.jwt, "parquet", **query)).schema
        types = {field.name: str(field.type) for field in schema}
        assert types == {
            "vehicle_id": "string",
            "timestamp": "timestamp[us, tz=UTC]",
            "speed": "double",
            "odometer": "double",
            "soc": "int64",
            "elevation": "double",
            "shift_state": "string",
        }


def test_a_workbook_has_numbers_and_a_header_that_stays_in_sight(owner: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    (sheet,) = exports.sheets(exported(owner.jwt, "xlsx"))
    assert [cell.data_type for cell in sheet[2]] == ["s", "s", "n", "n", "n", "n", "s"]
    assert sheet.freeze_panes == "A2"


@in_each_format
def test_an_odd_vehicle_id_comes_back_as_it_was(format_: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of(number, vehicle_id=name) for number, name in enumerate(ODD_IDS)])
    assert tuple(row["vehicle_id"] for row in rows_in(owner.jwt, format_)) == ODD_IDS


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_cell_that_looks_like_a_formula_is_a_text_to_a_spreadsheet(format_: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of(number, vehicle_id=name) for number, name in enumerate(FORMULAS)])
    content = exported(owner.jwt, format_)
    assert [row["vehicle_id"] for row in exports.raw(format_, content)] == [f"'{name}" for name in FORMULAS]
    if format_ == "xlsx":
        assert {cell.data_type for row in exports.sheets(content)[0].iter_rows(max_col=1) for cell in row} == {"s"}
    # A number below zero is none.
    assert {float(row["elevation"]) for row in exports.raw(format_, content)} == {-3.0}


@pytest.mark.parametrize("start", FORMULA_STARTS, ids=ascii)
def test_whatever_a_formula_begins_with_is_made_harmless_in_both_csv_files(
    start: str, owner: Person, vehicle_store: Store
) -> None:
    # The doors take blank signs from a text's ends, so this one is put into the store behind them.
    cell = f"{start}SUM(A1)"
    report = vehicles.upload(owner.jwt, vehicles.csv_of([row_of(), row_of(1, soc=101)]))
    upload = Upload.objects.get(pk=report["id"])
    with vehicle_store.engine.client() as client:
        for table, column, mine in (
            ("vehicle_telemetry", "asset_key", f"tenant_id = {upload.tenant_id}"),
            ("refused_rows", "problem_value", f"batch_id = {upload.batch_id}"),
        ):
            client.command(
                f"INSERT INTO {table} SELECT * REPLACE ({{cell:String}} AS {column}, {NEWER[table]}) "
                f"FROM {table} WHERE {mine}",
                parameters={"cell": cell},
            )
    (row,) = exports.raw("csv", exported(owner.jwt, "csv"))
    (refused,) = exports.raw("csv", body_of(owner.jwt.get(report["refused_csv"])))
    assert (row["vehicle_id"], refused["value"]) == (f"'{cell}", f"'{cell}")


@pytest.mark.parametrize("format_", ["json", "parquet"])
def test_where_there_are_no_formulas_a_text_is_left_alone(format_: str, owner: Person) -> None:
    post_rows(owner.jwt, [row_of(number, vehicle_id=name) for number, name in enumerate(FORMULAS)])
    assert tuple(row["vehicle_id"] for row in rows_in(owner.jwt, format_)) == FORMULAS


@pytest.mark.parametrize(
    ("format_", "content_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("parquet", "application/vnd.apache.parquet"),
    ],
)
def test_a_download_is_named_after_its_vehicle_or_its_kind(format_: str, content_type: str, owner: Person) -> None:
    for query, stem in (
        ({"vehicle_id": REAL_VEHICLE}, REAL_VEHICLE),
        ({"vehicle_id": ""}, "vehicle_data"),
        ({}, "vehicle_data"),
    ):
        response = ask(owner.jwt, EXPORT, export=format_, **query)
        assert response["Content-Disposition"] == f'attachment; filename="{stem}.{format_}"'
        assert response["Content-Type"] == content_type
        body_of(response)


@pytest.mark.parametrize(
    "vehicle_id",
    ['V1"; filename="evil.exe', "V1\r\nSet-Cookie: a=b", "V1\nX: y", "V1\0", "é漢😀", "../../etc/passwd", "C:\\a", "..",
     ".", " ", "\u202egnp", "x" * 5000, "a;b", "%0d%0aX: y", ".htaccess"],
    ids=lambda value: ascii(value[:20]),
)  # fmt: skip
def test_a_vehicle_id_can_neither_break_the_header_nor_name_a_path(vehicle_id: str, owner: Person) -> None:
    usual = ask(owner.jwt, EXPORT)
    response = ask(owner.jwt, EXPORT, vehicle_id=vehicle_id)
    assert response.status_code == 200
    assert set(response.headers) == set(usual.headers)
    assert re.fullmatch(
        r'attachment; filename="[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.csv"'
        r"(; filename\*=UTF-8''([A-Za-z0-9_~-]|%[0-9A-F]{2})([A-Za-z0-9._~-]|%[0-9A-F]{2}){0,1199}\.csv)?",
        response["Content-Disposition"],
    )
    assert not response.cookies
    for each in (usual, response):
        body_of(each)


@pytest.mark.parametrize(
    ("vehicle_id", "plain", "written"),
    [
        ("日本", "__", "日本"),
        ("日本 1", "___1", "日本 1"),
        ('"日本"', "____", "_日本_"),
        ("日本'1", "___1", "日本'1"),
        ("../日本", "___", "_日本"),
        ("日本\r\nX: y", "____X__y", "日本__X_ y"),
        ("\u202e日本%2e", "____2e", "_日本_2e"),
        ("Zoë.é", "Zo_._", "Zoë.é"),
        ("日" * 200, "_" * 100, "日" * 100),
        ("van 7", "van_7", None),
        ('say "hi"', "say__hi_", None),
        ("\u202e7", "_7", None),
    ],
)
def test_a_download_is_named_in_any_script(vehicle_id: str, plain: str, written: str | None, owner: Person) -> None:
    response = ask(owner.jwt, EXPORT, vehicle_id=vehicle_id)
    said = response["Content-Disposition"]
    usual, _, extended = said.partition("; filename*=UTF-8''")
    assert usual == f'attachment; filename="{plain}.csv"'
    assert unquote(extended) == (f"{written}.csv" if written else "")
    assert said.isascii()
    body_of(response)


@pytest.mark.parametrize(("rows", "on_sheets"), [(1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_a_workbook_goes_on_in_another_sheet(
    rows: int, on_sheets: list[int], owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 3)
    post_rows(owner.jwt, [row_of(second) for second in range(rows)])
    content = exported(owner.jwt, "xlsx")
    assert [len(exports.sheet_rows(sheet)) for sheet in exports.sheets(content)] == on_sheets
    assert all([cell.value for cell in sheet[1]] == list(COLUMNS) for sheet in exports.sheets(content))
    assert len({sheet.title for sheet in exports.sheets(content)}) == len(on_sheets)
    assert exports.read("xlsx", content) == as_exported(listed(owner.jwt))


def test_a_sheet_and_its_header_fill_excels_rows_and_no_more() -> None:
    assert workbook.SHEET_ROWS + 1 == 2**20


@in_each_format
@pytest.mark.parametrize("piece", [1, 7, 256])
def test_a_file_is_whole_wherever_its_pieces_end(
    piece: int, format_: str, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (export, workbook):
        monkeypatch.setattr(module, "READ_BYTES", piece)
    post_rows(owner.jwt, [row_of(second, vehicle_id=f"é\n,{second}") for second in range(4)])
    assert rows_in(owner.jwt, format_) == as_exported(listed(owner.jwt))


def test_a_large_file_comes_in_many_pieces(owner: Person) -> None:
    rows = [row_of(second, vehicle_id=f"V{number}") for number in range(4) for second in range(3600)]
    vehicles.upload_rows(owner.jwt, rows)
    pieces = list(formats.FORMATS["json"].pieces(_question_of_all(owner)))
    assert len(pieces) >= 2
    found = json.loads(b"".join(pieces))
    assert len(found) == len(rows)
    assert sorted(seconds_of(found)) == sorted(seconds_of(rows))


def test_the_ninth_file_at_once_is_a_503_until_another_is_closed(owner: Person) -> None:
    report = vehicles.upload(owner.jwt, vehicles.csv_of([row_of(0), row_of(1, soc=101)]))
    opened = [ask(owner.jwt, EXPORT, export=format_) for format_ in FORMATS * 2]
    assert [response.status_code for response in opened] == [200] * download.MOST_AT_ONCE
    for path in (EXPORT, report["refused_csv"]):
        refused = owner.jwt.get(path)
        assert (refused.status_code, refused["Retry-After"]) == (503, "10")
        assert refused.json() == {"detail": "8 files are being downloaded already; try again later."}
    first, *others = opened
    assert body_of(first)
    again = (ask(owner.jwt, EXPORT) for _ in range(1000))  # a thread of its own closes the first
    for response in (next(answer for answer in again if answer.status_code == 200), *others):
        assert body_of(response)


@in_each_format
def test_a_stranger_gets_no_row(format_: str, owner: Person, stranger: Person) -> None:
    post_rows(owner.jwt, [row_of()])
    for query in ({}, {"vehicle_id": "V1"}):
        assert rows_in(stranger.jwt, format_, **query) == []


@in_each_format
def test_a_row_that_came_twice_is_in_the_file_once(format_: str, owner: Person) -> None:
    vehicles.upload_rows(owner.jwt, [row_of(0, soc=1), row_of(1, soc=2)])
    vehicles.upload(owner.jwt, vehicles.csv_of([row_of(0, soc=3), row_of(2, soc=4)]), file_name="again.csv")
    assert [row["soc"] for row in rows_in(owner.jwt, format_)] == [1, 2, 4]


@in_each_format
def test_an_export_loaded_again_is_all_duplicates(format_: str, owner: Person) -> None:
    vehicles.upload_real(owner.jwt)
    rows = exports.raw(format_, exported(owner.jwt, format_))
    for row in rows:
        row["timestamp"] = str(row["timestamp"])
    report = vehicles.upload(owner.jwt, vehicles.csv_of(rows), file_name="export.csv")
    assert (report["rows_read"], report["duplicates"]) == (len(rows), len(rows))


def _question_of_all(person: Person) -> formats.Question:
    from wattkeeper.flow.store.queries import Ordering, Selection
    from wattkeeper.flow.store.store import store
    from wattkeeper.kinds.vehicle.streams import TELEMETRY

    assert person.tenant is not None
    chosen = Selection(tenant_id=person.tenant.pk)
    return formats.Question(store().engine, TELEMETRY, chosen, Ordering(column="timestamp"))
