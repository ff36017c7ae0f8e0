"""Files as a program sends them: in chunks through the API, finalized, and followed until they are loaded."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from tests.support.vehicles import body_of

PATH = "/api/v1/vehicle_data/"
COLUMNS = ("timestamp", "odometer", "soc", "elevation", "speed", "shift_state")
HEADER = b"timestamp,odometer,soc,elevation,speed,shift_state\n"
GOOD = b"2024-05-01T12:00:00Z,100,50,5,10,D\n"
LATER = b"2024-05-01T12:00:01Z,100,50,5,10,D\n"

_LOOKS = 2_400
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class FileUpload:
    """One file of one sender. `vehicle_id` None: the form does not say whose rows these are."""

    client: APIClient
    file_name: str = "drive.csv"
    vehicle_id: str | None = "V1"
    fingerprint: str | None = None

    def named(self, **changes: Any) -> FileUpload:
        """The same upload under another name, vehicle or sender."""
        return replace(self, **changes)

    def form(self, **fields: Any) -> dict[str, Any]:
        """The fields that name the upload, and `fields`; one that is None is left out."""
        named = {
            "file_name": self.file_name,
            "vehicle_id": self.vehicle_id,
            "fingerprint": self.fingerprint,
            **fields,
        }
        return {name: value for name, value in named.items() if value is not None}

    def send_chunk(self, content: bytes, index: Any = 0, total: Any = 1) -> Any:
        chunk = SimpleUploadedFile("blob", content)
        form = self.form(chunk=chunk, chunk_index=index, total_chunks=total)
        return self.client.post(f"{PATH}upload_chunk/", form, format="multipart")

    def send(self, chunks: Sequence[bytes], order: Iterable[int] | None = None) -> int:
        """Send the chunks, by default in their order; gives how many the file has."""
        for index in range(len(chunks)) if order is None else order:
            response = self.send_chunk(chunks[index], index, len(chunks))
            assert response.status_code == 200, response.content
        return len(chunks)

    def finalize(self, total: Any = 1, *, respond_async: bool = False) -> Any:
        headers = {"Prefer": "respond-async"} if respond_async else {}
        form = self.form(total_chunks=total)
        return self.client.post(f"{PATH}finalize_upload/", form, format="json", headers=headers)

    def preview(self, content: bytes, **fields: Any) -> Any:
        form = self.form(**{"head": SimpleUploadedFile("blob", content), **fields})
        return self.client.post(f"{PATH}preview_upload/", form, format="multipart")

    def load(self, content: bytes, *, chunk_bytes: int | None = None) -> dict[str, Any]:
        """Send all of it and finalize; the report."""
        response = self.finalize(self.send(pieces(content, chunk_bytes or max(len(content), 1))))
        assert response.status_code == 200, response.content
        report: dict[str, Any] = response.json()
        return report

    def follow(self, response: Any) -> dict[str, Any]:
        """What a 202's Location says when the upload is no longer running."""
        assert response.status_code == 202, response.content
        for _ in range(_LOOKS):
            told: dict[str, Any] = self.client.get(response["Location"]).json()
            if told["status"] != "running":
                return told
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"The upload is still running: {told}")


def pieces(content: bytes, size: int) -> list[bytes]:
    """`content` in chunks of `size` bytes; nothing is one empty chunk."""
    return [content[start : start + size] for start in range(0, len(content), size)] or [b""]


def stored_rows(client: APIClient, **filters: Any) -> list[dict[str, Any]]:
    """The rows that the list shows, at most a page of 1000."""
    response = client.get(PATH, {"page_size": 1000, **filters})
    assert response.status_code == 200, response.content
    rows: list[dict[str, Any]] = response.json()["results"]
    return rows


def refused_table(client: APIClient, report: Mapping[str, Any]) -> list[dict[str, str]]:
    """The downloadable CSV of the refused rows, read."""
    response = client.get(report["refused_csv"])
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(body_of(response).decode(), newline="")))


def mend_table(client: APIClient, report: Mapping[str, Any], delimiter: str = ",") -> list[list[str]]:
    """The refused rows as they are given to be mended: the header, then the rows."""
    response = client.get(report["refused_csv"], {"layout": "mend"})
    assert response.status_code == 200, response.content
    return list(csv.reader(io.StringIO(body_of(response).decode(), newline=""), delimiter=delimiter))


def counts(report: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Rows read, inserted, duplicates, refused."""
    return report["rows_read"], report["inserted"], report["duplicates"], report["refused"]


def moment(second: int) -> str:
    """A time on the first of May 2024, so many seconds after noon."""
    minutes, seconds = divmod(second, 60)
    return f"2024-05-01T{12 + minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}Z"
