"""A look at a file before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.people import Person
from tests.support.uploads import GOOD, HEADER, LATER, FileUpload
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import UnknownAsset
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.sources.csv_upload.models import Upload
from wattkeeper.flow.sources.csv_upload.preview import PREVIEW_BYTES

pytestmark = pytest.mark.django_db


@pytest.fixture
def upload(owner: Person) -> FileUpload:
    return FileUpload(owner.jwt)


def seen(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    preview: dict[str, Any] = response.json()
    return preview


def test_a_preview_says_how_each_column_is_understood(upload: FileUpload) -> None:
    preview = seen(upload.preview(b'Timestamp;odometer;"SOC";elevation;Driver\n'))
    assert {tuple(column) for column in preview["columns"]} == {
        ("name", "channel", "label", "unit", "type", "required")
    }
    assert [tuple(column.values()) for column in preview["columns"]] == [
        ("Timestamp", "timestamp", "Time", "", "timestamp", True),
        ("odometer", "odometer", "Odometer", "km", "float", True),
        ("SOC", "soc", "State of charge", "%", "integer", True),
        ("elevation", "elevation", "Elevation", "m", "float", True),
        ("Driver", None, "", "", None, False),
    ]
    assert (preview["delimiter"], preview["header_line"], preview["ignored_columns"]) == (";", 1, ["driver"])
    assert (preview["loadable"], preview["problem"], preview["rows"]) == (True, None, [])


def test_a_preview_shows_the_first_rows_as_they_came_and_as_they_are_understood(upload: FileUpload) -> None:
    content = HEADER + b'"2024-05-01 12:00:00", 100 ,50,5,250,P\n\n2024-05-01T12:00:01Z,100,5x,5,10,D\nshort\n'
    assert seen(upload.preview(content))["rows"] == [
        {
            "row": 2,
            "cells": ["2024-05-01 12:00:00", " 100 ", "50", "5", "250", "P"],
            "values": {
                "vehicle_id": "V1",
                "timestamp": "2024-05-01T12:00:00Z",
                "speed": 250.0,
                "odometer": 100.0,
                "soc": 50,
                "elevation": 5.0,
                "shift_state": "P",
            },
            "flags": ["speed_implausible", "moving_in_park"],
            "refused": None,
        },
        {
            "row": 4,
            "cells": ["2024-05-01T12:00:01Z", "100", "5x", "5", "10", "D"],
            "values": {},
            "flags": [],
            "refused": {"column": "soc", "value": "5x", "reason": reasons.NOT_A_NUMBER},
        },
        {
            "row": 5,
            "cells": ["short"],
            "values": {},
            "flags": [],
            "refused": {"column": "", "value": "", "reason": reasons.TOO_FEW_FIELDS},
        },
    ]


def test_a_preview_shows_at_most_twenty_rows(upload: FileUpload) -> None:
    assert [row["row"] for row in seen(upload.preview(HEADER + GOOD * 50))["rows"]] == list(range(2, 22))


def test_a_preview_keeps_nothing(upload: FileUpload) -> None:
    seen(upload.preview(HEADER + GOOD))
    assert not Upload.objects.exists()
    assert not Asset.objects.exists()


def test_a_file_without_a_required_column_is_shown_with_what_it_lacks(upload: FileUpload) -> None:
    preview = seen(upload.named(vehicle_id=None).preview(HEADER.replace(b"soc", b"sock") + GOOD))
    assert preview["loadable"] is False
    assert preview["missing_columns"] == ["vehicle_id", "soc"]
    assert preview["problem"] == "CSV header missing required columns: vehicle_id, soc."
    assert preview["rows"][0]["refused"] is None


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"PK\x03\x04rest", "ZIP"),
        (b"", "empty"),
        (b"\0\n", "NUL byte"),
        (b"s\xf6c\n", "not UTF-8"),
        (b"a\rb\r", "carriage"),
    ],
)
def test_what_is_no_csv_file_is_a_400_that_says_what_it_is(upload: FileUpload, head: bytes, says: str) -> None:
    response = upload.preview(head)
    assert response.status_code == 400
    assert says in response.json()["detail"]


def test_the_largest_head_is_taken_without_its_cut_line_and_a_larger_one_is_not(upload: FileUpload) -> None:
    head = (HEADER + GOOD + b"x" * PREVIEW_BYTES)[:PREVIEW_BYTES]
    assert [row["row"] for row in seen(upload.preview(head))["rows"]] == [2]
    response = upload.preview(head + b"\n")
    assert response.status_code == 413
    assert "256 KiB" in response.json()["detail"]


@pytest.mark.parametrize(("complete", "rows"), [("true", [2, 3]), ("false", [2]), ("", [2, 3])])
def test_the_last_line_of_a_head_that_is_not_all_is_not_shown(
    upload: FileUpload, complete: str, rows: list[int]
) -> None:
    preview = seen(upload.preview(HEADER + GOOD + LATER.rstrip(), complete=complete))
    assert [row["row"] for row in preview["rows"]] == rows


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"complete": "perhaps"}, "complete"),
        ({"file_name": None}, "file_name"),
        ({"file_name": "a\0b"}, "file_name"),
        ({"vehicle_id": "x" * 101}, "vehicle_id"),
        ({"head": None}, "head"),
        ({"head": "text"}, "head"),
    ],
    ids=repr,
)
def test_a_field_that_is_none_is_a_400_that_names_it(upload: FileUpload, fields: dict[str, Any], named: str) -> None:
    response = upload.preview(HEADER + GOOD, **fields)
    assert response.status_code == 400
    assert list(response.json()) == [named]


def test_where_assets_must_be_registered_the_rows_of_unknown_ones_are_refused(
    upload: FileUpload, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = replace(registry.kind("vehicle"), unknown_asset=UnknownAsset.REFUSE)
    monkeypatch.setitem(registry._kinds, "vehicle", strict)
    Asset.objects.create(tenant=owner.tenant, kind="vehicle", key="V1", registered_by="test")
    content = b"vehicle_id," + HEADER + b"V1," + GOOD + b"V2," + GOOD + b"V3,x" + GOOD
    rows = seen(upload.named(vehicle_id=None).preview(content))["rows"]
    assert [row["refused"] and (row["refused"]["column"], row["refused"]["reason"]) for row in rows] == [
        None,
        ("vehicle_id", reasons.UNKNOWN_ASSET),
        ("timestamp", reasons.NOT_A_TIMESTAMP),
    ]


def test_who_may_send_files_may_look_at_them_first(
    upload: FileUpload, owner: Person, colleague: Person, stranger: Person
) -> None:
    content = HEADER + GOOD
    for client in (owner.session, owner.key(Scope.INGEST), stranger.jwt):
        seen(upload.named(client=client).preview(content))
    for client in (colleague.jwt, owner.key(Scope.READ)):
        assert upload.named(client=client).preview(content).status_code == 403
