"""The news as JSON to a URL, signed, for programs.

How a receiver verifies it: `X-Wattkeeper-Signature` is `t=UNIX_SECONDS,v1=HEX`. HEX is the HMAC-SHA256, by the shared
secret, of the bytes `UNIX_SECONDS.BODY`, the body as it was received. Compare in constant time, refuse what is older
than five minutes, and take each `X-Wattkeeper-Event` once: it is the same in every attempt, and so is the body of all
that may have arrived. What has changed since is another event.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channels import checks
from wattkeeper.flow.notify.channels.checks import settings_checked
from wattkeeper.flow.notify.channels.declared import AlertNews, Attempt, ChannelType, Message, SettingField, Settings
from wattkeeper.flow.notify.channels.http import attempt_of, post

SHORTEST_SECRET = 16

_FIELDS = (
    SettingField(name="url", label="URL", help="It is sent a POST with JSON; any 2xx is a yes.", is_secret=True),
    SettingField(
        name="secret",
        label="Secret",
        help=f"Signs each request (HMAC-SHA256). At least {SHORTEST_SECRET} characters.",
        is_secret=True,
    ),
)


def signature_of(secret: str, body: bytes, *, at: int) -> str:
    """What stands in `X-Wattkeeper-Signature`; `at` in seconds since 1970."""
    signed = hmac.new(secret.encode(), b"%d.%b" % (at, body), hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def body_of(message: Message) -> bytes:
    """The message as UTF-8; `sent_at` is when it was written, in whichever attempt it arrives."""
    body = {
        "event_id": str(message.event_id),
        "sent_at": _iso(message.at),
        "tenant": message.tenant_name,
        "test": message.is_test,
        "title": message.title,
        "news": [_json(one) for one in message.news],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _json(news: AlertNews) -> dict[str, Any]:
    return {**asdict(news), "since": _iso(news.since)}


def _iso(moment: Any) -> str:
    return str(moment.isoformat()).replace("+00:00", "Z")


def _check(given: Settings) -> dict[str, Any]:
    return settings_checked(_FIELDS, given, {"url": checks.url, "secret": _secret})


def _secret(text: str) -> str:
    if len(text) < SHORTEST_SECRET:
        raise ValidationError(f"Ensure this has at least {SHORTEST_SECRET} characters.")
    return text


def _whereto(settings: Settings) -> str:
    """Scheme, host and port: a token is often a part of the path."""
    parts = urlsplit(settings["url"])
    return f"{parts.scheme}://{parts.netloc}/..."


def _send(settings: Settings, message: Message) -> Attempt:
    body = body_of(message)
    headers = {
        "Content-Type": "application/json",
        "X-Wattkeeper-Event": str(message.event_id),
        "X-Wattkeeper-Signature": signature_of(settings["secret"], body, at=int(clock.now().timestamp())),
    }
    return attempt_of(post(settings["url"], content=body, headers=headers))


TYPE = ChannelType(
    name="webhook",
    label="Webhook",
    icon="code-bracket",
    fields=_FIELDS,
    check=_check,
    whereto=_whereto,
    send=_send,
    notes={
        "Signature": "X-Wattkeeper-Signature is t=UNIX_SECONDS,v1=HEX, the HMAC-SHA256 of UNIX_SECONDS.BODY.",
        "Event": "X-Wattkeeper-Event is the same in every attempt: take each once.",
    },
)
