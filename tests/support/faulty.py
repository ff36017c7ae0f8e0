"""A server that answers what it is told to, right or wrong, on a port of its own."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`promised` above the body's length: the connection ends in the middle of the answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None


RESET = Answer(status=0)
Script = Callable[["FaultyServer", str, str], Answer]


@dataclass
class FaultyServer:
    """`asked`: what has come, as (method, path without its query)."""

    script: Script
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def times(self, part: str) -> int:
        """How often a path with `part` in it has been asked for."""
        return sum(part in path for _, path in self.asked)


@contextmanager
def faulty(script: Script) -> Iterator[FaultyServer]:
    """Answers every request with what `script(server, method, path)` gives."""
    state, lock = FaultyServer(script), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10  # what hangs ends in the test that it belongs to

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            with lock:
                state.asked.append((self.command, path))
                answer = script(state, self.command, path)
            if answer is RESET:
                linger = struct.pack("ii", 1, 0)  # closing sends a reset instead of a farewell
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(answer.promised or len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = bool(answer.promised)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Silence: a failed test shows the client's side."""

        def finish(self) -> None:
            if not self.connection._closed:  # type: ignore[attr-defined]
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that closing waits for them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
