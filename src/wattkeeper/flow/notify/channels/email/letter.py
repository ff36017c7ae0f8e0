"""What stands in a mail: the news as text and as HTML, each complete without the other."""

from __future__ import annotations

from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape

from wattkeeper.flow.notify.channels.declared import AlertNews, Message
from wattkeeper.flow.notify.channels.wording import (
    colour_of,
    line_of,
    moment_of,
    place_of,
    shortened,
    type_of,
    what_of,
)

MOST_NEWS = 100  # in one mail; of the rest it says how many
_LONGEST_SUBJECT = 200
_CELL = 'style="padding:8px 12px 8px 0;border-bottom:1px solid #d0d7de;vertical-align:top;text-align:left"'


def letter_of(message: Message, *, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail. Its Message-ID is the event's: who is sent it twice sees it once where their mail program can."""
    name, address = parseaddr(sender)
    letter = EmailMessage()
    letter["Subject"] = shortened(" ".join(message.title.split()), _LONGEST_SUBJECT)
    letter["From"] = Address(name or "Wattkeeper", addr_spec=address)
    letter["To"] = [Address(addr_spec=one) for one in recipients]
    letter["Date"] = format_datetime(message.at)
    letter["Message-ID"] = f"<{message.event_id}@{address.partition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Wattkeeper-Event"] = str(message.event_id)
    letter.set_content(text_of(message))
    letter.add_alternative(_html_of(message), subtype="html")
    letter.set_boundary(f"wattkeeper-{message.event_id.hex}")  # a mail that is sent again is the same mail
    return letter


def text_of(message: Message) -> str:
    """The news as plain text."""
    parts = [message.title]
    for one in message.news[:MOST_NEWS]:
        details = [line_of(one), f"Since {moment_of(one.since, message.zone)}"]
        details += [f"Now {one.value}"] if one.value else []
        parts.append("\n".join([*details, one.address]))
    parts += [more] if (more := _more(message)) else []
    parts.append(_foot(message))
    return "\n\n".join(parts) + "\n"


def _html_of(message: Message) -> str:
    rows = "".join(_row(one, message.zone) for one in message.news[:MOST_NEWS])
    table = f'<table style="border-collapse:collapse;width:100%">{rows}</table>' if rows else ""
    more = f"<p>{escape(_more(message))}</p>" if _more(message) else ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"></head>'
        '<body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.4;color:#1f2328">'
        f'<h1 style="font-size:18px">{escape(message.title)}</h1>{table}{more}'
        f'<p style="color:#59636e;font-size:13px">{escape(_foot(message))}</p></body></html>'
    )


def _row(news: AlertNews, zone: str) -> str:
    value = f"<br>Now {escape(news.value)}" if news.value else ""
    return (
        f'<tr><td {_CELL}><strong style="color:{colour_of(news)}">{escape(what_of(news))}<br>{escape(news.level)}'
        f'</strong></td><td {_CELL}><a href="{escape(news.address)}">{escape(type_of(news))}</a>'
        f"<br>{escape(place_of(news))}</td><td {_CELL}>{escape(news.message)}{value}"
        f"<br>Since {escape(moment_of(news.since, zone))}</td></tr>"
    )


def _more(message: Message) -> str:
    left_out = len(message.news) - MOST_NEWS
    return f"And {left_out} more." if left_out > 0 else ""


def _foot(message: Message) -> str:
    return f"Wattkeeper, {message.tenant_name}, {moment_of(message.at, message.zone)}"
