"""What a running server makes of requests that are written in less usual ways."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.support.servers import Server

ROW = {"vehicle_id": "chunked", "timestamp": "2025-01-01T00:00:00Z", "odometer": 1, "soc": 5, "elevation": 3}


def pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 7):
        yield content[start : start + 7]


@pytest.mark.xdist_group("running server")
class TestTheServer:
    def test_a_body_without_a_length_is_read(self, running: Server) -> None:
        with running.client() as client:
            headers = {"Content-Type": "application/json"}
            answer = client.post("", content=pieces(json.dumps(ROW).encode()), headers=headers)
            assert (answer.status_code, answer.json()["soc"]) == (201, 5)

    def test_a_file_without_a_length_is_read(self, running: Server) -> None:
        name = {"file_name": "f.csv", "total_chunks": "1", "vehicle_id": "chunked"}
        form = httpx.Request(
            "POST",
            "http://x",
            data={**name, "chunk_index": "0"},
            files={"chunk": b"timestamp,odometer,soc,elevation\n"},
        )
        with running.client() as client:
            headers = {"Content-Type": form.headers["Content-Type"]}
            assert client.post("upload_chunk/", content=pieces(form.read()), headers=headers).status_code == 200
            assert client.post("finalize_upload/", data=name).json()["inserted"] == 0

    @pytest.mark.parametrize("path", ["/api/nope", "/api/v1/vehicle_data/uploads/46b65784/", "/vehicle_data/a/b/c/"])
    def test_a_program_that_asks_for_what_is_not_there_is_told_in_json(self, running: Server, path: str) -> None:
        answer = httpx.get(running.url + path, headers={"Authorization": f"Api-Key {running.key}"})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})

    def test_a_person_who_asks_for_what_is_not_there_gets_a_page(self, running: Server) -> None:
        answer = httpx.get(f"{running.url}/nope")
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")

    def test_a_host_that_is_not_ours_is_a_400_in_json(self, running: Server) -> None:
        answer = httpx.get(f"{running.url}/api/v1/vehicle_data/", headers={"Host": "evil.example"})
        assert (answer.status_code, answer.json()) == (400, {"detail": "This request cannot be read."})

    def test_a_request_that_ends_early_harms_nobody(self, running: Server) -> None:
        with socket.create_connection(("127.0.0.1", running.port)) as short:
            short.sendall(b"POST /api/v1/vehicle_data/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n{")
        with running.client() as client:
            assert client.get("").status_code == 200
