"""Webhooks: what is posted, how it is signed, and what each answer means."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import socket
import threading
from dataclasses import replace
from typing import Any

import anyio
import pytest

from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import EVENT, NOON, SECRET, message, news, send
from tests.support.servers import free_port
from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channels.declared import Attempt, Outcome
from wattkeeper.flow.notify.channels.outside import connect, outside
from wattkeeper.flow.notify.channels.registry import channel_types


def post(url: str, **values: Any) -> Attempt:
    return send("webhook", {"url": url, "secret": SECRET}, message(**values))


def test_the_news_are_posted_as_json(endpoint: Endpoint) -> None:
    attempt = post(f"{endpoint.url}/hook?key=1")
    assert (attempt.outcome, attempt.status, attempt.detail) == (Outcome.DELIVERED, 200, "HTTP 200")
    (asked,) = endpoint.asked
    assert asked.path == "/hook?key=1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["host"] == f"127.0.0.1:{endpoint.port}"
    assert asked.json == {
        "event_id": str(EVENT),
        "sent_at": "2026-05-01T12:00:00Z",
        "tenant": "North",
        "test": False,
        "title": "CRITICAL: Over temperature of BAT-1",
        "news": [
            {
                "alert_id": 5,
                "what": "opened",
                "level": "CRITICAL",
                "alert_type": "OVER_TEMPERATURE",
                "kind": "battery",
                "asset_key": "BAT-1",
                "asset_name": "",
                "site": "North hall",
                "message": "Temperature 61.2 °C, above 50 °C",
                "value": "61.2 °C",
                "limit": "above 50 °C",
                "since": "2026-05-01T12:00:00Z",
                "address": "https://w.example/alerts/5/",
            }
        ],
    }


def test_whoever_has_the_secret_can_verify_the_signature(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    post(endpoint.url)
    (asked,) = endpoint.asked
    stamp, _, signature = asked.headers["x-wattkeeper-signature"].partition(",")
    assert stamp == f"t={int(NOON.timestamp())}"
    signed = f"{int(NOON.timestamp())}.".encode() + asked.body
    assert signature == f"v1={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"


def test_each_attempt_has_the_same_event(endpoint: Endpoint) -> None:
    post(endpoint.url)
    post(endpoint.url)
    assert [asked.headers["x-wattkeeper-event"] for asked in endpoint.asked] == [str(EVENT)] * 2


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_yes(status: int, endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(status)]
    assert post(endpoint.url).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_what_will_not_work_as_it_is_is_refused(status: int, endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(status, body=b"no")]
    attempt = post(endpoint.url)
    assert (attempt.outcome, attempt.status) == (Outcome.REFUSED, status)
    assert attempt.detail.startswith(f"HTTP {status}")
    assert (": " in attempt.detail) == (status not in (400, 422))  # what to do, where that is known


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_work_in_a_while_is_for_later(status: int, endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(status)]
    attempt = post(endpoint.url)
    assert (attempt.outcome, attempt.status, attempt.retry_after_seconds) == (Outcome.LATER, status, None)
    assert not attempt.may_have_arrived


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120), ("0", 0), ("Fri, 01 May 2026 12:01:30 GMT", 90), ("Fri, 01 May 2026 11:00:00 GMT", 0)],
)
def test_when_to_come_back_is_heard(
    said: str, seconds: float, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    endpoint.replies = [Reply(429, headers={"Retry-After": said})]
    assert post(endpoint.url).retry_after_seconds == seconds


@pytest.mark.parametrize("said", ["soon", "-5", "1.5", "\u0661", ""])
def test_what_is_no_time_to_come_back_is_none(said: str, endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(503, headers={"Retry-After": said.encode().decode("latin-1")})]
    attempt = post(endpoint.url)
    assert (attempt.outcome, attempt.retry_after_seconds) == (Outcome.LATER, None)


def test_a_redirect_is_not_followed(endpoint: Endpoint) -> None:
    with Endpoint() as elsewhere:
        endpoint.replies = [Reply(307, headers={"Location": elsewhere.url})]
        attempt = post(endpoint.url)
        assert (attempt.outcome, attempt.status) == (Outcome.REFUSED, 307)
        assert not elsewhere.asked


def test_who_does_not_answer_is_asked_later(endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(hangs=True)]
    connect(replace(outside(), read_seconds=0.1))
    assert post(endpoint.url) == Attempt(outcome=Outcome.LATER, detail="No answer in time", may_have_arrived=True)


def test_what_is_cut_off_before_it_is_answered_may_have_arrived(endpoint: Endpoint) -> None:
    endpoint.replies = [Reply(cuts=True)]
    attempt = post(endpoint.url)
    assert (attempt.outcome, attempt.may_have_arrived) == (Outcome.LATER, True)
    assert endpoint.asked


def test_where_no_connection_was_made_in_time_nothing_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(anyio, "connect_tcp", hangs)
    connect(replace(outside(), connect_seconds=0.1))
    attempt = post("http://127.0.0.1/")
    assert attempt == Attempt(outcome=Outcome.LATER, detail="No connection in time")


def test_who_answers_without_an_end_is_cut_off() -> None:
    with Endpoint(Reply(200, headers={"Content-Length": "1000000"}, body=b"x" * 100)) as slow:
        connect(replace(outside(), total_seconds=0.3))
        attempt = post(slow.url)
    assert (attempt.outcome, attempt.may_have_arrived) == (Outcome.LATER, True)


def test_where_nobody_listens_it_is_tried_later() -> None:
    attempt = post(f"http://127.0.0.1:{free_port()}/")
    assert attempt == Attempt(outcome=Outcome.LATER, detail="No connection: Connection refused")


def test_where_there_is_no_such_host_it_is_tried_later() -> None:
    attempt = post("https://there-is-no-such-host.invalid/")
    assert attempt.outcome is Outcome.LATER
    assert attempt.detail.startswith("No such host: ")


def test_a_name_that_is_looked_up_without_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def hangs(*_: Any, **__: Any) -> Any:
        let_go.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    connect(replace(outside(), total_seconds=0.1))
    try:
        attempt = post("https://hooks.example/")  # it would take as long as a test may take
    finally:
        let_go.set()
    assert attempt == Attempt(outcome=Outcome.LATER, detail="Its name could not be looked up in time")


def test_a_test_says_that_it_is_one(endpoint: Endpoint) -> None:
    kind = channel_types()["webhook"]
    kind.send({"url": endpoint.url, "secret": SECRET}, replace(message(), news=(), is_test=True))
    assert (endpoint.asked[0].json["test"], endpoint.asked[0].json["news"]) == (True, [])


def test_where_it_goes_is_said_without_what_is_secret() -> None:
    kept = {"url": "https://hooks.example:8443/token/abc?key=1", "secret": SECRET}
    assert channel_types()["webhook"].whereto(kept) == "https://hooks.example:8443/..."


def test_nothing_secret_is_logged(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        post(f"{endpoint.url}/token-in-the-path")
        endpoint.replies = [Reply(500)]
        post(f"{endpoint.url}/token-in-the-path")
    assert "token-in-the-path" not in caplog.text
    assert SECRET not in caplog.text


def test_all_news_are_there_however_many(endpoint: Endpoint) -> None:
    send("webhook", {"url": endpoint.url, "secret": SECRET}, message(*(news(alert_id=n) for n in range(500))))
    assert [one["alert_id"] for one in endpoint.asked[0].json["news"]] == list(range(500))
