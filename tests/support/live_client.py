"""A client of live frames, as the pages' is: fetches, follows, comes back, and fetches anew where it is told to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support.servers import PATIENCE_SECONDS, Server

DASHBOARD, LIVE = "/ws/dashboard/", "/ws/live/"


def cookie(server: Server, session: str, *, origin: str | None = "") -> dict[str, str]:
    """The headers of a page: `origin` empty is the server's own, None: it says none."""
    said = {} if origin is None else {"Origin": origin or server.url}
    return {"Cookie": f"sessionid={session}", **said}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def api_key(secret: str) -> dict[str, str]:
    return {"Authorization": f"Api-Key {secret}"}


def refused(server: Server, headers: Mapping[str, str], *, path: str = LIVE, **query: Any) -> int:
    """The status with which the handshake is refused; 101 where it is not."""
    try:
        with Socket(server, headers, path=path, **query):
            return 101
    except InvalidStatus as error:
        return int(error.response.status_code)


class Socket:
    """An open socket; its first frame, the hello, is read already."""

    def __init__(self, server: Server, headers: Mapping[str, str], *, path: str = LIVE, **query: Any) -> None:
        address = f"ws://127.0.0.1:{server.port}{path}?{urlencode(query)}"
        self._stack = ExitStack()
        self._open: ClientConnection = self._stack.enter_context(
            connect(address, additional_headers=dict(headers), open_timeout=PATIENCE_SECONDS, proxy=None, max_size=None)
        )
        self.hello = self.frame()

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *wrong: object) -> None:
        self.close()

    def frame(self, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The next frame. TimeoutError where none comes."""
        return dict(json.loads(self._open.recv(timeout=seconds)))

    def frames_until(self, is_last: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
        """All up to one for which this holds."""
        found = [self.frame()]
        while not is_last(found[-1]):
            found.append(self.frame())
        return found

    def watch(self, assets: list[int] | None) -> None:
        self.say(json.dumps({"type": "watch", "assets": assets}))

    def say(self, text: str | bytes) -> None:
        self._open.send(text)

    def close_code(self) -> int | None:
        """With which the server closes it; what it says until then is not read."""
        try:
            while True:
                self.frame()
        except ConnectionClosed:
            return self._open.close_code

    def close(self) -> None:
        self._stack.close()


class Page:
    """What a page of batteries knows: fetched, and then followed by frames."""

    def __init__(self, server: Server, secret: str, **query: Any) -> None:
        self._server, self._headers, self._query = server, api_key(secret), query
        self._http = httpx.Client(base_url=server.url, headers=self._headers, timeout=PATIENCE_SECONDS)
        self.batteries: dict[int, Any] = {}
        self.alerts: dict[int, Any] = {}
        self.resumed = 0
        self._id = ""
        self._socket: Socket | None = None
        self.come()

    def come(self) -> None:
        """Open the socket, again: from where it was, if it was."""
        after = {"after": self._id} if self._id else {}
        self._socket = Socket(self._server, self._headers, path=DASHBOARD, **after, **self._query)
        hello = self._socket.hello
        self._id = hello["id"]
        if hello["resumed"]:
            self.resumed += 1
        else:
            self.batteries, self.alerts = self.fetched()

    def go(self) -> None:
        assert self._socket is not None
        self._socket.close()

    def end(self) -> None:
        self.go()
        self._http.close()

    def fetched(self) -> tuple[dict[int, Any], dict[int, Any]]:
        """Batteries and alerts by id, as they are now."""
        return self._all("/api/batteries/"), self._all("/api/alerts/")

    def follow(self, seconds: float = 0.0) -> None:
        """Take in what has come, and what comes within these seconds of silence."""
        assert self._socket is not None
        while True:
            try:
                self._take(self._socket.frame(seconds))
            except TimeoutError:
                return

    def follow_until_fresh(self) -> None:
        """Until what it knows is what a fresh fetch says; AssertionError if that never comes."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.follow(0.05)
            batteries, alerts = self.fetched()
            if (self.batteries, self.alerts) == (batteries, alerts):
                return
            if time.monotonic() > until:
                raise AssertionError(f"{_other(self.batteries, batteries)} {_other(self.alerts, alerts)}")

    def _take(self, frame: Mapping[str, Any]) -> None:
        self._id = frame["id"]
        if frame["type"] == "resync":
            self.batteries, self.alerts = self.fetched()
        for listed_as, known in (("batteries", self.batteries), ("alerts", self.alerts)):
            if listed_as in frame:
                known.update({one["id"]: one for one in frame[listed_as]})
                for pk in frame["removed"]:
                    known.pop(pk, None)

    def _all(self, path: str) -> dict[int, Any]:
        found: dict[int, Any] = {}
        next_page: str | None = f"{path}?page_size=100"
        while next_page:
            page = self._http.get(next_page).raise_for_status().json()
            found |= {one["id"]: one for one in page["results"]}
            next_page = page["next"]
        return found


def _other(known: Mapping[int, Any], fresh: Mapping[int, Any]) -> list[str]:
    """In what they differ."""
    return [
        f"{pk}: known {known.get(pk)}, fresh {fresh.get(pk)}"
        for pk in sorted(known.keys() | fresh.keys())
        if known.get(pk) != fresh.get(pk)
    ]
