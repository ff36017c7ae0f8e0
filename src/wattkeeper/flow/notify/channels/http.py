"""The one way in which channels post: to the address that was checked, without redirects, and never for longer than
the time that it is given. What came back is told as it was."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channels.addresses import AddressRefusedError, addresses_of, check_url
from wattkeeper.flow.notify.channels.declared import Attempt, Outcome
from wattkeeper.flow.notify.channels.outside import outside

_LARGEST_ANSWER = 16 << 10
_LATER = frozenset({408, 425, 429})
_MEANT: Mapping[int, str] = {
    401: "it does not know us. Give the channel its address or its secret anew",
    403: "we may not. Give the channel its address or its secret anew",
    404: "there is nothing at this address. Make it anew there, and give the channel the new one",
    410: "what was there is gone. Make it anew there, and give the channel the new address",
    413: "the message is too large for it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: `status` None and a `failure` in words where nothing did. `is_final`: nor will it.

    `may_have_arrived`: what was posted was on its way when the silence began.
    """

    status: int | None = None
    body: bytes = b""
    retry_after_seconds: float | None = None
    failure: str = ""
    is_final: bool = False
    may_have_arrived: bool = False


@dataclass(slots=True)
class _Way:
    """How far a request has come."""

    is_looked_up: bool = False
    is_under_way: bool = False  # its body, without which it is none

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        """Called by httpx with each of its steps."""
        self.is_under_way |= event == "http11.send_request_body.started"

    @property
    def silence(self) -> str:
        if self.is_under_way:
            return "No answer in time"
        return "No connection in time" if self.is_looked_up else "Its name could not be looked up in time"


def post(
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
    auth: tuple[str, str] | None = None,
) -> Answer:
    """POST it; does not raise. The body of the answer is cut at 16 KiB."""
    way = _Way()
    try:
        check_url(url)
        return asyncio.run(_post_in_time(httpx.URL(url), content, headers, auth, way))
    except AddressRefusedError as error:
        return Answer(failure=str(error), is_final=True)
    except (httpx.InvalidURL, UnicodeError):
        return Answer(failure="This is no URL.", is_final=True)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(failure=way.silence, may_have_arrived=way.is_under_way)
    except httpx.TransportError as error:
        return Answer(failure=f"No connection: {_reason(error)}", may_have_arrived=way.is_under_way)
    except OSError as error:
        return Answer(failure=f"No such host: {error.strerror or type(error).__name__}")


def attempt_of(answer: Answer) -> Attempt:
    """What an answer means where its status says all: 2xx is delivered."""
    status = answer.status
    if status is None:
        outcome = Outcome.REFUSED if answer.is_final else Outcome.LATER
        return Attempt(outcome=outcome, detail=answer.failure, may_have_arrived=answer.may_have_arrived)
    if 200 <= status < 300:
        return Attempt(outcome=Outcome.DELIVERED, detail=f"HTTP {status}", status=status)
    if status in _LATER or status >= 500:
        return Attempt(
            outcome=Outcome.LATER,
            detail=f"HTTP {status}",
            status=status,
            retry_after_seconds=answer.retry_after_seconds,
        )
    meant = "it sends us elsewhere, and redirects are not followed" if 300 <= status < 400 else _MEANT.get(status, "")
    return Attempt(outcome=Outcome.REFUSED, detail=f"HTTP {status}{': ' if meant else ''}{meant}", status=status)


async def _post_in_time(
    target: httpx.URL,
    content: bytes,
    headers: Mapping[str, str],
    auth: tuple[str, str] | None,
    way: _Way,
) -> Answer:
    world = outside()
    limits = httpx.Timeout(world.read_seconds, connect=world.connect_seconds)
    async with (
        asyncio.timeout(world.total_seconds),
        # No proxies of the environment: what a proxy reaches is beyond what has been checked.
        httpx.AsyncClient(verify=_tls(), timeout=limits, trust_env=False, follow_redirects=False) as client,
    ):
        addresses = await _addresses(target.host, target.port or (443 if target.scheme == "https" else 80))
        way.is_looked_up = True
        for address in addresses[:-1]:
            try:
                return await _post(client, target, address, content, headers, auth, way)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await _post(client, target, addresses[-1], content, headers, auth, way)


async def _addresses(host: str, port: int) -> Sequence[str]:
    """Asked in a thread that nobody waits for: a resolver that hangs cannot be called off."""
    found: Future[Sequence[str]] = Future()
    found.set_running_or_notify_cancel()

    def look_up() -> None:
        try:
            found.set_result(addresses_of(host, port))
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=look_up, name="notify-resolve", daemon=True).start()
    return await asyncio.wrap_future(found)


async def _post(
    client: httpx.AsyncClient,
    target: httpx.URL,
    address: str,
    content: bytes,
    headers: Mapping[str, str],
    auth: tuple[str, str] | None,
    way: _Way,
) -> Answer:
    async with client.stream(
        "POST",
        target.copy_with(host=address),
        content=content,
        headers={
            "User-Agent": "Wattkeeper",
            "Accept-Encoding": "identity",
            **headers,
            "Host": target.netloc.decode("ascii"),
        },
        auth=auth or httpx.USE_CLIENT_DEFAULT,
        extensions={"sni_hostname": target.host, "trace": way.trace},
    ) as response:
        body = b""
        async for piece in response.aiter_raw():
            body += piece
            if len(body) >= _LARGEST_ANSWER:
                break
        return Answer(
            status=response.status_code,
            body=body[:_LARGEST_ANSWER],
            retry_after_seconds=_seconds(response.headers.get("retry-after", "")),
        )


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _seconds(retry_after: str) -> float | None:
    """It is a number of seconds or a date; None for anything else."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
        return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - clock.now()).total_seconds())
    except (ValueError, OverflowError):
        return None


def _reason(error: BaseException) -> str:
    """What the system says of it: the library's own words may hold the address, which may be a secret."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {seen.verify_message}"
        if isinstance(seen, OSError) and seen.errno:
            return os.strerror(seen.errno)
        seen = seen.__cause__ or seen.__context__
    return type(error).__name__
