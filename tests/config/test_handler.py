"""The program behind ASGI: threads that last, answers that stream, static files, and a limit on the body."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import include, path
from rest_framework_simplejwt.tokens import AccessToken

from tests.people import Person
from tests.support import vehicles
from tests.support.vehicles import row_of
from wattkeeper.config import asgi
from wattkeeper.config.handler import THREADS, PooledHandler
from wattkeeper.config.static import static_files
from wattkeeper.flow.store.store import Store

together = threading.Barrier(8)
closed = threading.Event()


def thread(request: HttpRequest) -> HttpResponse:
    return HttpResponse(threading.current_thread().name)


def meeting(request: HttpRequest) -> HttpResponse:
    """Is answered only when as many others are under way at the same time."""
    together.wait(timeout=30)
    return HttpResponse(threading.current_thread().name)


def raising(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a mistake of ours")


def streaming(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)
        finally:
            closed.set()

    return StreamingHttpResponse(pieces())


def streaming_plainly(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        yield from (b"one ", b"two ", b"three")

    return StreamingHttpResponse(pieces())


def body(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.body)))


urlpatterns = [
    path("thread", thread),
    path("meeting", meeting),
    path("raising", raising),
    path("streaming", streaming),
    path("streaming_plainly", streaming_plainly),
    path("body", body),
    path("", include("wattkeeper.views.dashboard.urls")),  # the page that says "not found" leads to some
]

Application = Callable[..., Awaitable[None]]


def asked(application: Application, asking: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """What `asking` gives when it is handed a client of the application."""

    async def ask() -> Any:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await asking(client)

    return asyncio.run(ask())


def got(application: Application, path: str, **headers: str) -> httpx.Response:
    response: httpx.Response = asked(application, lambda client: client.get(path, headers=headers))
    return response


@pytest.fixture
def handler(settings: Any) -> Iterator[PooledHandler]:
    """One that answers with this file's views, without middlewares that would ask a database."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    made = PooledHandler()
    yield made
    made._threads.shutdown()


class TestThreads:
    def test_requests_at_the_same_time_do_not_wait_for_one_another(self, handler: PooledHandler) -> None:
        async def ask(client: httpx.AsyncClient) -> list[httpx.Response]:
            return await asyncio.gather(*(client.get("/meeting") for _ in range(together.parties)))

        answers = asked(handler, ask)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == together.parties

    def test_a_request_finds_the_thread_of_the_one_before(self, handler: PooledHandler) -> None:
        async def ask(client: httpx.AsyncClient) -> set[str]:
            return {(await client.get("/thread")).text for _ in range(20)}

        (name,) = asked(handler, ask)
        assert name.startswith("request")

    def test_there_are_never_more_threads_than_a_few(self, handler: PooledHandler) -> None:
        async def ask(client: httpx.AsyncClient) -> set[str]:
            answers = await asyncio.gather(*(client.get("/thread") for _ in range(THREADS * 4)))
            return {answer.text for answer in answers}

        assert 1 <= len(asked(handler, ask)) <= THREADS

    def test_a_mistake_is_a_500_and_the_next_request_is_answered(self, handler: PooledHandler) -> None:
        async def ask(client: httpx.AsyncClient) -> list[int]:
            return [(await client.get(path)).status_code for path in ["/raising"] * 3 + ["/thread", "/nothing"]]

        assert asked(handler, ask) == [500, 500, 500, 200, 404]


class TestStreams:
    def test_pieces_come_in_order(self, handler: PooledHandler, recwarn: pytest.WarningsRecorder) -> None:
        assert got(handler, "/streaming_plainly").text == "one two three"

    def test_who_goes_away_ends_a_stream_that_has_no_end(self, handler: PooledHandler) -> None:
        closed.clear()

        async def read_a_little() -> int:
            enough, read = asyncio.Event(), 0
            asked_for = iter([{"type": "http.request", "body": b"", "more_body": False}])

            async def receive() -> Any:
                for message in asked_for:
                    return message
                await enough.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                nonlocal read
                read += len(message.get("body", b""))
                if read > 100_000:
                    enough.set()

            await asyncio.wait_for(handler(scope_of("/streaming"), receive, send), timeout=30)
            return read

        assert asyncio.run(read_a_little()) > 100_000
        assert closed.is_set()

    @pytest.mark.django_db(transaction=True)
    def test_a_made_file_is_sent_piece_by_piece(self, vehicle_store: Store, owner: Person) -> None:
        # Django would warn of an answer that it has to gather first, and a warning is an error.
        report = vehicles.upload(owner.jwt, vehicles.csv_of([row_of(0), row_of(1, soc=101)]))
        sign = f"Bearer {AccessToken.for_user(owner.user)}"
        for address in (report["refused_csv"], f"{vehicles.LIST}export/"):
            answer = got(asgi.application, address, Authorization=sign)
            assert (answer.status_code, answer.text.count("\n")) == (200, 2), answer.text
            assert answer.headers["X-Accel-Buffering"] == "no"


def scope_of(path: str) -> dict[str, Any]:
    """What a server hands on for a request of `path`, as it is."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"host", b"localhost")],
        "asgi": {"version": "3.0"},
    }


async def other_answer(scope: Any, receive: Any, send: Any) -> None:
    """What is behind the static files: says that it has been asked."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"x-asked", b"django")]})
    await send({"type": "http.response.body", "body": b""})


STYLE = "wattkeeper/wattkeeper.css"


class TestStaticFilesOnALaptop:
    @pytest.fixture(scope="class")
    @staticmethod
    def files() -> Application:
        application: Application = static_files(other_answer)
        return application

    @pytest.mark.parametrize("name", [STYLE, "wattkeeper/mark.svg", "admin/css/base.css"])
    def test_a_file_comes_as_it_lies_on_the_disk(self, name: str, files: Application) -> None:
        answer = got(files, f"/static/{name}")
        found = finders.find(name)
        assert isinstance(found, str)
        assert (answer.status_code, answer.content) == (200, Path(found).read_bytes())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_a_browser_knows_what_a_file_is(self, files: Application) -> None:
        assert got(files, f"/static/{STYLE}").headers["Content-Type"].startswith("text/css")
        assert got(files, "/static/wattkeeper/freshness.js").headers["Content-Type"].startswith("text/javascript")
        assert got(files, "/static/wattkeeper/mark.svg").headers["Content-Type"].startswith("image/svg+xml")

    def test_what_a_browser_has_is_not_sent_again(self, files: Application) -> None:
        first = got(files, f"/static/{STYLE}")
        assert "immutable" not in first.headers["Cache-Control"]  # its name stays when it changes
        again = got(files, f"/static/{STYLE}", **{"If-Modified-Since": first.headers["Last-Modified"]})
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize(
        "path",
        [
            "/static/wattkeeper/nothing.css",
            "/static/",
            "/static/wattkeeper/",
            "/static/../settings.py",
            "/static/../../pages.py",
            "/static/wattkeeper/../../templates/wattkeeper/login.html",
            "/static//etc/passwd",
            "/static/wattkeeper/wattkeeper.css\0.js",
            "//static/wattkeeper/wattkeeper.css",
        ],
    )
    def test_all_else_is_for_django_to_answer(self, path: str, files: Application) -> None:
        assert answered(files, path) == (404, {b"x-asked": b"django"})

    def test_django_knows_no_such_path_either(self, handler: PooledHandler) -> None:
        files = static_files(handler)
        assert got(files, "/static/%2e%2e/settings.py").status_code == 404
        assert got(files, "/static/nothing.css").status_code == 404


def answered(application: Application, path: str) -> tuple[int, dict[bytes, bytes]]:
    """The status and headers for exactly this path: a client would tidy it up."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(application(scope_of(path), receive, send))  # type: ignore[arg-type]
    return sent[0]["status"], dict(sent[0]["headers"])


class TestStaticFilesInProduction:
    @pytest.fixture(scope="class")
    @staticmethod
    def gathered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
        """What `serve` gathers at its start, and serves from there."""
        storage = {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"}
        changed = {
            "PRODUCTION": True,
            "STATIC_ROOT": tmp_path_factory.mktemp("static"),
            "STORAGES": {**django_settings.STORAGES, "staticfiles": storage},
        }
        with override_settings(**changed):
            call_command("collectstatic", interactive=False, verbosity=0)
            yield static_files(other_answer)

    def test_a_file_with_a_digest_in_its_name_is_kept_for_good(self, gathered: Application) -> None:
        address = staticfiles_storage.url(STYLE)
        assert re.fullmatch(r"/static/wattkeeper/wattkeeper\.[0-9a-f]{12}\.css", address)
        answer = got(gathered, address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]

    def test_a_file_is_compressed_for_who_understands_it(self, gathered: Application) -> None:
        address = staticfiles_storage.url(STYLE)
        packed, plain = (got(gathered, address, **{"Accept-Encoding": coding}) for coding in ("gzip", "identity"))
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
        assert packed.text == plain.text
        assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"

    def test_only_what_was_gathered_is_served(self, gathered: Application) -> None:
        for address in ("/static/../secret_key", "/static/wattkeeper/none.css"):
            assert answered(gathered, address)[0] == 404


class TestTheBody:
    """The program as a whole, which reads a body before it looks at anything."""

    PATH = "/user/login/"

    def post(self, **how: Any) -> httpx.Response:
        answer: httpx.Response = asked(asgi.application, lambda client: client.post(self.PATH, **how))
        return answer

    def assert_too_large(self, answer: httpx.Response) -> None:
        assert answer.status_code == 413
        assert answer.json() == {"detail": "The body is larger than 32 MiB. Send it in parts."}

    def test_one_that_says_it_is_too_large_is_refused(self) -> None:
        self.assert_too_large(self.post(content=b"x" * (asgi.MAX_BODY_BYTES + 1)))

    def test_one_that_becomes_too_large_is_refused(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(33):
                yield b"x" * (1 << 20)

        self.assert_too_large(self.post(content=pieces()))
        lies = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
        self.assert_too_large(self.post(content=pieces(), headers=lies))

    @pytest.mark.parametrize("length", ["-1", "x", "1e3", ""])
    def test_a_length_that_is_none_is_refused(self, length: str) -> None:
        self.assert_too_large(self.post(content=b"{}", headers={"Content-Length": length}))

    def test_one_of_a_chunks_size_passes(self, settings: Any, handler: PooledHandler, monkeypatch: Any) -> None:
        monkeypatch.setattr(asgi, "answers", handler)
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = asgi.MAX_BODY_BYTES
        answer = asked(asgi.application, lambda client: client.post("/body", content=b"x" * asgi.MAX_BODY_BYTES))
        assert answer.text == str(asgi.MAX_BODY_BYTES)
