"""ClickHouse's HTTP protocol, answered by chDB: the production transport against the real engine.

It is a test's server, not ClickHouse: what it shares with one is the protocol as the driver speaks it, and the
engine behind. It is a process of its own, for a process has one engine, and lives until its standard input ends:

    python -m tests.support.clickhouse_http PATH
"""

from __future__ import annotations

import json
import queue
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame

# Parameters of the protocol; all others are settings of the query.
PROTOCOL = {"query", "database", "session_id", "query_id", "compress", "enable_http_compression", "wait_end_of_query"}
PROTOCOL |= {"client_protocol_version", "send_progress_in_http_headers", "http_headers_progress_interval_ms", "role"}
PROTOCOL |= {"buffer_size", "session_timeout", "session_check", "cancel_http_readonly_queries_on_client_close"}
# Each block of these stands for itself, so that they can be sent as they come.
STREAMED = {"Native", "CSV", "JSONEachRow", "TabSeparated", "RowBinary"}
INSERT = re.compile(rb"^\s*INSERT\s+INTO\s+(?P<target>.+?)\s+FORMAT\s+(?P<format>\w+)\s*$", re.IGNORECASE | re.DOTALL)
FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)


class Engine:
    """Connections to the one engine: a busy one answers nobody else."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()

    @contextmanager
    def connection(self, settings: dict[str, str]) -> Iterator[Any]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = chdb.connect(self._path)
        for name, value in settings.items():
            connection.query(f"SET {name} = {quoted(value)}")
        try:
            yield connection
        finally:
            for name in settings:
                connection.query(f"SET {name} = DEFAULT")
            self._idle.put(connection)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: Engine

    def do_GET(self) -> None:
        self._send(b"Ok.\n")

    def do_POST(self) -> None:
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        try:
            self._answer(parameters, body)
        except RuntimeError as error:
            self._fail(str(error))

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: a failed test shows the client's side."""

    def _answer(self, parameters: dict[str, str], body: bytes) -> None:
        sql = parameters.get("query", "").encode()
        values = {name.removeprefix("param_"): value for name, value in parameters.items() if name.startswith("param_")}
        settings = {name: value for name, value in parameters.items() if name not in PROTOCOL and name not in values}
        settings = {name: value for name, value in settings.items() if not name.startswith("param_")}
        insert = INSERT.match(sql)
        if not insert and not sql:
            first, _, rest = body.partition(b"\n")
            insert = INSERT.match(first)
            sql, body = (first, rest) if insert else (body, b"")
        with self.engine.connection(settings) as connection:
            if insert:
                self._insert(connection, insert["target"].decode(), insert["format"].decode(), body)
            else:
                self._query(connection, sql.decode(), values)

    def _insert(self, connection: Any, target: str, format_: str, body: bytes) -> None:
        """The data become a file: they are never part of a statement."""
        settings = ""
        if " SETTINGS " in target:
            target, _, settings = target.partition(" SETTINGS ")
            settings = f" SETTINGS {settings}"
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            done = connection.query(f"INSERT INTO {target} FROM INFILE {quoted(file.name)}{settings} FORMAT {format_}")
            self._send(b"", summary={"written_rows": str(done.rows_read())})

    def _query(self, connection: Any, sql: str, values: dict[str, str]) -> None:
        found = FORMAT.search(sql)
        format_ = found[1] if found else "TabSeparated"
        if found and format_ in STREAMED and sql.lstrip().upper().startswith(("SELECT", "WITH")):
            self._stream(connection.send_query(sql, format_, params=values), format_)
        else:
            self._send(connection.query(sql, format_, params=values).bytes() or b"", format_=format_)

    def _stream(self, blocks: Any, format_: str) -> None:
        first = next(blocks, None)  # what is wrong with the query shows now
        self._head(200, format_=format_)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while first is not None:
            if data := first.bytes():
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            first = next(blocks, None)
        self.wfile.write(b"0\r\n\r\n")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            raw = b"".join(parts)
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.headers.get("Content-Encoding"):
            case None | "identity":
                return raw
            case "lz4":
                return bytes(lz4.frame.decompress(raw))
            case other:
                raise RuntimeError(f"Code: 1. The test server reads no {other}")

    def _fail(self, message: str) -> None:
        code = re.search(r"Code: (\d+)", message)
        data = message[message.find("Code: ") :].encode()
        self._head(500)
        self.send_header("X-ClickHouse-Exception-Code", code[1] if code else "1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send(self, data: bytes, *, format_: str = "TabSeparated", summary: dict[str, str] | None = None) -> None:
        self._head(200, format_=format_)
        self.send_header("X-ClickHouse-Summary", json.dumps(summary or {}))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _head(self, status: int, *, format_: str = "TabSeparated") -> None:
        self.send_response(status)
        self.send_header("X-ClickHouse-Format", format_)
        self.send_header("X-ClickHouse-Timezone", "UTC")


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main(path: str) -> None:
    Handler.engine = Engine(path)
    with Handler.engine.connection({}) as first:
        first.query("SELECT 1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201  (read by who started it)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
