"""The Adaptive Card that a workflow posts: https://adaptivecards.io/explorer/"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from wattkeeper.flow.notify.channels.declared import AlertNews, Message
from wattkeeper.flow.notify.channels.wording import is_over, moment_of, place_of, shortened, type_of, what_of

# Teams takes 28 KB; what a workflow makes of a card is larger than what it was given.
LARGEST_BYTES = 20_000
MOST_NEWS = 30
_LONGEST_TEXT = 300
_COLOURS: Mapping[str, str] = {
    "INFO": "accent",
    "WARNING": "warning",
    "ERROR": "attention",
    "CRITICAL": "attention",
}
# A text block reads Markdown: what a battery is called must not become a link or a heading.
_LIST = re.compile(r"^(\s*\d*)([-+.])(?=\s)", re.MULTILINE)
_MENTION = re.compile(r"<(?=/?at\b)", re.IGNORECASE)
_EXPRESSION = re.compile(r"\{(?=\{)")
_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]()#~"})


def card_of(message: Message, *, most_bytes: int) -> bytes:
    """The card in the envelope of a message, as JSON below so many bytes: with as much of the news as fits."""
    shown = min(len(message.news), MOST_NEWS)
    while True:
        card = _encoded(message, shown)
        if len(card) < most_bytes or shown == 0:
            return card
        shown = min(shown - 1, shown * most_bytes // len(card))


def _encoded(message: Message, shown: int) -> bytes:
    body: list[dict[str, Any]] = [
        _text(_plain(shortened(message.title, _LONGEST_TEXT)), size="Large", weight="Bolder", style="heading")
    ]
    body += [_item(one, message.zone) for one in message.news[:shown]]
    if (left_out := len(message.news) - shown) > 0:
        body.append(_text(f"{'And ' if shown else ''}{left_out} {'more' if shown else 'alerts'}.", isSubtle=True))
    body.append(_text(_plain(f"{message.tenant_name}, {moment_of(message.at, message.zone)}"), isSubtle=True))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if len(message.news) == 1:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the alert", "url": message.news[0].address}]
    elif message.news:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the alerts", "url": _list_of(message.news[0])}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    envelope = {"type": "message", "attachments": [attachment]}
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def _item(news: AlertNews, zone: str) -> dict[str, Any]:
    colour = "good" if is_over(news) else _COLOURS[news.level]
    link = f"[{_plain(type_of(news))}]({news.address})"
    return {
        "type": "Container",
        "separator": True,
        "items": [
            _text(f"{what_of(news)}: {news.level}", color=colour, weight="Bolder"),
            _text(f"{link} of {_plain(place_of(news))}", spacing="None"),
            _text(_plain(shortened(news.message, _LONGEST_TEXT)), spacing="None"),
            _text(_plain(f"Since {moment_of(news.since, zone)}"), spacing="None", isSubtle=True),
        ],
    }


def _list_of(news: AlertNews) -> str:
    """The page that an alert's own page lies below."""
    return news.address.rstrip("/").rpartition("/")[0] + "/"


def _text(text: str, **looks: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **looks}


def _plain(text: str) -> str:
    """Neither Markdown, nor a list, nor somebody called by name (`<at>`), nor an expression (`{{DATE(...)}}`)."""
    plain = _LIST.sub(r"\1\\\2", text.translate(_ESCAPED))
    return _MENTION.sub("\u2039", _EXPRESSION.sub("{ ", plain))
