"""A tenant's vehicle rows: made, put into the store through the API, and read back."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

LIST = "/api/v1/vehicle_data/"
OLD_LIST = "/vehicle_data/"
COLUMNS = ("vehicle_id", "timestamp", "speed", "odometer", "soc", "elevation", "shift_state")
REAL_FILE = Path(__file__).parent.parent / "fixtures" / "vehicles" / "06ab31a9-b35d-4e47-8e44-9c35feb1bfae.csv"
REAL_VEHICLE = REAL_FILE.stem

Row = Mapping[str, Any]


def row_of(second: int = 0, **values: Any) -> dict[str, Any]:
    """A good row of V1, `second` seconds after noon."""
    minutes, seconds = divmod(second, 60)
    return {
        "vehicle_id": "V1",
        "timestamp": f"2024-05-01T12:{minutes:02}:{seconds:02}Z",
        "speed": 10.5,
        "odometer": 100.25,
        "soc": 50,
        "elevation": -3.0,
        "shift_state": "D",
        **values,
    }


def post(client: APIClient, row: object, path: str = LIST) -> Any:
    return client.post(path, json.dumps(row), content_type="application/json")


def post_rows(client: APIClient, rows: Sequence[Row], path: str = LIST) -> list[dict[str, Any]]:
    """What the API says of each of them, stored one by one."""
    answers = [post(client, row, path) for row in rows]
    assert [answer.status_code for answer in answers] == [201] * len(rows), [answer.content for answer in answers]
    return [answer.json() for answer in answers]


def csv_of(rows: Sequence[Row]) -> bytes:
    """The rows as a file with a column for each field; null is an empty cell."""
    lines = [COLUMNS, *(["" if row[name] is None else row[name] for name in COLUMNS] for row in rows)]
    return "".join(f"{','.join(map(_cell, line))}\n" for line in lines).encode()


def upload(
    client: APIClient, content: bytes, *, file_name: str = "rows.csv", vehicle_id: str = "", path: str = LIST
) -> dict[str, Any]:
    """Send the file in one chunk and load it; gives the report."""
    name: dict[str, Any] = {"file_name": file_name, "total_chunks": 1}
    if vehicle_id:
        name["vehicle_id"] = vehicle_id
    chunk = {**name, "chunk_index": 0, "chunk": SimpleUploadedFile("blob", content)}
    sent = client.post(f"{path}upload_chunk/", chunk, format="multipart")
    assert sent.status_code == 200, sent.content
    loaded = client.post(f"{path}finalize_upload/", name, format="json")
    assert loaded.status_code == 200, loaded.content
    report: dict[str, Any] = loaded.json()
    return report


def upload_rows(client: APIClient, rows: Sequence[Row]) -> dict[str, Any]:
    """Load rows at once, all of them good and none known before."""
    report = upload(client, csv_of(rows))
    assert (report["inserted"], report["refused"]) == (len(rows), 0), report
    return report


def upload_real(client: APIClient, **options: Any) -> dict[str, Any]:
    """Load the real car's rows."""
    return upload(client, REAL_FILE.read_bytes(), file_name=REAL_FILE.name, vehicle_id=REAL_VEHICLE, **options)


def real_rows() -> list[dict[str, str]]:
    """The real car's rows as texts, in the file's order."""
    with REAL_FILE.open(newline="") as file:
        return list(csv.DictReader(file))


def ask(client: APIClient, path: str = LIST, **query: Any) -> Any:
    return client.get(f"{path}?{urlencode(query)}" if query else path)


def listed(client: APIClient, path: str = LIST, **query: Any) -> list[dict[str, Any]]:
    """All rows that the list gives to that question, page by page."""
    return [row for page in _pages(client, path, {"page_size": 1000, **query}) for row in page["results"]]


def seconds_of(rows: Sequence[Row]) -> list[int]:
    """The rows of `row_of` by the second that they were made with."""
    return [int(row["timestamp"][14:16]) * 60 + int(row["timestamp"][17:19]) for row in rows]


def body_of(response: Any) -> bytes:
    """All of a streamed answer, as an asynchronous server would send it."""

    async def collect() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(collect)()


def _pages(client: APIClient, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
    url: str | None = f"{path}?{urlencode(query)}"
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.content
        yield answer.json()
        url = answer.json()["next"]


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text
