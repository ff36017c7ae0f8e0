"""What an SMS says: one message of it, in the telephones' own alphabet where it can be."""

from __future__ import annotations

from wattkeeper.flow.notify.channels.declared import AlertNews, Message
from wattkeeper.flow.notify.channels.sms.alphabets import GSM_7, UCS_2, Alphabet
from wattkeeper.flow.notify.channels.wording import what_of

# What our units and texts have that telephones have not.
_PLAIN = str.maketrans(
    {"°": "", "²": "2", "³": "3", "µ": "u", "μ": "u", "\u2013": "-", "\u2014": "-", "\u2026": "...", "\u00a0": " "}
)
# Of a whole message at most; what happened has the rest.
_THING, _SITE, _ADDRESS = 1 / 4, 1 / 8, 1 / 2


def text_of(message: Message) -> str:
    """The first of the news, how many more there are, and where to look. One letter that telephones lack costs more
    than half of the room, so it is seen first whether the text is without one once it is shortened."""
    plain = _text(message, GSM_7)
    return plain if GSM_7.has(plain) else _text(message, UCS_2)


def _text(message: Message, alphabet: Alphabet) -> str:
    if not message.news:
        return _fitting(message.title, alphabet.most, alphabet)
    first, more = message.news[0], len(message.news) - 1
    has_room = alphabet.length(first.address) <= alphabet.most * _ADDRESS
    end = f"{f' (+{more} more)' if more else ''}{f' {first.address}' if has_room else ''}"
    return _fitting(f"{_head(first, alphabet)}: {first.message}", alphabet.most - alphabet.length(end), alphabet) + end


def _head(news: AlertNews, alphabet: Alphabet) -> str:
    """`CRITICAL BAT-1, North hall`; where it is not new, `Cleared: ` before it."""
    new = "" if news.what == "opened" else f"{what_of(news)}: "
    thing = _fitting(news.asset_key, int(alphabet.most * _THING), alphabet)
    site = _fitting(news.site, int(alphabet.most * _SITE), alphabet)
    return f"{new}{news.level} {thing}{f', {site}' if site else ''}"


def _fitting(text: str, most: int, alphabet: Alphabet) -> str:
    """In the telephones' alphabet as they have it, before it is measured."""
    return alphabet.shortened(text.translate(_PLAIN) if alphabet is GSM_7 else text, most)
