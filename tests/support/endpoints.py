"""The other side of a notification: an HTTP endpoint that answers as it is told to, and mail servers."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.servers import free_port


@dataclass(frozen=True)
class Reply:
    """`hangs`: it never answers, until the endpoint closes. `cuts`: it closes the connection instead of answering."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs: bool = False
    cuts: bool = False


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Endpoint:
    """Answers with its replies in turn, the last again and again. What it was asked is in `asked`."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: Sequence[Reply] = replies or (Reply(),)
        self.asked: list[Asked] = []
        self.arrived = threading.Semaphore(0)  # one for each request, when it is there
        self.let_go = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = endpoint.replies[min(len(endpoint.asked), len(endpoint.replies) - 1)]
                endpoint.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                endpoint.arrived.release()
                if reply.hangs:
                    endpoint.let_go.wait()
                if reply.cuts:
                    self.close_connection = True
                    return
                with suppress(OSError):  # nobody waits any more
                    self.send_response(reply.status)
                    for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(reply.body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Endpoint:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class MailBox:
    """What a mail server has taken. `refused` answers to these recipients with that line. `in_clear`: what it heard of
    mails and their recipients unencrypted."""

    def __init__(self, refused: Mapping[str, str] | None = None) -> None:
        self.letters: list[Envelope] = []
        self.refused = dict(refused or {})
        self.in_clear: list[str] = []
        self.arrived = threading.Event()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if server.transport is None or server.transport.get_extra_info("ssl_object") is None:
            self.in_clear.append(address)
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        self.arrived.set()
        return "250 OK"


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """The server's own context, which aiosmtpd would begin with, is none for a client."""
        with ExitStack() as opened:
            said = opened.enter_context(socket.create_connection((self.hostname, self.port)))
            if self.ssl_context is not None:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                said = opened.enter_context(context.wrap_socket(said))
            said.recv(1024)


@contextmanager
def mail_server(
    box: MailBox, *, password: str = "", tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Its port, on 127.0.0.1. With a `password` it takes mail only from who logs in as `us` with it.

    `tls`: it is encrypted from the first byte; `starttls`: it offers to be, and takes nothing otherwise.
    """

    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword | Any
    ) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"us", password.encode()), handled=False)

    login = {"authenticator": check, "auth_required": True, "auth_require_tls": False} if password else {}
    controller = _Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        **login,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def curt_mail_server(**said: str) -> Iterator[int]:
    """The port of a mail server for one mail, which says to each command, and to the `mail` itself, what it is given:
    by default yes; nothing at all where that is empty. Of several lines for one command each is for one time."""
    answers = {"data": "354 Go on", "quit": "221 Bye", **said}
    times: Counter[str] = Counter()

    def answer(connection: socket.socket, command: str) -> None:
        lines = answers.get(command, "250 OK").split("\n")
        line = lines[min(times[command], len(lines) - 1)]
        times[command] += 1
        if line:
            connection.sendall(f"{line}\r\n".encode())

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 Hello\r\n")
                is_mail = False
                for line in lines:
                    if not is_mail:
                        command = line[:4].decode().lower()
                        answer(connection, "from" if command == "mail" else command)
                        is_mail = command == "data"
                    elif line == b".\r\n":
                        answer(connection, "mail")
                        is_mail = False

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join()


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])
